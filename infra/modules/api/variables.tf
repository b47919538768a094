variable "name" {
  description = "What every name starts from: the system, the environment and, if it is one, the workspace"
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{2,47}$", var.name))
    error_message = "A name starts with a letter and has 3 to 48 of lower-case letters, digits and hyphens: IAM takes 64 with what is appended."
  }
}

variable "stage" {
  description = "The environment, which is Chalice's stage. The package has to be of it"
  type        = string

  validation {
    condition     = contains(["development", "preproduction", "production"], var.stage)
    error_message = "The stage is development, preproduction or production, as in .chalice/config.json."
  }
}

variable "subnet_ids" {
  description = "Private subnets, of at least two zones, for functions that reach the database"
  type        = list(string)

  validation {
    condition     = length(var.subnet_ids) >= 2
    error_message = "Name subnets of at least two zones, so that one may fail."
  }
}

variable "security_group_ids" {
  description = "Security groups of the functions in the private subnets"
  type        = list(string)

  validation {
    condition     = length(var.security_group_ids) > 0
    error_message = "Name a security group: without one the functions would get the VPC's default one, which is closed."
  }
}

variable "database" {
  description = "The database cluster; secret_kms_key_arn is the customer's key of the master user's secret, if it has one"
  type = object({
    host               = string
    port               = number
    name               = string
    resource_id        = string
    cluster_arn        = string
    master_secret_arn  = string
    secret_kms_key_arn = optional(string)
  })
}

variable "issuers" {
  description = "Issuers of tokens that the stage trusts, as docs/issuers.md describes them: a JSON list"
  type        = string

  validation {
    condition     = can([for issuer in jsondecode(var.issuers) : issuer.issuer])
    error_message = "The issuers are a JSON list: jsonencode([...])."
  }
}

variable "dependencies" {
  description = "Endpoints of external systems by name, which the functions get as a setting"
  type        = map(string)
  default     = {}
}

variable "reserved_concurrency" {
  description = "How many requests the API's function serves at once, below what the database takes in connections; null: as many as the account lets it"
  type        = number
  default     = null

  validation {
    condition     = var.reserved_concurrency == null || try(var.reserved_concurrency > 0, false)
    error_message = "With a reserved concurrency of 0 or less the API would answer nothing: name a positive number, or null."
  }
}

variable "log_retention_days" {
  description = "Days for which logs are kept"
  type        = number

  validation {
    condition     = contains([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731], var.log_retention_days)
    error_message = "CloudWatch knows only certain numbers of days: 7, 14, 30, 90, 180, 365 …"
  }
}

variable "kms_key_arn" {
  description = "The key that log groups are encrypted with"
  type        = string
}

variable "throttling" {
  description = "Requests per second on average, and at once, above which API Gateway refuses more"
  type = object({
    rate  = number
    burst = number
  })

  validation {
    condition     = var.throttling.rate > 0 && var.throttling.burst > 0
    error_message = "At rate or burst 0 API Gateway would refuse everything."
  }
}

variable "permissions_boundary" {
  description = "ARN of the policy that bounds what the functions' roles may do, or null"
  type        = string
  default     = null
}

variable "schedules_enabled" {
  description = "Whether schedules run; not in debug workspaces"
  type        = bool
}
