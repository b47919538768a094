variable "name" {
  description = "What every name of the environment or workspace starts from."
  type        = string
}

variable "account_id" {
  description = "The AWS account, which makes the sign-in domain unique in the world."
  type        = string
}

variable "audience" {
  description = "What GitHub's tokens must carry to be for this stage: workflows ask for it."
  type        = string
}

variable "pool_of" {
  description = "Name of the environment whose user pool is trusted instead of one of its own; for debug workspaces."
  type        = string
  default     = null
}

variable "external_issuer" {
  description = "An OIDC issuer for people, instead of a user pool. See docs/issuers.md."
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
    error_message = "An issuer is an https URL without query or fragment, exactly what its tokens carry as iss."
  }

  validation {
    condition     = var.external_issuer == null || contains(["RS256", "ES256"], try(var.external_issuer.algorithm, ""))
    error_message = "Tokens are signed with RS256 or ES256."
  }
}

variable "groups" {
  description = "What the members of each group may do: a role, and for pipeline and maintainer the systems' keys, or [\"all\"]."
  type = map(object({
    role    = string
    systems = optional(list(string))
  }))

  validation {
    condition     = length(var.groups) > 0 && alltrue([for group in values(var.groups) : contains(["viewer", "pipeline", "maintainer", "admin"], group.role)])
    error_message = "Name at least one group; a role is viewer, pipeline, maintainer or admin."
  }

  validation {
    condition     = alltrue([for group in values(var.groups) : contains(["viewer", "admin"], group.role) == (group.systems == null)])
    error_message = "Pipelines and maintainers are for certain systems, viewers and admins for every one: name systems for the former alone."
  }
}

variable "callback_urls" {
  description = "Where people come back to after signing in."
  type        = list(string)

  validation {
    condition     = alltrue([for url in var.callback_urls : can(regex("^(https://|http://localhost[:/])", url))])
    error_message = "A callback is an https URL, or one on localhost."
  }
}

variable "deletion_protection" {
  description = "Whether the user pool refuses to be deleted."
  type        = bool
}
