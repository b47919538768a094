variable "account_id" {
  description = "The only AWS account in which this environment may be created."
  type        = string

  validation {
    condition     = can(regex("^[0-9]{12}$", var.account_id))
    error_message = "An AWS account id has 12 digits: write yours into infra/preproduction/terraform.tfvars.json."
  }
}

variable "testing_account_ids" {
  description = "Accounts in which production must never be created."
  type        = list(string)
}

variable "region" {
  description = "AWS region of the environment."
  type        = string
}

variable "owner" {
  description = "Owner of the environment or workspace: a person or a team."
  type        = string

  validation {
    condition     = length(trimspace(var.owner)) > 0
    error_message = "The owner is missing: name the person or team that is responsible."
  }
}

variable "workspace_purpose" {
  description = "Purpose of a workspace: personal, preview or debug."
  type        = string
  default     = "personal"
}

variable "database_source" {
  description = "Data of a workspace: empty, clone or live."
  type        = string
  default     = "empty"
}

variable "notify" {
  description = "E-mail addresses that receive alarms."
  type        = list(string)
  default     = []
}
