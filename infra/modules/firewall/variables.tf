variable "name" {
  description = "Prefix of every name in the environment or workspace."
  type        = string
}

variable "scope" {
  description = "REGIONAL in front of the API, or CLOUDFRONT in front of the site, which needs the provider of us-east-1."
  type        = string

  validation {
    condition     = contains(["REGIONAL", "CLOUDFRONT"], var.scope)
    error_message = "The scope must be REGIONAL or CLOUDFRONT."
  }
}

variable "resource_arn" {
  description = "ARN of the API's stage to protect; null for CLOUDFRONT, whose distribution names its firewall."
  type        = string
  default     = null

  validation {
    condition     = var.scope == "CLOUDFRONT" ? var.resource_arn == null : var.resource_arn != null
    error_message = "Set the stage for a REGIONAL firewall, and null for CLOUDFRONT."
  }
}

variable "rate_limit" {
  description = "Requests that one address may send in five minutes."
  type        = number
  default     = 3000

  validation {
    condition     = var.rate_limit >= 100 && var.rate_limit <= 2000000000
    error_message = "The limit must be at least 100, as WAF requires."
  }
}

variable "log_retention_days" {
  description = "Days for which its log is kept."
  type        = number
}

variable "kms_key_arn" {
  description = "ARN of the key that encrypts its log, in the log's region: us-east-1 for CLOUDFRONT."
  type        = string
}
