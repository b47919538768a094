variable "name" {
  description = "Prefix of every name: the system, the environment and, in a workspace, the workspace's name."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{2,52}$", var.name))
    error_message = "Choose a name of 3 to 53 lower-case letters, digits and hyphens that starts with a letter."
  }

  validation {
    condition     = alltrue([for part in concat(keys(local.functions), [for name in keys(local.schedules) : trimsuffix(name, "-event")]) : length("${var.name}-${part}") <= 64])
    error_message = "A function or a rule would have a name of more than 64 characters, which AWS refuses: shorten the name of the function or of the workspace."
  }
}

variable "stage" {
  description = "Chalice's stage, which has the environment's name. The package must be for this stage."
  type        = string

  validation {
    condition     = contains(["development", "preproduction", "production"], var.stage)
    error_message = "No environment has this stage: use development, preproduction or production, as in .chalice/config.json."
  }
}

variable "workspace" {
  description = "Name of the workspace, for logs and metrics; `default` is the environment itself."
  type        = string
  default     = "default"
}

variable "subnet_ids" {
  description = "Ids of private subnets in at least two zones, for functions that use the database."
  type        = list(string)

  validation {
    condition     = length(var.subnet_ids) >= 2
    error_message = "There are fewer than two subnets: name subnets in at least two zones, so that the API works if one zone fails."
  }
}

variable "security_group_ids" {
  description = "Ids of the security groups of functions in the private subnets."
  type        = list(string)

  validation {
    condition     = length(var.security_group_ids) > 0
    error_message = "No security group is named: name at least one. Otherwise the functions get the VPC's default group, which allows no traffic."
  }
}

variable "database" {
  description = "The database, and the functions' logins there. The migrator's login is null if the functions may not migrate the database."
  type = object({
    host           = string
    port           = number
    name           = string
    resource_id    = string
    app_login      = string
    migrator_login = optional(string)
  })

  validation {
    condition     = (var.database.migrator_login == null) == (var.bootstrap == null)
    error_message = "Only functions that bootstrap the database may migrate it: set both bootstrap and database.migrator_login, or neither."
  }
}

variable "bootstrap" {
  description = "Cluster, secrets with the passwords of the master and of the reader, and key of the secrets, for the bootstrap function, which creates the database's logins. Null if the database belongs to another target; then there are no functions bootstrap and migrate."
  type = object({
    cluster_arn        = string
    master_secret_arn  = string
    reader_secret_arn  = string
    secret_kms_key_arn = string
  })
}

variable "issuers" {
  description = "JSON list of the issuers that the stage trusts, as in docs/issuers.md."
  type        = string

  validation {
    condition     = startswith(var.issuers, "[") && can([for issuer in jsondecode(var.issuers) : issuer.issuer]) # tolist() refuses issuers of two kinds
    error_message = "The issuers are not a JSON list of objects with an `issuer`: write them as docs/issuers.md shows."
  }
}

variable "sign_in" {
  description = "JSON of the way in which people sign in on the page; null if there is none."
  type        = string
  default     = null
}

variable "dependencies" {
  description = "The external systems that the functions use, by key, for the setting SLIPWAY_DEPENDENCIES. `secret` names a secret that a person made, and the functions that may read it."
  type = map(object({
    instance  = string
    access    = string
    exclusive = bool
    secret    = optional(object({ name = string, functions = list(string) }))
  }))
  default = {}

  validation {
    condition     = alltrue([for each in values(var.dependencies) : length(setsubtract(each.secret.functions, keys(local.functions))) == 0 if each.secret != null])
    error_message = "A secret names a function that does not exist: use the names of .chalice/config.json, such as api."
  }
}

variable "reserved_concurrency" {
  description = "Maximum of concurrent calls of the API's function; null for the account's limit. Use fewer calls than the database accepts connections."
  type        = number
  default     = null

  validation {
    condition     = var.reserved_concurrency == null || try(var.reserved_concurrency > 0, false)
    error_message = "With this concurrency the API would answer no request: use a positive number, or null."
  }
}

variable "log_retention_days" {
  description = "Days for which logs are kept."
  type        = number

  validation {
    condition     = contains([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731], var.log_retention_days)
    error_message = "CloudWatch allows only certain numbers of days: use 7, 14, 30, 60, 90, 180 or 365."
  }
}

variable "kms_key_arn" {
  description = "ARN of the key that encrypts the log groups."
  type        = string
}

variable "throttling" {
  description = "Requests per second to a method of the stage, and size of a burst, above which API Gateway begins to refuse requests. These are targets: API Gateway may let more through, and the account's limit for all APIs of the region counts too."
  type = object({
    rate  = number
    burst = number
  })

  validation {
    condition     = var.throttling.rate > 0 && var.throttling.burst > 0
    error_message = "API Gateway would refuse every request: set rate and burst above 0."
  }
}

variable "detailed_metrics" {
  description = "True for metrics of each method, which are billed as custom metrics. The stage's own metrics are free."
  type        = bool
  default     = false
}

variable "permissions_boundary" {
  description = "ARN of the policy that limits the functions' roles; null for none."
  type        = string
  default     = null
}

variable "schedules_enabled" {
  description = "True if schedules run. Schedules do not run in debug workspaces."
  type        = bool
}
