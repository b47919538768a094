variable "name" {
  description = "Prefix of every name in the environment or workspace, and identifier of the cluster."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9]*(-[a-z0-9]+)*$", var.name)) && length(var.name) <= 53
    error_message = "RDS allows no cluster of this name: use at most 53 lower-case letters, digits and hyphens, and start with a letter. Use no two hyphens in a row, and none at the end."
  }
}

variable "database_name" {
  description = "Name of the database in the cluster. A clone's database keeps the name that its source has, which must be the same."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9_]{0,62}$", var.database_name))
    error_message = "A database's name must have 1 to 63 lower-case letters, digits and underscores, and start with a letter."
  }
}

variable "vpc_id" {
  description = "Id of the VPC."
  type        = string
}

variable "subnet_ids" {
  description = "Ids of private subnets in at least two zones."
  type        = list(string)

  validation {
    condition     = length(var.subnet_ids) >= 2
    error_message = "There are fewer than two subnets: name subnets in at least two zones, as Aurora requires."
  }
}

variable "kms_key_arn" {
  description = "ARN of the key that encrypts storage, the master's password, logs and performance insights."
  type        = string
}

variable "engine_version" {
  description = "Major version of PostgreSQL. Aurora chooses and upgrades the minor version."
  type        = string
  default     = "16"

  validation {
    condition     = can(regex("^16(\\.[0-9]+)?$", var.engine_version))
    error_message = "The tests, the migrations and the parameter group are for another version: use PostgreSQL 16."
  }
}

variable "min_capacity" {
  description = "Minimum of Aurora capacity units. At 0 an idle cluster pauses, and the next call waits about 15 seconds."
  type        = number

  validation {
    condition     = var.min_capacity >= 0 && var.min_capacity * 2 == floor(var.min_capacity * 2)
    error_message = "Aurora does not allow this minimum: set min_capacity to 0 or a multiple of 0.5."
  }
}

variable "max_capacity" {
  description = "Maximum of Aurora capacity units. A unit has about 2 GiB of memory."
  type        = number

  validation {
    condition     = var.max_capacity >= 1 && var.max_capacity <= 256 && var.max_capacity >= var.min_capacity
    error_message = "The maximum is out of range: set max_capacity to 1 to 256 units, and not below min_capacity."
  }
}

variable "instances" {
  description = "Number of instances. If the writer fails, another instance takes over within a minute."
  type        = number
  default     = 1

  validation {
    condition     = var.instances >= 1 && var.instances <= 3
    error_message = "The number of instances is out of range: use 1 to 3."
  }
}

variable "backup_retention_days" {
  description = "Days for which backups are kept: data can be restored that far back."
  type        = number

  validation {
    condition     = var.backup_retention_days >= 1 && var.backup_retention_days <= 35
    error_message = "Aurora does not keep backups for this number of days: use 1 to 35."
  }
}

variable "deletion_protection" {
  description = "True to protect the cluster from deletion, and to keep a snapshot if somebody deletes it anyway."
  type        = bool
}

variable "clone_of" {
  description = "Identifier of the cluster to clone, copy-on-write; null for an empty database."
  type        = string
  default     = null
}

variable "log_retention_days" {
  description = "Days for which PostgreSQL's log is kept."
  type        = number
}
