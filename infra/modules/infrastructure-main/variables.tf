variable "environment" {
  description = "The environment: development, preproduction or production, and the Chalice stage of the same name."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9]{1,15}$", var.environment))
    error_message = "An environment's name has 2 to 16 lower-case letters and digits: with a hyphen it could be read as a workspace of another."
  }
}

variable "production" {
  description = "Whether users depend on it: deletion protection, and no testing account."
  type        = bool
}

variable "testing_account_ids" {
  description = "Accounts that production must never be made in."
  type        = list(string)
}

variable "workspace" {
  description = "Terraform's workspace: default is the environment itself, another an isolated copy of it."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,15}$", var.workspace))
    error_message = "A workspace's name has 1 to 16 lower-case letters, digits and hyphens, and starts with a letter."
  }

  validation {
    condition     = !can(regex("--|-$", var.workspace))
    error_message = "AWS takes no name of a database with two hyphens in a row, or one at its end."
  }
}

variable "workspace_purpose" {
  description = "What a workspace is for: personal, preview (of a pull request) or debug. Of no meaning for the environment itself."
  type        = string
  default     = "personal"

  validation {
    condition     = contains(["personal", "preview", "debug"], var.workspace_purpose)
    error_message = "A workspace is personal, a preview, or for debugging: personal, preview or debug."
  }
}

variable "database_source" {
  description = "A workspace's data: empty, clone (copy-on-write, of the environment's) or live (the environment's own database; debug only)."
  type        = string
  default     = "empty"

  validation {
    condition     = contains(["empty", "clone", "live"], var.database_source)
    error_message = "A database's source is empty, clone or live."
  }

  validation {
    condition     = var.workspace != "default" || var.database_source == "empty"
    error_message = "The environment itself has its own database: clone and live are for workspaces."
  }

  validation {
    condition     = var.database_source != "live" || var.workspace_purpose == "debug"
    error_message = "Only a debug workspace works on live data: say workspace_purpose = \"debug\", or take a clone."
  }
}

variable "database" {
  description = "Size of the database, and how far back it can be restored. Workspaces pause, have one instance and keep a day."
  type = object({
    min_capacity          = number
    max_capacity          = number
    instances             = number
    backup_retention_days = number
  })
}

variable "reserved_concurrency" {
  description = "Functions of the API that run at once at most; null takes the account's. The account must keep 100 unreserved."
  type        = number
  default     = null

  validation {
    condition     = var.reserved_concurrency == null || coalesce(var.reserved_concurrency, 0) < local.database_max_connections
    error_message = "Each function holds a connection: reserve fewer than the database takes, or raise database.max_capacity."
  }
}

variable "throttling" {
  description = "Requests a second that the API takes, and how many at once above that."
  type        = object({ rate = number, burst = number })

  validation {
    condition     = var.throttling.rate > 0 && var.throttling.burst >= var.throttling.rate
    error_message = "The rate is above 0, and the burst not below it."
  }
}

variable "dependencies" {
  description = "The environment's external systems: endpoints by name, which reach the functions as settings."
  type        = map(string)
  default     = {}
}

variable "egress" {
  description = "Whether functions may call others, through a NAT gateway. Slipway's own need not."
  type        = bool
  default     = false
}

variable "groups" {
  description = "What the members of each group of people may do."
  type = map(object({
    role    = string
    systems = optional(list(string))
  }))
}

variable "external_issuer" {
  description = "An OIDC issuer for people, instead of a user pool."
  type = object({
    issuer         = string
    audience       = string
    audience_claim = optional(string, "aud")
    algorithm      = optional(string, "RS256")
    groups_claim   = string
  })
  default = null
}

variable "site" {
  description = "Whether there is a site. Of workspaces only previews have one."
  type        = bool
  default     = true
}

variable "domain" {
  description = "Domain of the site with its certificate of us-east-1; null for CloudFront's own."
  type = object({
    name            = string
    certificate_arn = string
    zone_id         = optional(string)
  })
  default = null
}

variable "firewall" {
  description = "Whether a firewall guards site and API, for about 9 dollars a month each."
  type        = bool
  default     = true
}

variable "notify" {
  description = "Addresses that alarms are mailed to."
  type        = list(string)
  default     = []
}

variable "latency_ms" {
  description = "Milliseconds that 99 of 100 requests must not exceed."
  type        = number
  default     = 1000
}

variable "log_retention_days" {
  description = "Days that logs are kept."
  type        = number

  validation {
    condition     = contains([7, 14, 30, 60, 90, 180, 365], var.log_retention_days)
    error_message = "Keep logs for 7, 14, 30, 60, 90, 180 or 365 days."
  }
}

variable "permissions_boundary" {
  description = "ARN of the policy that bounds every role made here; null for none."
  type        = string
  default     = null
}
