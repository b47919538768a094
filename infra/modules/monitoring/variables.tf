variable "name" {
  description = "Prefix of every name in the environment or workspace."
  type        = string
}

variable "kms_key_arn" {
  description = "ARN of the key that encrypts the alarms' topic."
  type        = string
}

variable "notify" {
  description = "E-mail addresses that receive alarms. The owner of each address must confirm the subscription."
  type        = list(string)

  validation {
    condition     = alltrue([for address in var.notify : can(regex("^[^@ ]+@[^@ ]+[.][^@ ]+$", address))])
    error_message = "An entry of notify is not an e-mail address: write one such as ann@example.org."
  }
}

variable "notifications_enabled" {
  description = "True if alarms notify the topic. Alarms of workspaces do not notify it."
  type        = bool
  default     = true
}

variable "api_name" {
  description = "Name of the API in its metrics."
  type        = string
}

variable "api_stage" {
  description = "Name of the API's stage."
  type        = string
}

variable "function_names" {
  description = "Names of the functions to watch, by their names in Chalice."
  type        = map(string)
}

variable "latency_ms" {
  description = "Milliseconds within which 99 of 100 requests must be answered."
  type        = number
  default     = 1000

  validation {
    condition     = var.latency_ms > 0
    error_message = "No request is answered in 0 ms: set latency_ms above 0."
  }
}

variable "database_cluster_identifier" {
  description = "Identifier of the database cluster."
  type        = string
}

variable "database_max_connections" {
  description = "Connections that the cluster accepts at its maximum capacity."
  type        = number

  validation {
    condition     = var.database_max_connections > 0
    error_message = "The cluster accepts no connection: set database_max_connections to at least 1."
  }
}
