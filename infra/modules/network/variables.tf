variable "name" {
  description = "What every name of the environment or workspace starts from, such as slipway-development."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,50}$", var.name))
    error_message = "A name is a slug of at most 51 characters: lower-case letters, digits and hyphens."
  }
}

variable "cidr" {
  description = "Addresses of the VPC. It needs room for 16 equal subnets."
  type        = string
  default     = "10.0.0.0/16"

  validation {
    condition     = can(cidrhost(var.cidr, 0)) && try(tonumber(split("/", var.cidr)[1]) >= 16 && tonumber(split("/", var.cidr)[1]) <= 22, false)
    error_message = "Write a range between /16 and /22, such as 10.0.0.0/16."
  }
}

variable "zones" {
  description = "Number of availability zones with a private subnet. Aurora asks for two."
  type        = number
  default     = 2

  validation {
    condition     = contains([2, 3], var.zones)
    error_message = "Use 2 or 3 availability zones."
  }
}

variable "egress" {
  description = "Whether functions may call others, through a NAT gateway (about 35 dollars a month)."
  type        = bool
  default     = false
}

variable "log_retention_days" {
  description = "Days that the flow log is kept."
  type        = number
}

variable "kms_key_arn" {
  description = "Key that encrypts the flow log."
  type        = string
}

variable "permissions_boundary" {
  description = "ARN of the policy that bounds every role made here; null for none."
  type        = string
  default     = null
}
