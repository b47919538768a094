variable "name" {
  description = "Prefix of every name in the environment."
  type        = string
}

variable "system" {
  description = "Name of the system, which is the namespace of its own metrics."
  type        = string
}

variable "environment" {
  description = "Name of the environment, as in its metrics."
  type        = string
}

variable "objectives" {
  description = "The values of the environment's objectives.json: docs/objectives.md."
  type = object({
    calls                 = bool
    availability          = number
    latency               = map(object({ milliseconds = number, share = number }))
    verified_within_hours = number
    reaped_within_hours   = number
    swept_within_hours    = number
    database_gigabytes    = number
    failed_logins_an_hour = number
    dollars_a_month       = number
    silenced              = map(string)
  })

  validation {
    condition     = alltrue([for share in concat([var.objectives.availability], values(var.objectives.latency)[*].share) : share >= 0.9 && share <= 0.9999])
    error_message = "A share is not between 0.9 and 0.9999: nothing works always, and an objective below 0.9 warns too late."
  }

  validation {
    condition     = toset(keys(var.objectives.latency)) == toset(["read", "write"]) && alltrue([for each in values(var.objectives.latency) : each.milliseconds > 0])
    error_message = "The latency is not that of the classes read and write, or is 0 ms: name both classes, each with more than 0 ms."
  }

  validation {
    condition     = alltrue([for hours in [var.objectives.verified_within_hours, var.objectives.reaped_within_hours, var.objectives.swept_within_hours] : hours >= 1 && hours <= 168 && floor(hours) == hours])
    error_message = "CloudWatch looks back seven days at most: use 1 to 168 whole hours."
  }

  validation {
    condition     = alltrue([for amount in [var.objectives.database_gigabytes, var.objectives.failed_logins_an_hour, var.objectives.dollars_a_month] : amount > 0])
    error_message = "A limit is 0: set database_gigabytes, failed_logins_an_hour and dollars_a_month above 0."
  }

  validation {
    condition     = alltrue([for reason in values(var.objectives.silenced) : length(reason) >= 10])
    error_message = "An alarm is silenced without a reason: write who silenced it, why and until when."
  }
}

variable "notify" {
  description = "E-mail addresses that receive alarms. The owner of each address must confirm the subscription."
  type        = list(string)

  validation {
    condition     = alltrue([for address in var.notify : can(regex("^[^@ ]+@[^@ ]+[.][^@ ]+$", address))])
    error_message = "An entry of notify is not an e-mail address: write one such as ann@example.org."
  }

  validation {
    condition     = length(var.notify) <= 10
    error_message = "A budget notifies 10 addresses at most: use the address of a group or of a chat channel."
  }
}

variable "kms_key_arn" {
  description = "ARN of the key that encrypts the alarms' topic."
  type        = string
}

variable "api" {
  description = "Name and stage of the API, in its metrics."
  type        = object({ name = string, stage = string })
}

variable "functions" {
  description = "The functions to watch, by their names in Chalice."
  type        = map(object({ name = string, timeout_seconds = number }))

  validation {
    condition     = length(var.functions) <= 10
    error_message = "An alarm takes 10 metrics at most: for more than 10 functions, split the alarms throttles and duration in watched.tf."
  }
}

variable "database" {
  description = "Identifier of the cluster, connections that it accepts at its maximum capacity, and the name of its log group."
  type        = object({ cluster_identifier = string, max_connections = number, log_group = string })

  validation {
    condition     = var.database.max_connections > 0
    error_message = "The cluster accepts no connection: set max_connections to at least 1."
  }
}

variable "firewall_of_api" {
  description = "Name of the API's firewall in its metrics; null without a firewall."
  type        = string
  default     = null
}

variable "site" {
  description = "The site's distribution, its firewall's name in metrics, its certificate, and the key for its topic in us-east-1; null without a site."
  type        = object({ distribution_id = string, firewall = optional(string), certificate_arn = optional(string), kms_key_arn = string })
  default     = null
}

variable "log_group" {
  description = "Name of the log group of the function that serves the API."
  type        = string
}
