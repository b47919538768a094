variable "name" {
  description = "What every name of the environment or workspace starts from."
  type        = string
}

variable "kms_key_arn" {
  description = "Key that encrypts what alarms say."
  type        = string
}

variable "notify" {
  description = "Addresses that alarms are mailed to. Each has to confirm."
  type        = list(string)

  validation {
    condition     = alltrue([for address in var.notify : can(regex("^[^@ ]+@[^@ ]+[.][^@ ]+$", address))])
    error_message = "Write e-mail addresses."
  }
}

variable "notifications_enabled" {
  description = "Whether alarms tell anybody. A debug workspace's do not."
  type        = bool
  default     = true
}

variable "api_name" {
  description = "Name of the API, which its metrics go by."
  type        = string
}

variable "api_stage" {
  description = "Stage of the API."
  type        = string
}

variable "function_names" {
  description = "Functions to watch, by what they are."
  type        = map(string)
}

variable "latency_ms" {
  description = "Milliseconds that 99 of 100 requests must not exceed."
  type        = number
  default     = 1000

  validation {
    condition     = var.latency_ms > 0
    error_message = "A latency is more than 0 ms."
  }
}

variable "database_cluster_identifier" {
  description = "The cluster."
  type        = string
}

variable "database_max_connections" {
  description = "Connections that the cluster takes at its largest size."
  type        = number

  validation {
    condition     = var.database_max_connections > 0
    error_message = "A database takes at least one connection."
  }
}
