variable "name" {
  description = "Prefix of every name in the environment or workspace."
  type        = string

  validation {
    condition     = length(var.name) <= 54
    error_message = "The bucket's name would be longer than S3's 63 characters: shorten the workspace's name."
  }
}

variable "account_id" {
  description = "AWS account id. The start of its hash makes the bucket's name unique in the world."
  type        = string

  validation {
    condition     = can(regex("^[0-9]{12}$", var.account_id))
    error_message = "An AWS account id has 12 digits: correct account_id."
  }
}

variable "api_domain" {
  description = "Host name of the regional API."
  type        = string
}

variable "api_stage" {
  description = "Name of the API's stage: the first segment of its paths."
  type        = string
}

variable "connect_sources" {
  description = "Other origins that the dashboard's scripts may call: those of the sign-in."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for source in var.connect_sources : can(regex("^https://[a-z0-9.-]+$", source))])
    error_message = "An origin is not https:// and a host: correct connect_sources, without wildcards and paths."
  }
}

variable "domain" {
  description = "Domain of the site and its certificate in us-east-1; null for CloudFront's own domain. Without zone_id, create the DNS records yourself."
  type = object({
    name            = string
    certificate_arn = string
    zone_id         = optional(string)
  })
  default = null

  validation {
    condition     = var.domain == null || can(regex("^arn:aws:acm:us-east-1:", var.domain.certificate_arn))
    error_message = "CloudFront only accepts certificates of us-east-1: request the certificate there."
  }
}

variable "header_to_api" {
  description = "Header that the distribution adds to each request to the API: the API's firewall knows the site's requests by it. Null for none."
  type        = object({ name = string, value = string })
  default     = null
  sensitive   = true
}

variable "web_acl_arn" {
  description = "ARN of the firewall in front of CloudFront; null for none."
  type        = string
  default     = null
}

variable "price_class" {
  description = "CloudFront's price class: the parts of the world where it answers."
  type        = string
  default     = "PriceClass_100"

  validation {
    condition     = contains(["PriceClass_100", "PriceClass_200", "PriceClass_All"], var.price_class)
    error_message = "The price class is unknown: use PriceClass_100, PriceClass_200 or PriceClass_All."
  }
}
