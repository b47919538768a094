# The limit of the roles that an environment creates, whatever a pipeline writes into them. Without it, a pipeline that
# may create roles could do everything. If the functions of your copy call more AWS services, add them here first.

resource "aws_iam_policy" "boundary" {
  #checkov:skip=CKV_AWS_290: traces and the VPC's interfaces can't be named as resources
  #checkov:skip=CKV_AWS_355: traces and the VPC's interfaces can't be named as resources
  for_each = var.environments

  name        = "${local.name}-boundary-${each.key}"
  description = "What roles made by ${each.key} and its workspaces may do at most"

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid      = "Log"
        Effect   = "Allow"
        Action   = ["logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"]
        Resource = ["arn:${local.partition}:logs:${local.arn_account}:log-group:*/slipway-${each.key}*"]
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
        # Only as the functions' users. Clusters have ids here, no names, so each role's policy names its own.
        Sid    = "LogIn"
        Effect = "Allow"
        Action = ["rds-db:connect"]
        Resource = [
          "arn:${local.partition}:rds-db:${local.arn_account}:dbuser:*/slipway_app",
          "arn:${local.partition}:rds-db:${local.arn_account}:dbuser:*/slipway_migrator",
        ]
      },
      {
        Sid      = "AskByDataApi"
        Effect   = "Allow"
        Action   = ["rds-data:BeginTransaction", "rds-data:CommitTransaction", "rds-data:ExecuteStatement", "rds-data:RollbackTransaction"]
        Resource = ["arn:${local.partition}:rds:${local.arn_account}:cluster:slipway-${each.key}*"]
      },
      {
        # RDS makes the secret, and names the cluster in a tag of it.
        Sid       = "ReadMasterPassword"
        Effect    = "Allow"
        Action    = ["secretsmanager:GetSecretValue"]
        Resource  = ["arn:${local.partition}:secretsmanager:${local.arn_account}:secret:rds!cluster-*"]
        Condition = { StringLike = { "aws:ResourceTag/aws:rds:primaryDBClusterArn" = "arn:${local.partition}:rds:${local.arn_account}:cluster:slipway-${each.key}*" } }
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
