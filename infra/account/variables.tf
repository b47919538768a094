variable "system" {
  description = "Name of the system, as in the roots of the environments. The names of all resources begin with it."
  type        = string
  default     = "slipway"

  validation {
    condition     = can(regex("^[a-z][a-z0-9]*(-[a-z0-9]+)*$", var.system)) && length(var.system) >= 2 && length(var.system) <= 20
    error_message = "The system's name must have 2 to 20 lower-case letters, digits and single hyphens, and start with a letter: AWS limits the names that begin with it."
  }
}

variable "account_id" {
  description = "The only AWS account to which this configuration may be applied."
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
    error_message = "The region is not an AWS region: name one such as eu-central-1, and not a zone."
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
    error_message = "The repository is not OWNER/NAME without wildcards: correct github.repository."
  }

  validation {
    condition     = can(regex("^[1-9][0-9]*$", var.github.repository_id)) && can(regex("^[1-9][0-9]*$", var.github.repository_owner_id))
    error_message = "The ids of the repository and its owner must be numbers: copy them from `gh api repos/OWNER/NAME --jq '.id, .owner.id'`. Roles check ids too, because others can take a name that was given up."
  }
}

variable "environments" {
  description = <<-END
    The environments of the account. To apply one, a job must run on its `branch` and in its `github_environment`. A job
    on the default branch may create and destroy previews and personal workspaces in `workspaces_github_environment`, and
    debug workspaces in `debug_github_environment`. It may only destroy previews and personal workspaces in
    `reap_github_environment`, and debug workspaces in `reap_debug_github_environment`. In `verify_github_environment` it
    may only count the daily verification. If one of these five is null, no role is created for it. `hosted_zone_id` is the zone of the DNS records of the environment's domain.
  END
  type = map(object({
    branch                        = string
    github_environment            = string
    workspaces_github_environment = optional(string)
    debug_github_environment      = optional(string)
    reap_github_environment       = optional(string)
    reap_debug_github_environment = optional(string)
    verify_github_environment     = optional(string)
    hosted_zone_id                = optional(string)
  }))

  validation {
    condition     = length(var.environments) > 0
    error_message = "No environment is named: name at least one environment of the account."
  }

  validation {
    condition     = alltrue([for name in keys(var.environments) : can(regex("^[a-z][a-z0-9]{1,15}$", name)) && name != "account"])
    error_message = "An environment can't have this name: use 2 to 16 lower-case letters and digits, start with a letter, and do not use `account`."
  }

  validation {
    condition     = !contains(keys(var.environments), "production") || length(var.environments) == 1
    error_message = "Production shares the account with other environments: move the others to another account. Nobody who may change them should reach production."
  }

  validation {
    # Permissions match the beginnings of resources' names.
    condition     = alltrue([for a in keys(var.environments) : alltrue([for b in keys(var.environments) : a == b || !startswith(a, b)])])
    error_message = "The name of an environment begins with the name of another: rename one of the two. A role for the shorter name could change both environments."
  }

  validation {
    condition     = alltrue([for environment in values(var.environments) : can(regex("^[A-Za-z0-9][A-Za-z0-9._/-]*$", environment.branch))])
    error_message = "The name of a branch is not exact: write its full name, without wildcards and without refs/heads/."
  }

  validation {
    condition = alltrue([for name in flatten([for environment in values(var.environments) :
      [for attribute, name in environment : name if endswith(attribute, "github_environment") && name != null]
    ]) : can(regex("^[A-Za-z0-9._-]+$", name))])
    error_message = "The name of a GitHub environment is not exact: write its full name, with letters, digits, dots, hyphens and underscores only."
  }

  validation {
    condition = length(distinct(flatten([for environment in values(var.environments) :
      [for attribute, name in environment : name if endswith(attribute, "github_environment") && name != null]
      ]))) == length(flatten([for environment in values(var.environments) :
      [for attribute, name in environment : name if endswith(attribute, "github_environment") && name != null]
    ]))
    error_message = "A GitHub environment is named twice: name another for each environment, its workspaces, its debug workspaces, its two reapers and its verification. Each GitHub environment has its own rules."
  }
}

variable "default_branch" {
  description = "The repository's default branch, which runs the workflows that create, destroy and reap workspaces."
  type        = string
  default     = "development"

  validation {
    condition     = can(regex("^[A-Za-z0-9][A-Za-z0-9._/-]*$", var.default_branch))
    error_message = "The name of a branch is not exact: write its full name, without wildcards and without refs/heads/."
  }
}

variable "people" {
  description = <<-END
    ARNs of the users who may take a role for people, with MFA. A role without members is not created. If people sign in
    through IAM Identity Center, leave the lists empty and use the policies in permission sets.
  END
  type = object({
    developer     = optional(list(string), [])
    on_call       = optional(list(string), [])
    administrator = optional(list(string), [])
  })
  default = {}

  validation {
    condition     = alltrue([for arn in flatten(values(var.people)) : can(regex("^arn:aws[a-z-]*:iam::[0-9]{12}:user/[A-Za-z0-9+=,.@_/-]+$", arn))])
    error_message = "A member is not the ARN of one user: write, for example, arn:aws:iam::123456789012:user/jane. A whole account or a wildcard would let in more people, and the session of a role has no second factor."
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
    error_message = "The name of a GitHub environment is not exact: write its full name, with letters, digits, dots, hyphens and underscores only."
  }

  validation {
    condition     = length(var.artifact_builders.branches) > 0 && alltrue([for branch in var.artifact_builders.branches : can(regex("^[A-Za-z0-9][A-Za-z0-9._/-]*$", branch))])
    error_message = "The name of a branch is not exact: write its full name, without wildcards and without refs/heads/."
  }
}

variable "artifact_account_id" {
  description = "The account that stores the artifacts; null if this one does. Packages are built once, in the testing account."
  type        = string
  default     = null

  validation {
    condition     = var.artifact_account_id == null || can(regex("^[0-9]{12}$", var.artifact_account_id))
    error_message = "An AWS account id has 12 digits: correct artifact_account_id."
  }

  validation {
    condition     = var.artifact_account_id != var.account_id
    error_message = "This account stores the artifacts itself: leave out artifact_account_id."
  }
}

variable "artifact_reader_account_ids" {
  description = "Accounts whose production deploys the artifacts stored here."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for account in var.artifact_reader_account_ids : can(regex("^[0-9]{12}$", account))])
    error_message = "An AWS account id has 12 digits: correct artifact_reader_account_ids."
  }

  validation {
    condition     = length(var.artifact_reader_account_ids) == 0 || var.artifact_account_id == null
    error_message = "This account stores no artifacts, so it can't let others read them: leave artifact_reader_account_ids empty."
  }
}

variable "artifact_retention_days" {
  description = "Days for which an artifact is stored. An older artifact must be built again before it can be deployed again."
  type        = number
  default     = 400

  validation {
    condition     = var.artifact_retention_days >= 30 && floor(var.artifact_retention_days) == var.artifact_retention_days
    error_message = "Artifacts can't be stored for this time: use a whole number of days, at least 30. Artifacts must reach production before they expire."
  }
}
