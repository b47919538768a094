variable "name" {
  description = "Prefix of every name in the environment or workspace, such as orders-development."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,52}$", var.name))
    error_message = "Resources can't have this name: use 2 to 53 lower-case letters, digits and hyphens, and start with a letter."
  }
}

variable "cidr" {
  description = "CIDR range of the VPC. It must have room for 16 equal subnets."
  type        = string
  default     = "10.0.0.0/16"

  validation {
    condition     = can(cidrhost(var.cidr, 0)) && try(tonumber(split("/", var.cidr)[1]) >= 16 && tonumber(split("/", var.cidr)[1]) <= 22, false)
    error_message = "The VPC can't have this range: use a prefix from /16 to /22, such as 10.0.0.0/16."
  }
}

variable "zones" {
  description = "Number of availability zones with a private subnet. Aurora requires at least two."
  type        = number
  default     = 2

  validation {
    condition     = contains([2, 3], var.zones)
    error_message = "The number of availability zones is out of range: use 2 or 3."
  }
}

variable "egress" {
  description = "True if functions may call external systems, through a NAT gateway (about 35 dollars a month)."
  type        = bool
  default     = false
}

variable "log_retention_days" {
  description = "Days for which the flow log is kept."
  type        = number
}

variable "kms_key_arn" {
  description = "ARN of the key that encrypts the flow log."
  type        = string
}

variable "permissions_boundary" {
  description = "ARN of the policy that limits every role created here; null for none."
  type        = string
  default     = null
}
