# The limits of the roles that an environment and its workspaces create, whatever policies a pipeline or a preview gives
# them. Without a limit, somebody who may create roles could do everything. If your functions call other AWS services,
# first allow the actions of these services here.
#
# IAM can't limit whom a new role trusts. So what matters is allowed only to code in a function of the same kind: AWS
# sets lambda:SourceFunctionArn for it, for nobody else who takes the role, and for none of Lambda's own calls but logs
# and traces.
# https://docs.aws.amazon.com/lambda/latest/dg/permissions-source-function-arn.html

resource "aws_iam_policy" "boundary" {
  #checkov:skip=CKV_AWS_290: traces and the VPC's interfaces can't be named as resources
  #checkov:skip=CKV_AWS_355: traces and the VPC's interfaces can't be named as resources
  for_each = local.targets

  name        = "${local.name}-boundary-${each.value.environment}${each.value.boundary}"
  description = "Limits the roles that are created for ${each.value.environment}${each.value.kind == "environment" ? "" : ": ${each.value.kind}"}"

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat(
      [
        {
          Sid    = "Log"
          Effect = "Allow"
          Action = ["logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"]
          # Name the whole beginning of a group: a star before the name would also match the name of a stream.
          Resource = [for group in ["/aws/lambda/", "/vpc/"] : "arn:${local.partition}:logs:${local.arn_account}:log-group:${group}${each.value.name}*"]
        },
        {
          # Traces and the VPC's interfaces can't be named as resources.
          Sid      = "TraceAndBeInVpc"
          Effect   = "Allow"
          Action   = concat(local.interfaces, ["xray:PutTelemetryRecords", "xray:PutTraceSegments"])
          Resource = ["*"]
        },
        {
          # Only Lambda itself may manage a function's interfaces, not the function's code.
          Sid       = "NoInterfacesByCode"
          Effect    = "Deny"
          Action    = local.interfaces
          Resource  = ["*"]
          Condition = { Null = { "lambda:SourceFunctionArn" = "false" } }
        },
        {
          Sid       = "NoInterfaceInOtherSystems"
          Effect    = "Deny"
          Action    = ["ec2:CreateNetworkInterface"]
          Resource  = [for type in ["security-group", "subnet"] : "${local.ec2}:${type}/*"]
          Condition = { StringNotEquals = { "aws:ResourceTag/system" = var.system } }
        },
        {
          Sid       = "NoInterfaceInOtherEnvironments"
          Effect    = "Deny"
          Action    = ["ec2:CreateNetworkInterface"]
          Resource  = [for type in ["security-group", "subnet"] : "${local.ec2}:${type}/*"]
          Condition = { StringNotEquals = { "aws:ResourceTag/environment" = each.value.environment } }
        },
        {
          Sid      = "NoInterfaceInOtherKinds"
          Effect   = "Deny"
          Action   = ["ec2:CreateNetworkInterface"]
          Resource = [for type in ["security-group", "subnet"] : "${local.ec2}:${type}/*"]
          Condition = {
            StringNotLike = { "aws:ResourceTag/workspace" = concat([each.value.tag], each.value.kind == "debug" ? ["default"] : []) }
          }
        },
        {
          # The ARN has the cluster's id, which nobody knows before. So each kind has its own database users.
          Sid      = "LogIn"
          Effect   = "Allow"
          Action   = ["rds-db:connect"]
          Resource = [for login in local.logins[each.key] : "arn:${local.partition}:rds-db:${local.arn_account}:dbuser:*/${login}"]
        },
        {
          Sid       = "AskByDataApi"
          Effect    = "Allow"
          Action    = ["rds-data:BeginTransaction", "rds-data:CommitTransaction", "rds-data:ExecuteStatement", "rds-data:RollbackTransaction"]
          Resource  = [local.clusters[each.key]]
          Condition = local.in_a_function[each.key]
        },
        {
          # RDS creates the secret, and names the cluster in a tag of the secret. Only AWS can set such a tag.
          Sid      = "ReadMasterPassword"
          Effect   = "Allow"
          Action   = ["secretsmanager:GetSecretValue"]
          Resource = ["arn:${local.partition}:secretsmanager:${local.arn_account}:secret:rds!cluster-*"]
          Condition = merge(local.in_a_function[each.key], {
            StringLike = { "aws:ResourceTag/aws:rds:primaryDBClusterArn" = local.clusters[each.key] }
          })
        },
        {
          Sid       = "KeepReadersPassword"
          Effect    = "Allow"
          Action    = ["secretsmanager:DescribeSecret", "secretsmanager:GetSecretValue", "secretsmanager:PutSecretValue"]
          Resource  = ["arn:${local.partition}:secretsmanager:${local.arn_account}:secret:${each.value.name}${each.value.infix == "" ? "" : "*"}-reader-??????"]
          Condition = local.in_a_function[each.key]
        },
        {
          Sid      = "EncryptSecrets"
          Effect   = "Allow"
          Action   = ["kms:Decrypt", "kms:GenerateDataKey"]
          Resource = [local.keys_of_region]
          Condition = merge(local.in_a_function[each.key], {
            StringEquals = {
              "aws:ResourceTag/system"      = var.system
              "aws:ResourceTag/environment" = each.value.environment
              "kms:ViaService"              = "secretsmanager.${var.region}.amazonaws.com"
            }
            StringLike = { "aws:ResourceTag/workspace" = each.value.tag }
          })
        },
      ],
      [for name in [each.value.environment] : {
        # People make these secrets of dependencies. Workspaces, whose code may be unreviewed, read none.
        Sid       = "ReadSecretsOfDependencies"
        Effect    = "Allow"
        Action    = ["secretsmanager:GetSecretValue"]
        Resource  = ["arn:${local.partition}:secretsmanager:${local.arn_account}:secret:${var.system}/${name}/*"]
        Condition = local.in_a_function[each.key]
      } if each.value.kind == "environment"],
      [for name in [each.value.environment] : {
        # On live data, a debug workspace uses two security groups of its environment.
        Sid      = "OnlyGroupsOfFunctionsInEnvironment"
        Effect   = "Deny"
        Action   = ["ec2:CreateNetworkInterface"]
        Resource = ["${local.ec2}:security-group/*"]
        Condition = {
          StringEquals    = { "aws:ResourceTag/workspace" = "default" }
          StringNotEquals = { "aws:ResourceTag/Name" = [for group in ["functions", "database-client"] : "${var.system}-${name}-${group}"] }
        }
      } if each.value.kind == "debug"],
    )
  })
}

locals {
  # Lambda puts a function into a VPC with these actions, in the name of the function's role.
  interfaces = ["ec2:AssignPrivateIpAddresses", "ec2:CreateNetworkInterface", "ec2:DeleteNetworkInterface", "ec2:DescribeNetworkInterfaces", "ec2:DescribeSubnets", "ec2:UnassignPrivateIpAddresses"]

  boundaries = { for key, target in local.targets : key => "arn:${local.partition}:iam::${var.account_id}:policy/${local.name}-boundary-${target.environment}${target.boundary}" }

  # The database users of each kind. On live data, a debug workspace logs in like the environment's functions.
  logins = { for key, target in local.targets : key => concat(
    [for role in ["app", "migrator"] : "${replace(var.system, "-", "_")}_${role}_${target.environment}${target.login}"],
    target.kind == "debug" ? ["${replace(var.system, "-", "_")}_app_${target.environment}"] : [],
  ) }

  clusters = { for key, target in local.targets : key => "arn:${local.partition}:rds:${local.arn_account}:cluster:${target.name}${target.infix == "" ? "" : "*"}" }

  in_a_function = { for key, target in local.targets : key => {
    ArnLike = { "lambda:SourceFunctionArn" = "arn:${local.partition}:lambda:${local.arn_account}:function:${target.name}${target.infix == "" ? "-" : ""}*" }
  } }
}
