# Who a pipeline is: GitHub issues each job a token, and a role trusts it by its claims. No secret is stored anywhere.
#
# IAM asks for `sub`, and compares `repository_id`, `environment` and `ref` besides. All of them must hold:
#   sub            says repository and environment, in one of two forms: that of repositories made since July 2026 has
#                  the ids in it. A pull request's has neither branch nor environment.
#   repository_id  is never given to another repository, as a name can be.
#   environment    brings the GitHub environment's rules along: reviewers, waiting time.
#   ref            is the branch. The environment has a rule for that, too, which any administrator of the repository
#                  can lift; this one they can't.

locals {
  issuer  = "token.actions.githubusercontent.com"
  owner   = split("/", var.github.repository)[0]
  project = split("/", var.github.repository)[1]

  subject_prefixes = [
    "repo:${var.github.repository}",
    "repo:${local.owner}@${var.github.repository_owner_id}/${local.project}@${var.github.repository_id}",
  ]

  claims_of_all = {
    "${local.issuer}:aud"           = "sts.amazonaws.com"
    "${local.issuer}:repository_id" = var.github.repository_id
  }

  # One for each environment, and one for its workspaces where a GitHub environment is named for them.
  appliers = merge(
    { for name, environment in var.environments : "apply-${name}" => {
      environment     = name
      workspaces_only = false
      prefix          = "slipway-${name}"
      site_bucket     = "slipway-${name}-*site-${var.account_id}"
      viewer          = "slipway-${name}-*viewer"
      claims = {
        "${local.issuer}:sub"         = [for prefix in local.subject_prefixes : "${prefix}:environment:${environment.github_environment}"]
        "${local.issuer}:environment" = environment.github_environment
        "${local.issuer}:ref"         = "refs/heads/${environment.branch}"
      }
    } },
    { for name, environment in var.environments : "workspaces-${name}" => {
      environment     = name
      workspaces_only = true
      prefix          = "slipway-${name}-"
      # Not the environment's own, which are slipway-<environment>-site-… and …-viewer: CloudFront and S3 know no tags here.
      site_bucket = "slipway-${name}-*-site-${var.account_id}"
      viewer      = "slipway-${name}-*-viewer"
      claims = {
        "${local.issuer}:sub"         = [for prefix in local.subject_prefixes : "${prefix}:environment:${environment.workspaces_github_environment}"]
        "${local.issuer}:environment" = environment.workspaces_github_environment
        "${local.issuer}:ref"         = "refs/heads/${var.default_branch}"
      }
    } if environment.workspaces_github_environment != null },
  )
}

resource "aws_iam_openid_connect_provider" "github" {
  url            = "https://${local.issuer}"
  client_id_list = ["sts.amazonaws.com"]
}

resource "aws_iam_role" "apply" {
  for_each = local.appliers

  name                 = "${local.name}-${each.key}"
  description          = each.value.workspaces_only ? "Makes and destroys workspaces of ${each.value.environment}" : "Applies ${each.value.environment} and its workspaces"
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
  description = "Keeps packages of what was merged, each once"

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

# For pull requests, whose code nobody has read yet: it must be harmless in anybody's hands. GitHub issues no token to
# pull requests from forks.
resource "aws_iam_role" "plan" {
  name        = "${local.name}-plan"
  description = "Plans pull requests: reads what Terraform has to know, and no data"

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
