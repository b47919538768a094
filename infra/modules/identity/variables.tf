variable "name" {
  description = "Prefix of every name in the environment or workspace."
  type        = string
}

variable "account_id" {
  description = "AWS account id. The start of its hash makes the sign-in domain unique in the world."
  type        = string
}

variable "audience" {
  description = "Audience that GitHub's tokens must have for this stage. Workflows request this audience."
  type        = string
}

variable "pool_of" {
  description = "Name of an existing user pool to trust; null to create one. A debug workspace trusts its environment's pool."
  type        = string
  default     = null
}

variable "external_issuer" {
  description = "OIDC issuer for people, instead of a user pool. See docs/issuers.md. `page` has the dashboard's public client there, and the origins that its scripts call besides the issuer's."
  type = object({
    issuer         = string
    audience       = string
    audience_claim = optional(string, "aud")
    algorithm      = optional(string, "RS256")
    groups_claim   = string
    page = optional(object({
      client_id = string
      scope     = optional(string, "openid profile")
      origins   = optional(list(string), [])
    }))
  })
  default = null

  validation {
    condition     = var.external_issuer == null || can(regex("^https://[a-z0-9.-]+(:[0-9]+)?(/[^?#]*)?$", var.external_issuer.issuer))
    error_message = "The issuer is not an https URL without query and fragment: write exactly the `iss` of the issuer's tokens."
  }

  validation {
    condition     = var.external_issuer == null || contains(["RS256", "ES256"], try(var.external_issuer.algorithm, ""))
    error_message = "The algorithm is not supported: use RS256 or ES256."
  }
}

variable "groups" {
  description = "Role of each group's members; for pipeline and maintainer also the keys of their systems, or [\"all\"]."
  type = map(object({
    role    = string
    systems = optional(list(string))
  }))

  validation {
    condition     = length(var.groups) > 0 && alltrue([for group in values(var.groups) : contains(["viewer", "pipeline", "maintainer", "admin"], group.role)])
    error_message = "There is no group, or a group has an unknown role: name a group, and use the roles viewer, pipeline, maintainer and admin."
  }

  validation {
    condition     = alltrue([for group in values(var.groups) : contains(["viewer", "admin"], group.role) == (group.systems == null)])
    error_message = "A group's systems do not fit its role: name systems for pipelines and maintainers only. Viewers and admins have their role in every system."
  }
}

variable "callback_urls" {
  description = "URLs that people return to after signing in."
  type        = list(string)

  validation {
    condition     = alltrue([for url in var.callback_urls : can(regex("^(https://|http://localhost[:/])", url))])
    error_message = "A callback is neither encrypted nor on this machine: use an https URL, or one that begins with http://localhost."
  }
}

variable "requires_mfa" {
  description = "True if people can sign in only with a second factor. An external issuer decides this by itself."
  type        = bool
}

variable "deletion_protection" {
  description = "True to protect the user pool from deletion."
  type        = bool
}
