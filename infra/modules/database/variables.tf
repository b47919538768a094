variable "name" {
  description = "What every name of the environment or workspace starts from, and the cluster's identifier."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9]*(-[a-z0-9]+)*$", var.name)) && length(var.name) <= 51
    error_message = "A cluster's identifier is a slug of at most 51 characters, without two hyphens in a row or one at its end."
  }
}

variable "vpc_id" {
  description = "The VPC."
  type        = string
}

variable "subnet_ids" {
  description = "Private subnets in at least two zones."
  type        = list(string)

  validation {
    condition     = length(var.subnet_ids) >= 2
    error_message = "Aurora asks for subnets in two zones."
  }
}

variable "kms_key_arn" {
  description = "Key that encrypts storage, the master's password, logs and performance insights."
  type        = string
}

variable "engine_version" {
  description = "PostgreSQL's major version: Aurora chooses and upgrades the minor one."
  type        = string
  default     = "16"

  validation {
    condition     = can(regex("^16(\\.[0-9]+)?$", var.engine_version))
    error_message = "The service is tested on PostgreSQL 16: migrations and the parameter group are for it."
  }
}

variable "min_capacity" {
  description = "Aurora capacity units when idle; at 0 the cluster pauses, and the first call afterwards waits 15 seconds."
  type        = number

  validation {
    condition     = var.min_capacity >= 0 && var.min_capacity * 2 == floor(var.min_capacity * 2)
    error_message = "Capacity goes in steps of half a unit, from 0."
  }
}

variable "max_capacity" {
  description = "Aurora capacity units at most (one is about 2 GiB of memory)."
  type        = number

  validation {
    condition     = var.max_capacity >= 1 && var.max_capacity <= 256 && var.max_capacity >= var.min_capacity
    error_message = "The maximum lies between 1 and 256 units, and not below the minimum."
  }
}

variable "instances" {
  description = "Number of instances. With two, another zone takes over within a minute."
  type        = number
  default     = 1

  validation {
    condition     = var.instances >= 1 && var.instances <= 3
    error_message = "Have 1 to 3 instances."
  }
}

variable "backup_retention_days" {
  description = "Days back to which the data can be restored."
  type        = number

  validation {
    condition     = var.backup_retention_days >= 1 && var.backup_retention_days <= 35
    error_message = "Aurora keeps backups for 1 to 35 days."
  }
}

variable "deletion_protection" {
  description = "Whether the cluster refuses to be deleted, and leaves a snapshot behind when it is after all."
  type        = bool
}

variable "clone_of" {
  description = "Identifier of the cluster whose data this one starts with, copy-on-write; null for an empty database."
  type        = string
  default     = null
}

variable "log_retention_days" {
  description = "Days that PostgreSQL's log is kept."
  type        = number
}
