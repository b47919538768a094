variable "name" {
  description = "Prefix of every name in the environment or workspace."
  type        = string
}

variable "account_id" {
  description = "AWS account id. In hexadecimal digits, it makes the sign-in domain unique in the world."
  type        = string
}

variable "audience" {
  description = "Audience that GitHub's tokens must have for this stage. Workflows request it."
  type        = string
}

variable "pool_of" {
  description = "Name of an existing user pool to trust; null to create one. A debug workspace trusts its environment's pool."
  type        = string
  default     = null
}

variable "external_issuer" {
  description = "OIDC issuer for people, instead of a user pool. See docs/issuers.md."
  type = object({
    issuer         = string
    audience       = string
    audience_claim = optional(string, "aud")
    algorithm      = optional(string, "RS256")
    groups_claim   = string
  })
  default = null

  validation {
    condition     = var.external_issuer == null || can(regex("^https://[a-z0-9.-]+(:[0-9]+)?(/[^?#]*)?$", var.external_issuer.issuer))
    error_message = "An issuer must be an https URL without query or fragment, exactly the `iss` of its tokens."
  }

  validation {
    condition     = var.external_issuer == null || contains(["RS256", "ES256"], try(var.external_issuer.algorithm, ""))
    error_message = "The algorithm must be RS256 or ES256."
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
    error_message = "Name at least one group. Each group's role must be viewer, pipeline, maintainer or admin."
  }

  validation {
    condition     = alltrue([for group in values(var.groups) : contains(["viewer", "admin"], group.role) == (group.systems == null)])
    error_message = "Name systems for pipelines and maintainers, and none for viewers and admins: viewers and admins have their role in every system."
  }
}

variable "callback_urls" {
  description = "URLs that people return to after signing in."
  type        = list(string)

  validation {
    condition     = alltrue([for url in var.callback_urls : can(regex("^(https://|http://localhost[:/])", url))])
    error_message = "A callback must be an https URL, or begin with http://localhost."
  }
}

variable "deletion_protection" {
  description = "True to protect the user pool from deletion."
  type        = bool
}
