# Permissions for functions and their roles, for logs and schedules.

locals {
  functions = { for key, applier in local.appliers : key => concat(local.concurrency[key], [
    {
      Sid    = "Functions"
      Effect = "Allow"
      Action = [
        "lambda:AddPermission",
        "lambda:CreateAlias",
        "lambda:CreateFunction",
        "lambda:DeleteAlias",
        "lambda:DeleteFunction",
        "lambda:InvokeFunction",
        "lambda:PublishVersion",
        "lambda:RemovePermission",
        "lambda:TagResource",
        "lambda:UntagResource",
        "lambda:UpdateAlias",
        "lambda:UpdateFunctionCode",
        "lambda:UpdateFunctionConfiguration",
      ]
      Resource = ["arn:${local.partition}:lambda:${local.arn_account}:function:${local.names[key]}*"]
    },
    {
      # The roles must have the boundary of their kind. No action in these policies can remove the boundary.
      Sid       = "RolesWithinBoundary"
      Effect    = "Allow"
      Action    = ["iam:CreateRole", "iam:DeleteRolePolicy", "iam:PutRolePermissionsBoundary", "iam:PutRolePolicy"]
      Resource  = local.roles[key]
      Condition = { StringEquals = { "iam:PermissionsBoundary" = local.boundaries["${applier.environment}-${applier.kind}"] } }
    },
    {
      Sid      = "Roles"
      Effect   = "Allow"
      Action   = ["iam:DeleteRole", "iam:TagRole", "iam:UntagRole", "iam:UpdateAssumeRolePolicy", "iam:UpdateRole", "iam:UpdateRoleDescription"]
      Resource = local.roles[key]
    },
    {
      Sid       = "RolesHandedToServices"
      Effect    = "Allow"
      Action    = ["iam:PassRole"]
      Resource  = local.roles[key]
      Condition = { StringEquals = { "iam:PassedToService" = ["lambda.amazonaws.com", "vpc-flow-logs.amazonaws.com"] } }
    },
    {
      # Some AWS services need a service-linked role in each account.
      Sid      = "RolesOfServices"
      Effect   = "Allow"
      Action   = ["iam:CreateServiceLinkedRole"]
      Resource = ["arn:${local.partition}:iam::${var.account_id}:role/aws-service-role/*"]
      Condition = { StringEquals = { "iam:AWSServiceName" = [
        "ops.apigateway.amazonaws.com",
        "rds.amazonaws.com",
        "wafv2.amazonaws.com",
      ] } }
    },
    {
      Sid    = "Logs"
      Effect = "Allow"
      Action = [
        "logs:AssociateKmsKey",
        "logs:CreateLogGroup",
        "logs:DeleteLogGroup",
        "logs:DisassociateKmsKey",
        "logs:PutRetentionPolicy",
        "logs:TagLogGroup",
        "logs:TagResource",
        "logs:UntagResource",
      ]
      Resource = [for prefix in ["/aws/lambda/", "/aws/apigateway/", "/aws/rds/cluster/", "/vpc/", "aws-waf-logs-"] :
        "arn:${local.partition}:logs:*:${var.account_id}:log-group:${prefix}${local.names[key]}*"
      ]
    },
    {
      Sid    = "Schedules"
      Effect = "Allow"
      Action = [
        "events:DeleteRule",
        "events:DisableRule",
        "events:EnableRule",
        "events:PutRule",
        "events:RemoveTargets",
        "events:TagResource",
        "events:UntagResource",
      ]
      Resource = ["arn:${local.partition}:events:${local.arn_account}:rule/${local.names[key]}*"]
    },
    {
      # A rule sends events to functions of its own target only.
      Sid      = "SchedulesCall"
      Effect   = "Allow"
      Action   = ["events:PutTargets"]
      Resource = ["arn:${local.partition}:events:${local.arn_account}:rule/${local.names[key]}*"]
      Condition = {
        "ForAllValues:ArnLike" = { "events:TargetArn" = "arn:${local.partition}:lambda:${local.arn_account}:function:${local.names[key]}*" }
        Null                   = { "events:TargetArn" = "false" }
      }
    },
  ]) }

  # A workspace reserves no concurrency: it could leave none for the environments of the account.
  concurrency = { for key, applier in local.appliers : key => [for actions in [["lambda:DeleteFunctionConcurrency", "lambda:PutFunctionConcurrency"]] : {
    Sid      = "Concurrency"
    Effect   = "Allow"
    Action   = actions
    Resource = ["arn:${local.partition}:lambda:${local.arn_account}:function:${local.names[key]}*"]
  } if applier.kind == "environment"] }

  roles = { for key, name in local.names : key => ["arn:${local.partition}:iam::${var.account_id}:role/${name}*"] }
}
