variable "account_id" {
  description = "The only AWS account in which this may be created."
  type        = string

  validation {
    condition     = can(regex("^[0-9]{12}$", var.account_id))
    error_message = "An AWS account id has 12 digits: write yours into the account's .tfvars.json in infra/account."
  }
}

variable "region" {
  description = "AWS region of the environments."
  type        = string

  validation {
    condition     = can(regex("^[a-z]{2}(-[a-z]+)+-[0-9]$", var.region))
    error_message = "A region is named like eu-central-1."
  }
}

variable "owner" {
  description = "Owner of the account: a person or a team."
  type        = string

  validation {
    condition     = length(trimspace(var.owner)) > 0
    error_message = "The owner is missing: name the person or team that is responsible."
  }
}

variable "github" {
  description = "The repository whose workflows get access. `gh api repos/OWNER/NAME --jq '.id, .owner.id'` prints the two ids."
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
    error_message = "The ids must be numbers. Roles also trust ids, because others can take over a name that was given up."
  }
}

variable "environments" {
  description = <<-END
    The environments of the account. A job must run on `branch` and in `github_environment` to apply one. Jobs of the
    default branch may create and destroy its workspaces, but not change the environment, in
    `workspaces_github_environment` (null: nowhere). They may only destroy workspaces in `reap_github_environment`
    (null: nowhere). `hosted_zone_id` is the zone of its domain's records.
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
    error_message = "Name at least one environment of the account."
  }

  validation {
    condition     = alltrue([for name in keys(var.environments) : can(regex("^[a-z][a-z0-9]{1,15}$", name)) && name != "account"])
    error_message = "An environment's name has 2 to 16 lower-case letters and digits, and is not account."
  }

  validation {
    condition     = !contains(keys(var.environments), "production") || length(var.environments) == 1
    error_message = "Production needs an account of its own, so that nobody who may change another environment can reach it."
  }

  validation {
    # Permissions match the beginning of names.
    condition     = alltrue([for a in keys(var.environments) : alltrue([for b in keys(var.environments) : a == b || !startswith(a, b)])])
    error_message = "No environment's name may begin with another's: a role for the shorter name could change both."
  }

  validation {
    condition     = alltrue([for environment in values(var.environments) : can(regex("^[A-Za-z0-9][A-Za-z0-9._/-]*$", environment.branch))])
    error_message = "Write the exact name of the branch, without wildcards and without refs/heads/."
  }

  validation {
    condition = alltrue([for name in flatten([for environment in values(var.environments) :
      [for attribute, name in environment : name if endswith(attribute, "github_environment") && name != null]
    ]) : can(regex("^[A-Za-z0-9._-]+$", name))])
    error_message = "Write the exact name of the GitHub environment: letters, digits, dots, hyphens and underscores."
  }

  validation {
    condition = length(distinct(flatten([for environment in values(var.environments) :
      [for attribute, name in environment : name if endswith(attribute, "github_environment") && name != null]
      ]))) == length(flatten([for environment in values(var.environments) :
      [for attribute, name in environment : name if endswith(attribute, "github_environment") && name != null]
    ]))
    error_message = "Use a different GitHub environment for each environment, its workspaces and its reaper, since each has its own rules."
  }
}

variable "default_branch" {
  description = "The repository's default branch, which runs the workflows that create, destroy and reap workspaces."
  type        = string
  default     = "development"

  validation {
    condition     = can(regex("^[A-Za-z0-9][A-Za-z0-9._/-]*$", var.default_branch))
    error_message = "Write the exact name of the branch, without wildcards and without refs/heads/."
  }
}

variable "artifact_builders" {
  description = "The GitHub environment and the branches in which a job must run to store a package of merged code."
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
    error_message = "Write the exact name of the GitHub environment: letters, digits, dots, hyphens and underscores."
  }

  validation {
    condition     = length(var.artifact_builders.branches) > 0 && alltrue([for branch in var.artifact_builders.branches : can(regex("^[A-Za-z0-9][A-Za-z0-9._/-]*$", branch))])
    error_message = "Write the exact names of the branches, without wildcards and without refs/heads/."
  }
}

variable "artifact_account_id" {
  description = "The account that stores the artifacts; null if this one does. Packages are built once, in the testing account."
  type        = string
  default     = null

  validation {
    condition     = var.artifact_account_id == null || can(regex("^[0-9]{12}$", var.artifact_account_id))
    error_message = "An AWS account id has 12 digits."
  }

  validation {
    condition     = var.artifact_account_id != var.account_id
    error_message = "Leave artifact_account_id out if this account stores the artifacts."
  }
}

variable "artifact_reader_account_ids" {
  description = "Accounts whose production deploys the artifacts stored here."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for account in var.artifact_reader_account_ids : can(regex("^[0-9]{12}$", account))])
    error_message = "An AWS account id has 12 digits."
  }

  validation {
    condition     = length(var.artifact_reader_account_ids) == 0 || var.artifact_account_id == null
    error_message = "Only the account that stores the artifacts can let others read them."
  }
}

variable "artifact_retention_days" {
  description = "Days that an artifact is stored. Older ones must be built again before they can be deployed again."
  type        = number
  default     = 400

  validation {
    condition     = var.artifact_retention_days >= 30 && floor(var.artifact_retention_days) == var.artifact_retention_days
    error_message = "Store artifacts for at least 30 days: until they reach production, and a while after."
  }
}
