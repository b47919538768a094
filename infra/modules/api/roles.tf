locals {
  arn_prefix = "arn:${data.aws_partition.this.partition}"
  arn_region = "${data.aws_region.this.name}:${data.aws_caller_identity.this.account_id}"

  statements_of_all = { for name, function in local.deployed : name => [
    {
      Sid      = "Log"
      Effect   = "Allow"
      Action   = ["logs:CreateLogStream", "logs:PutLogEvents"]
      Resource = ["${aws_cloudwatch_log_group.function[name].arn}:*"]
    },
    {
      Sid      = "Trace"
      Effect   = "Allow"
      Action   = ["xray:PutTraceSegments", "xray:PutTelemetryRecords"]
      Resource = ["*"] # traces can't be named as resources
    },
  ] }

  interfaces = ["ec2:AssignPrivateIpAddresses", "ec2:CreateNetworkInterface", "ec2:DeleteNetworkInterface", "ec2:DescribeNetworkInterfaces", "ec2:DescribeSubnets", "ec2:UnassignPrivateIpAddresses"]

  statements_in_vpc = { for name, user in local.in_vpc : name => [
    {
      Sid      = "LogIn"
      Effect   = "Allow"
      Action   = ["rds-db:connect"]
      Resource = ["${local.arn_prefix}:rds-db:${local.arn_region}:dbuser:${var.database.resource_id}/${user}"]
    },
    {
      Sid    = "BeInVpc"
      Effect = "Allow"
      Action = local.interfaces
      # Lambda needs these actions ("Giving Lambda functions access to resources in an Amazon VPC") before an interface exists, so the policy can't name one.
      Resource = ["*"]
    },
    {
      # Only Lambda itself may manage the interfaces, not the function's code.
      Sid       = "ButNotByItself"
      Effect    = "Deny"
      Action    = local.interfaces
      Resource  = ["*"]
      Condition = { ArnEquals = { "lambda:SourceFunctionArn" = ["${local.arn_prefix}:lambda:${local.arn_region}:function:${local.names[name]}"] } }
    },
  ] }

  # A secret that a person made has AWS's own key for secrets, which allows whoever may read the secret. AWS adds six
  # characters to the name in the ARN.
  statements_of_secrets = { for name, secrets in local.secrets : name => length(secrets) == 0 ? [] : [
    {
      Sid      = "ReadSecretsOfDependencies"
      Effect   = "Allow"
      Action   = ["secretsmanager:GetSecretValue"]
      Resource = [for secret in values(secrets) : "${local.arn_prefix}:secretsmanager:${local.arn_region}:secret:${secret}-??????"]
    },
  ] }

  statements_of_one = { for name, database in { bootstrap = var.bootstrap } : name => [
    {
      Sid      = "AskByDataApi"
      Effect   = "Allow"
      Action   = ["rds-data:BeginTransaction", "rds-data:ExecuteStatement", "rds-data:CommitTransaction", "rds-data:RollbackTransaction"]
      Resource = [database.cluster_arn]
    },
    {
      Sid      = "ReadMasterPassword"
      Effect   = "Allow"
      Action   = ["secretsmanager:GetSecretValue"]
      Resource = [database.master_secret_arn]
    },
    {
      Sid      = "KeepReadersPassword"
      Effect   = "Allow"
      Action   = ["secretsmanager:GetSecretValue", "secretsmanager:PutSecretValue"]
      Resource = [database.reader_secret_arn]
    },
    {
      Sid       = "UseKeyOfSecrets"
      Effect    = "Allow"
      Action    = ["kms:Decrypt", "kms:GenerateDataKey"]
      Resource  = [database.secret_kms_key_arn]
      Condition = { StringEquals = { "kms:ViaService" = ["secretsmanager.${data.aws_region.this.name}.amazonaws.com"] } }
    },
  ] if database != null }
}

resource "aws_iam_role" "function" {
  for_each = local.deployed

  name                 = local.names[each.key]
  description          = "Permissions of the function ${local.names[each.key]}"
  permissions_boundary = var.permissions_boundary

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = "lambda.amazonaws.com" }
      # Lambda may use the role for this function only. AWS documents both keys for execution roles, but not that each
      # call of Lambda has the function's ARN, such as the check when a function is created. So the ARN may be missing.
      # https://docs.aws.amazon.com/lambda/latest/dg/permissions-managed-policies.html
      Condition = {
        StringEquals = { "aws:SourceAccount" = [data.aws_caller_identity.this.account_id] }
        ArnLikeIfExists = { "aws:SourceArn" = [
          "${local.arn_prefix}:lambda:${local.arn_region}:function:${local.names[each.key]}",
          "${local.arn_prefix}:lambda:${local.arn_region}:function:${local.names[each.key]}:*",
        ] }
      }
    }]
  })
}

resource "aws_iam_role_policy" "function" {
  for_each = local.deployed

  name = local.names[each.key]
  role = aws_iam_role.function[each.key].id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat(
      local.statements_of_all[each.key],
      lookup(local.statements_in_vpc, each.key, []),
      local.statements_of_secrets[each.key],
      lookup(local.statements_of_one, each.key, []),
    )
  })
}

resource "aws_cloudwatch_log_group" "function" {
  for_each = local.deployed

  name              = "/aws/lambda/${local.names[each.key]}"
  retention_in_days = var.log_retention_days
  kms_key_id        = var.kms_key_arn
}
