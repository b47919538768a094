variable "account_id" {
  description = "The only account that this may be made in."
  type        = string

  validation {
    condition     = can(regex("^[0-9]{12}$", var.account_id))
    error_message = "An AWS account id has 12 digits: write yours into the account's .tfvars.json in infra/account."
  }
}

variable "region" {
  description = "Where its environments are."
  type        = string

  validation {
    condition     = can(regex("^[a-z]{2}(-[a-z]+)+-[0-9]$", var.region))
    error_message = "A region is named like eu-central-1."
  }
}

variable "owner" {
  description = "Who answers for the account."
  type        = string

  validation {
    condition     = length(trimspace(var.owner)) > 0
    error_message = "Somebody has to answer for it: name the owner."
  }
}

variable "github" {
  description = "The repository whose workflows come in. `gh api repos/OWNER/NAME --jq '.id, .owner.id'` prints the two ids."
  type = object({
    repository          = string
    repository_id       = string
    repository_owner_id = string
  })

  validation {
    condition     = can(regex("^[A-Za-z0-9-]+/[A-Za-z0-9._-]+$", var.github.repository))
    error_message = "A repository is named OWNER/NAME, without wildcards."
  }

  validation {
    condition     = can(regex("^[1-9][0-9]*$", var.github.repository_id)) && can(regex("^[1-9][0-9]*$", var.github.repository_owner_id))
    error_message = "The ids are numbers: names can be given up and taken by others, so the ids are trusted, too."
  }
}

variable "environments" {
  description = <<-END
    The environments that the account holds. `branch` and `github_environment` are where a job must run to apply one;
    `workspaces_github_environment` is where a job of the default branch may make and destroy workspaces of it, and
    never touch the environment itself (null: nowhere); `reap_github_environment` is where such a job may destroy them,
    and make nothing (null: nowhere); `hosted_zone_id` is where its domain's records are.
  END
  type = map(object({
    branch                        = string
    github_environment            = string
    workspaces_github_environment = optional(string)
    reap_github_environment       = optional(string)
    hosted_zone_id                = optional(string)
  }))

  validation {
    condition     = length(var.environments) > 0
    error_message = "Name the environments that the account holds."
  }

  validation {
    condition     = alltrue([for name in keys(var.environments) : can(regex("^[a-z][a-z0-9]{1,15}$", name)) && name != "account"])
    error_message = "An environment's name has 2 to 16 lower-case letters and digits, and is not account."
  }

  validation {
    condition     = !contains(keys(var.environments), "production") || length(var.environments) == 1
    error_message = "Production has an account of its own: whoever may change another environment must have no way to it."
  }

  validation {
    # Roles are told apart by the beginning of names.
    condition     = alltrue([for a in keys(var.environments) : alltrue([for b in keys(var.environments) : a == b || !startswith(a, b)])])
    error_message = "No environment's name may begin with another's: who may change one could change the other."
  }

  validation {
    condition     = alltrue([for environment in values(var.environments) : can(regex("^[A-Za-z0-9][A-Za-z0-9._/-]*$", environment.branch))])
    error_message = "A branch is named exactly, without wildcards and refs/heads/."
  }

  validation {
    condition = alltrue([for name in flatten([for environment in values(var.environments) :
      [for attribute, name in environment : name if endswith(attribute, "github_environment") && name != null]
    ]) : can(regex("^[A-Za-z0-9._-]+$", name))])
    error_message = "A GitHub environment is named exactly, with letters, digits, dots, hyphens and underscores."
  }

  validation {
    condition = length(distinct(flatten([for environment in values(var.environments) :
      [for attribute, name in environment : name if endswith(attribute, "github_environment") && name != null]
      ]))) == length(flatten([for environment in values(var.environments) :
      [for attribute, name in environment : name if endswith(attribute, "github_environment") && name != null]
    ]))
    error_message = "Each environment, its workspaces and its reaper have a GitHub environment of their own: its rules are theirs alone."
  }
}

variable "default_branch" {
  description = "The repository's default branch: the workflows that make, destroy and reap workspaces are this one's."
  type        = string
  default     = "development"

  validation {
    condition     = can(regex("^[A-Za-z0-9][A-Za-z0-9._/-]*$", var.default_branch))
    error_message = "A branch is named exactly, without wildcards and refs/heads/."
  }
}

variable "artifact_builders" {
  description = "Where a job must run to keep a package: what was merged into one of these branches, and nothing else."
  type = object({
    github_environment = string
    branches           = list(string)
  })
  default = {
    github_environment = "artifact"
    branches           = ["development", "preproduction", "production"]
  }

  validation {
    condition     = can(regex("^[A-Za-z0-9._-]+$", var.artifact_builders.github_environment))
    error_message = "A GitHub environment is named exactly, with letters, digits, dots, hyphens and underscores."
  }

  validation {
    condition     = length(var.artifact_builders.branches) > 0 && alltrue([for branch in var.artifact_builders.branches : can(regex("^[A-Za-z0-9][A-Za-z0-9._/-]*$", branch))])
    error_message = "Name the branches exactly, without wildcards and refs/heads/."
  }
}

variable "artifact_account_id" {
  description = "The account that keeps the artifacts, if another does: packages are built once, in the testing account."
  type        = string
  default     = null

  validation {
    condition     = var.artifact_account_id == null || can(regex("^[0-9]{12}$", var.artifact_account_id))
    error_message = "An AWS account id has 12 digits."
  }

  validation {
    condition     = var.artifact_account_id != var.account_id
    error_message = "Leave it out where the account keeps the artifacts by itself."
  }
}

variable "artifact_reader_account_ids" {
  description = "Accounts whose production is deployed from the artifacts that are kept here."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for account in var.artifact_reader_account_ids : can(regex("^[0-9]{12}$", account))])
    error_message = "An AWS account id has 12 digits."
  }

  validation {
    condition     = length(var.artifact_reader_account_ids) == 0 || var.artifact_account_id == null
    error_message = "Only the account that keeps the artifacts can let others read them."
  }
}

variable "artifact_retention_days" {
  description = "Days that an artifact is kept. What is older can't be deployed again, unless it is built again."
  type        = number
  default     = 400

  validation {
    condition     = var.artifact_retention_days >= 30 && floor(var.artifact_retention_days) == var.artifact_retention_days
    error_message = "Keep artifacts for 30 days at least: until they have reached production, and a while after."
  }
}
