variable "name" {
  description = "Prefix of every name in the environment or workspace."
  type        = string
}

variable "scope" {
  description = "REGIONAL in front of the API, or CLOUDFRONT in front of the site. CLOUDFRONT needs a provider for us-east-1."
  type        = string

  validation {
    condition     = contains(["REGIONAL", "CLOUDFRONT"], var.scope)
    error_message = "The scope is unknown: use REGIONAL or CLOUDFRONT."
  }
}

variable "resource_arn" {
  description = "ARN of the API's stage to protect; null for CLOUDFRONT, because the distribution names the firewall."
  type        = string
  default     = null

  validation {
    condition     = var.scope == "CLOUDFRONT" ? var.resource_arn == null : var.resource_arn != null
    error_message = "The scope does not fit resource_arn: set resource_arn to the stage's ARN for REGIONAL, and to null for CLOUDFRONT."
  }
}

variable "rate_limit" {
  description = "Requests that one address may send in five minutes."
  type        = number
  default     = 3000

  validation {
    condition     = var.rate_limit >= 100 && var.rate_limit <= 2000000000
    error_message = "WAF does not allow this limit: use 100 to 2,000,000,000 requests."
  }
}

variable "site" {
  description = "Secret that the site's distribution sends to the API, if a firewall in front of the site counts its requests. With null, all requests are counted here."
  type        = object({ secret = string })
  default     = null
  sensitive   = true

  validation {
    condition     = var.scope == "REGIONAL" || var.site == null
    error_message = "Only the API's firewall can leave requests of the site to another one: set site to null for CLOUDFRONT."
  }
}

variable "log_retention_days" {
  description = "Days for which the firewall's log is kept."
  type        = number
}

variable "kms_key_arn" {
  description = "ARN of the key that encrypts the firewall's log. The key must be in the log's region: us-east-1 for CLOUDFRONT."
  type        = string
}
