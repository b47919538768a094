variable "name" {
  description = "What every name of the environment or workspace starts from."
  type        = string
}

variable "account_id" {
  description = "The AWS account, which makes the bucket's name unique in the world."
  type        = string

  validation {
    condition     = can(regex("^[0-9]{12}$", var.account_id))
    error_message = "An AWS account id has 12 digits."
  }

  validation {
    condition     = length("${var.name}-site-${var.account_id}") <= 63
    error_message = "The bucket would be named longer than the 63 characters that S3 allows: shorten the workspace's name."
  }
}

variable "api_domain" {
  description = "Host of the regional API."
  type        = string
}

variable "api_stage" {
  description = "Name of the API's stage, below which its paths lie."
  type        = string
}

variable "connect_sources" {
  description = "Origins besides its own that the dashboard's scripts may call: the sign-in's."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for source in var.connect_sources : can(regex("^https://[a-z0-9.-]+$", source))])
    error_message = "An origin is https:// and a host, without wildcard or path."
  }
}

variable "domain" {
  description = "Domain of the site with its certificate, which lives in us-east-1; zone_id has the records made, null leaves them to you. Null for CloudFront's own domain."
  type = object({
    name            = string
    certificate_arn = string
    zone_id         = optional(string)
  })
  default = null

  validation {
    condition     = var.domain == null || can(regex("^arn:aws:acm:us-east-1:", var.domain.certificate_arn))
    error_message = "CloudFront takes certificates of us-east-1 alone: request this one there."
  }
}

variable "web_acl_arn" {
  description = "Firewall before CloudFront; null for none."
  type        = string
  default     = null
}

variable "price_class" {
  description = "Where in the world CloudFront answers."
  type        = string
  default     = "PriceClass_100"

  validation {
    condition     = contains(["PriceClass_100", "PriceClass_200", "PriceClass_All"], var.price_class)
    error_message = "Use PriceClass_100, PriceClass_200 or PriceClass_All."
  }
}
