variable "name" {
  description = "What every name of the environment or workspace starts from."
  type        = string
}

variable "scope" {
  description = "REGIONAL, before the API, or CLOUDFRONT, before the site: then the provider is that of us-east-1."
  type        = string

  validation {
    condition     = contains(["REGIONAL", "CLOUDFRONT"], var.scope)
    error_message = "A firewall's scope is REGIONAL or CLOUDFRONT."
  }
}

variable "resource_arn" {
  description = "Stage of the API that it guards; null for CloudFront, whose distribution names its firewall."
  type        = string
  default     = null

  validation {
    condition     = var.scope == "CLOUDFRONT" ? var.resource_arn == null : var.resource_arn != null
    error_message = "A REGIONAL firewall names what it guards, and one of CLOUDFRONT does not."
  }
}

variable "rate_limit" {
  description = "Requests in five minutes that one address may make."
  type        = number
  default     = 3000

  validation {
    condition     = var.rate_limit >= 100 && var.rate_limit <= 2000000000
    error_message = "WAF takes limits from 100 on."
  }
}

variable "log_retention_days" {
  description = "Days that its log is kept."
  type        = number
}

variable "kms_key_arn" {
  description = "Key that encrypts its log, of the region that it is in: us-east-1 for CLOUDFRONT."
  type        = string
}
