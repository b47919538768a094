# The limit of the roles that an environment creates, whatever policies a pipeline gives them. Without this limit, a
# pipeline that may create roles could do everything. If your functions call other AWS services, first allow the actions
# of these services here.

resource "aws_iam_policy" "boundary" {
  #checkov:skip=CKV_AWS_290: traces and the VPC's interfaces can't be named as resources
  #checkov:skip=CKV_AWS_355: traces and the VPC's interfaces can't be named as resources
  for_each = var.environments

  name        = "${local.name}-boundary-${each.key}"
  description = "Limits the roles that ${each.key} and its workspaces create"

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid      = "Log"
        Effect   = "Allow"
        Action   = ["logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"]
        Resource = ["arn:${local.partition}:logs:${local.arn_account}:log-group:*/${var.system}-${each.key}*"]
      },
      {
        # Traces and the VPC's interfaces can't be named as resources.
        Sid    = "TraceAndBeInVpc"
        Effect = "Allow"
        Action = [
          "ec2:CreateNetworkInterface",
          "ec2:DeleteNetworkInterface",
          "ec2:DescribeNetworkInterfaces",
          "xray:PutTelemetryRecords",
          "xray:PutTraceSegments",
        ]
        Resource = ["*"]
      },
      {
        # Log in only as the functions' database users. This ARN has the cluster's id, not its name. So the limit to one
        # cluster is in the policy of each role.
        Sid    = "LogIn"
        Effect = "Allow"
        Action = ["rds-db:connect"]
        Resource = [
          "arn:${local.partition}:rds-db:${local.arn_account}:dbuser:*/${replace(var.system, "-", "_")}_app",
          "arn:${local.partition}:rds-db:${local.arn_account}:dbuser:*/${replace(var.system, "-", "_")}_migrator",
        ]
      },
      {
        Sid      = "AskByDataApi"
        Effect   = "Allow"
        Action   = ["rds-data:BeginTransaction", "rds-data:CommitTransaction", "rds-data:ExecuteStatement", "rds-data:RollbackTransaction"]
        Resource = ["arn:${local.partition}:rds:${local.arn_account}:cluster:${var.system}-${each.key}*"]
      },
      {
        # RDS creates the secret, and names the cluster in a tag of the secret.
        Sid       = "ReadMasterPassword"
        Effect    = "Allow"
        Action    = ["secretsmanager:GetSecretValue"]
        Resource  = ["arn:${local.partition}:secretsmanager:${local.arn_account}:secret:rds!cluster-*"]
        Condition = { StringLike = { "aws:ResourceTag/aws:rds:primaryDBClusterArn" = "arn:${local.partition}:rds:${local.arn_account}:cluster:${var.system}-${each.key}*" } }
      },
      {
        Sid      = "DecryptMasterPassword"
        Effect   = "Allow"
        Action   = ["kms:Decrypt"]
        Resource = ["arn:${local.partition}:kms:${local.arn_account}:key/*"]
        Condition = { StringEquals = {
          "aws:ResourceTag/environment" = each.key
          "kms:ViaService"              = "secretsmanager.${var.region}.amazonaws.com"
        } }
      },
    ]
  })
}
