variable "account_id" {
  description = "The only account that this environment may be made in."
  type        = string

  validation {
    condition     = can(regex("^[0-9]{12}$", var.account_id))
    error_message = "An AWS account id has 12 digits: write yours into infra/preproduction/terraform.tfvars.json."
  }
}

variable "testing_account_ids" {
  description = "Accounts that production must never be made in."
  type        = list(string)
}

variable "region" {
  description = "Where it is made."
  type        = string
}

variable "owner" {
  description = "Who answers for it; for a workspace, whose it is."
  type        = string

  validation {
    condition     = length(trimspace(var.owner)) > 0
    error_message = "Somebody has to answer for it: name the owner."
  }
}

variable "workspace_purpose" {
  description = "What a workspace is for: personal, preview or debug."
  type        = string
  default     = "personal"
}

variable "database_source" {
  description = "A workspace's data: empty, clone or live."
  type        = string
  default     = "empty"
}

variable "notify" {
  description = "Addresses that alarms are mailed to."
  type        = list(string)
  default     = []
}
