# Jobs count in CloudWatch that they ended well. An alarm begins if they stop (infra/modules/monitoring/watched.tf).
#
# AWS can limit PutMetricData to a namespace only. So each of these jobs could count for another environment of the
# account. It reads nothing by that, and the daily verification of the other one would be missed for a day at worst.

locals {
  # The daily verification has a role of its own, which does nothing else.
  verifiers = { for name, environment in var.environments : name => environment.verify_github_environment if environment.verify_github_environment != null }

  counting_roles = merge(
    { for key, applier in local.appliers : key => aws_iam_role.apply[key].name if contains(["apply", "reap", "reap-debug"], applier.does) },
    { for name, role in aws_iam_role.verify : "verify-${name}" => role.name },
  )
}

resource "aws_iam_role" "verify" {
  for_each = local.verifiers

  name        = "${local.name}-verify-${each.key}"
  description = "Counts the daily verifications of ${each.key}, and does nothing else"

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRoleWithWebIdentity"
      Principal = { Federated = aws_iam_openid_connect_provider.github.arn }
      Condition = { StringEquals = merge(local.claims_of_all, {
        "${local.issuer}:sub"         = [for prefix in local.subject_prefixes : "${prefix}:environment:${each.value}"]
        "${local.issuer}:environment" = each.value
        "${local.issuer}:ref"         = "refs/heads/${var.default_branch}"
      }) }
    }]
  })
}

resource "aws_iam_role_policy" "counting" {
  #checkov:skip=CKV_AWS_290: AWS limits PutMetricData by namespace only, and the condition names the namespace
  #checkov:skip=CKV_AWS_355: AWS limits PutMetricData by namespace only, and the condition names the namespace
  for_each = local.counting_roles

  name = "counting"
  role = each.value

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "CountRunsNumbers"
      Effect    = "Allow"
      Action    = ["cloudwatch:PutMetricData"]
      Resource  = ["*"]
      Condition = { StringEquals = { "cloudwatch:namespace" = var.system } }
    }]
  })
}
