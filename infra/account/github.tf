# The pipelines' roles. GitHub issues a token to each job, and a role trusts tokens with certain claims. No secret is
# stored anywhere.
#
# IAM requires `sub`, and also compares `repository_id`, `environment` and `ref`. All of them must match:
#   sub            names repository and environment. For repositories made since July 2026, `sub` also has their ids.
#                  A pull request's `sub` has neither branch nor environment.
#   repository_id  is never given to another repository, unlike a name.
#   environment    enforces the GitHub environment's rules: reviewers, waiting time.
#   ref            is the branch. The GitHub environment has a rule for the branch too, which any administrator of the
#                  repository can remove. Such an administrator can't remove this condition.

locals {
  issuer  = "token.actions.githubusercontent.com"
  owner   = split("/", var.github.repository)[0]
  project = split("/", var.github.repository)[1]

  # The end of the names of buckets, as in modules/site.
  hash = substr(sha256(var.account_id), 0, 8)

  subject_prefixes = [
    "repo:${var.github.repository}",
    "repo:${local.owner}@${var.github.repository_owner_id}/${local.project}@${var.github.repository_id}",
  ]

  claims_of_all = {
    "${local.issuer}:aud"           = "sts.amazonaws.com"
    "${local.issuer}:repository_id" = var.github.repository_id
  }

  # The jobs for workspaces of an environment, and the kind of workspaces of each.
  #
  # A reaper destroys what a workspace's state names, and the code of a preview writes its state. So the reaper of previews
  # and personal workspaces does not reach debug workspaces.
  of_workspaces = {
    workspaces = { kind = "workspaces", does = "Creates and destroys previews and personal workspaces" }
    debug      = { kind = "debug", does = "Creates and destroys debug workspaces" }
    reap       = { kind = "workspaces", does = "Destroys expired previews and personal workspaces" }
    reap-debug = { kind = "debug", does = "Destroys expired debug workspaces" }
  }

  # For each role, the GitHub environment and the branch that a job must have. `kind` says which targets of an environment
  # the role reaches: see reach.tf.
  jobs = merge(
    { for name, environment in var.environments : "apply-${name}" => {
      environment        = name
      github_environment = environment.github_environment
      branch             = environment.branch
      does               = "apply"
      kind               = "environment"
      description        = "Applies ${name}"
    } },
    { for pair in setproduct(keys(var.environments), keys(local.of_workspaces)) : "${pair[1]}-${pair[0]}" => {
      environment        = pair[0]
      github_environment = var.environments[pair[0]]["${replace(pair[1], "-", "_")}_github_environment"]
      branch             = var.default_branch
      does               = pair[1]
      kind               = local.of_workspaces[pair[1]].kind
      description        = "${local.of_workspaces[pair[1]].does} of ${pair[0]}"
    } if var.environments[pair[0]]["${replace(pair[1], "-", "_")}_github_environment"] != null },
  )

  appliers = { for key, job in local.jobs : key => merge(job, {
    claims = {
      "${local.issuer}:sub"         = [for prefix in local.subject_prefixes : "${prefix}:environment:${job.github_environment}"]
      "${local.issuer}:environment" = job.github_environment
      "${local.issuer}:ref"         = "refs/heads/${job.branch}"
    }
  }) }
}

resource "aws_iam_openid_connect_provider" "github" {
  url            = "https://${local.issuer}"
  client_id_list = ["sts.amazonaws.com"]
}

resource "aws_iam_role" "apply" {
  for_each = local.appliers

  name                 = "${local.name}-${each.key}"
  description          = each.value.description
  max_session_duration = 2 * 60 * 60

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRoleWithWebIdentity"
      Principal = { Federated = aws_iam_openid_connect_provider.github.arn }
      Condition = { StringEquals = merge(local.claims_of_all, each.value.claims) }
    }]
  })
}

resource "aws_iam_role" "artifacts" {
  count = local.keeps_artifacts ? 1 : 0

  name        = "${local.name}-artifacts"
  description = "Stores the package of each merged tree once"

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRoleWithWebIdentity"
      Principal = { Federated = aws_iam_openid_connect_provider.github.arn }
      Condition = { StringEquals = merge(local.claims_of_all, {
        "${local.issuer}:sub"         = [for prefix in local.subject_prefixes : "${prefix}:environment:${var.artifact_builders.github_environment}"]
        "${local.issuer}:environment" = var.artifact_builders.github_environment
        "${local.issuer}:ref"         = [for branch in var.artifact_builders.branches : "refs/heads/${branch}"]
      }) }
    }]
  })
}

# The role of pull requests. Nobody has reviewed their code yet, so the role can only read. GitHub issues no token to
# pull requests from forks.
resource "aws_iam_role" "plan" {
  name        = "${local.name}-plan"
  description = "Plans pull requests: reads settings, and no data"

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRoleWithWebIdentity"
      Principal = { Federated = aws_iam_openid_connect_provider.github.arn }
      Condition = { StringEquals = merge(local.claims_of_all, {
        "${local.issuer}:sub" = [for prefix in local.subject_prefixes : "${prefix}:pull_request"]
      }) }
    }]
  })
}
