variable "system" {
  description = "Name of the system. The names of all resources begin with it."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9]*(-[a-z0-9]+)*$", var.system)) && length(var.system) >= 2 && length(var.system) <= 20
    error_message = "The system's name must have 2 to 20 lower-case letters, digits and single hyphens, and start with a letter: AWS limits the names that begin with it."
  }

  validation {
    condition     = !can(regex("aws|amazon|cognito", var.system))
    error_message = "The system's name must not contain aws, amazon or cognito: Cognito refuses it in a sign-in domain."
  }
}

variable "environment" {
  description = "Name of the environment and of its Chalice stage: development, preproduction or production."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9]{1,15}$", var.environment))
    error_message = "An environment can't have this name: use 2 to 16 lower-case letters and digits, and start with a letter. Only names of workspaces have hyphens."
  }
}

variable "production" {
  description = "True if users depend on the environment. It is then protected from deletion, and refused in a testing account."
  type        = bool
}

variable "testing_account_ids" {
  description = "Accounts in which production must never be created."
  type        = list(string)
}

variable "workspace" {
  description = <<-END
    Terraform's workspace: `default` is the environment itself. Any other is an isolated copy: `d-<name>` for debugging,
    `w-<name>` for previews and personal use. Names and tags begin with this letter, and roles in infra/account reach
    one kind of workspace only.
  END
  type        = string

  validation {
    condition     = can(regex("^(default|[wd]-[a-z][a-z0-9-]{0,15})$", var.workspace))
    error_message = "A workspace can't have this name: use w- or d-, then 1 to 16 lower-case letters, digits and hyphens, with a letter first."
  }

  validation {
    condition     = !can(regex("--|-$", var.workspace))
    error_message = "AWS allows no database cluster of this name: use no two hyphens in a row, and no hyphen at the end."
  }
}

variable "workspace_purpose" {
  description = "Purpose of a workspace: personal, preview (of a pull request) or debug. The environment itself ignores it."
  type        = string
  default     = "personal"

  validation {
    condition     = contains(["personal", "preview", "debug"], var.workspace_purpose)
    error_message = "The purpose of the workspace is unknown: use personal, preview or debug."
  }

  validation {
    condition     = var.workspace == "default" || startswith(var.workspace, "d-") == (var.workspace_purpose == "debug")
    error_message = "The purpose does not fit the workspace's name: names of debug workspaces start with d-, other names with w-."
  }
}

variable "database_source" {
  description = "Data of a workspace: empty, clone (a copy-on-write copy of the environment's database) or live (the environment's own database). Only debug workspaces may see the environment's data."
  type        = string
  default     = "empty"

  validation {
    condition     = contains(["empty", "clone", "live"], var.database_source)
    error_message = "The source of the database is unknown: use empty, clone or live."
  }

  validation {
    condition     = var.database_source == "empty" || startswith(var.workspace, "d-")
    error_message = "Only a debug workspace may use clone and live: set workspace_purpose = \"debug\", or database_source = \"empty\"."
  }
}

variable "database" {
  description = "Size of the database, and days for which backups are kept. A workspace's database pauses when idle, has one instance and keeps backups for one day."
  type = object({
    min_capacity          = number
    max_capacity          = number
    instances             = number
    backup_retention_days = number
  })
}

variable "reserved_concurrency" {
  description = "Maximum of concurrent calls of the API's function; null for the account's limit. AWS requires that 100 calls of the account stay unreserved."
  type        = number
  default     = null

  validation {
    condition     = var.reserved_concurrency == null || coalesce(var.reserved_concurrency, 0) < local.database_max_connections
    error_message = "Each concurrent call holds a connection: reserve fewer than the database accepts, or raise database.max_capacity."
  }
}

variable "throttling" {
  description = "Requests per second to a method of the API, and the size of a burst, above which API Gateway begins to refuse requests. It may let more through, and the account's limit for all APIs of the region counts too."
  type        = object({ rate = number, burst = number })

  validation {
    condition     = var.throttling.rate > 0 && var.throttling.burst >= var.throttling.rate
    error_message = "The rate is not above 0, or the burst is below the rate: set the rate above 0, and the burst to at least the rate."
  }
}

variable "detailed_metrics" {
  description = "True for metrics of each method of the API, which are billed as custom metrics."
  type        = bool
  default     = false
}

variable "dependencies" {
  description = <<-END
    The external systems that the environment uses, by key (docs/dependencies.md). `instance` is an ARN or a URL. Set
    `access` to read_write if the environment changes something there, and `exclusive` if no other environment may use
    the instance then. `secret` names a secret that a person made, and the functions that may read it.
  END
  type = map(object({
    instance  = string
    access    = string
    exclusive = optional(bool, false)
    secret    = optional(object({ name = string, functions = list(string) }))
  }))
  default  = {}
  nullable = false

  validation {
    condition     = alltrue([for key, each in var.dependencies : can(regex("^[a-z][a-z0-9-]{1,38}$", key)) && can(regex("^read_(only|write)$", each.access)) && can(regex("^.{1,500}$", each.instance))])
    error_message = "A dependency's key, access or instance is wrong: use a key of 2 to 39 lower-case letters, digits and hyphens, access read_only or read_write, and an instance of at most 500 characters."
  }

  validation {
    condition     = alltrue([for each in values(var.dependencies) : can(regex(local.instance, each.instance)) && !can(regex(local.second_spelling, each.instance))])
    error_message = "The instance of ${join(", ", [for key, each in var.dependencies : key if !can(regex(local.instance, each.instance)) || can(regex(local.second_spelling, each.instance))])} is neither an ARN nor an encrypted URL in its one spelling: write the host in lower case, no user, query, fragment, default port or slash at the end, and the ARN of a queue or bucket."
  }

  validation {
    condition     = alltrue([for each in values(var.dependencies) : startswith(each.secret.name, "${var.system}/${var.environment}/") && can(regex("^[a-z0-9/-]{1,200}[a-z0-9]$", each.secret.name)) && length(each.secret.functions) > 0 if each.secret != null])
    error_message = "A secret's name does not begin with system/environment/, has other characters than lower-case letters, digits, hyphens and slashes, or no function may read it: correct the name, and list the functions."
  }

  validation {
    condition     = var.egress || alltrue([for each in values(var.dependencies) : length(setsubtract(each.secret.functions, ["authorizer"])) == 0 if each.secret != null])
    error_message = "Functions in the VPC reach neither secrets nor external systems: set egress = true."
  }
}

locals {
  # With one spelling for each instance, equal instances are found. The patterns are those of chalicelib/vocabulary.py.
  instance        = "^(arn:aws(-[a-z]+)*:[a-z0-9-]+:[a-z0-9-]*:([0-9]{12})?:/?[!-)+-.0-9;->@-~]+((/|:/?)[!-)+-.0-9;->@-~]+)*|[a-z][a-z0-9+.-]*://[a-z0-9-]+(\\.[a-z0-9-]+)*(:[1-9][0-9]{0,4})?(/[A-Za-z0-9._~-]+)*)$"
  second_spelling = "^(http|ws|ftp|amqp|mqtt|redis|ldap|smtp|tcp|postgres|s3|sqs)://|^(mysql|postgresql)\\+|^((https|wss)://[^/]*:443|amqps://[^/]*:5671|ldaps://[^/]*:636|mongodb://[^/]*:27017|mqtts://[^/]*:8883|mysql://[^/]*:3306|postgresql://[^/]*:5432|rediss://[^/]*:6379|sftp://[^/]*:22)(/|$)|/\\.\\.?(/|$)|://([a-z0-9-]+\\.)*(sqs|queue|s3|s3express)([.-][a-z0-9-]+)*\\.(amazonaws\\.(com|eu)|api\\.aws)|^arn:[^:]*:(s3:([^:]|:[^:])|(events|kinesis|lambda|sns|sqs):(:|[^:]*::))"
}

variable "egress" {
  description = "True if functions may call external systems, through a NAT gateway. The service's own functions call none."
  type        = bool
  default     = false
}

variable "groups" {
  description = "Role of each group of people, and the systems in which a pipeline or maintainer has the role."
  type = map(object({
    role    = string
    systems = optional(list(string))
  }))
}

variable "external_issuer" {
  description = "OIDC issuer for people, instead of a user pool. `page` lets people sign in on the dashboard."
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
}

variable "site" {
  description = "True to create a site. Among the workspaces, only previews get a site."
  type        = bool
  default     = true
}

variable "domain" {
  description = "Domain of the site and its certificate in us-east-1; null for CloudFront's own domain."
  type = object({
    name            = string
    certificate_arn = string
    zone_id         = optional(string)
  })
  default = null
}

variable "firewall" {
  description = "True to put a firewall in front of the API and another one in front of the site. A firewall costs about 9 dollars a month."
  type        = bool
  default     = true
}

variable "notify" {
  description = "E-mail addresses that receive alarms."
  type        = list(string)
  default     = []
}

variable "objectives" {
  description = "The values of the environment's objectives.json: docs/objectives.md."
  type        = any
}

variable "log_retention_days" {
  description = "Days for which logs are kept."
  type        = number

  validation {
    condition     = contains([7, 14, 30, 60, 90, 180, 365], var.log_retention_days)
    error_message = "Logs can't be kept for this number of days: use 7, 14, 30, 60, 90, 180 or 365."
  }
}
