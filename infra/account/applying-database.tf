# Permissions for the database, the environment's key, and the site's bucket.

locals {
  database = { for key, applier in local.appliers : key => concat(
    [
      {
        Sid    = "Database"
        Effect = "Allow"
        Action = [
          "rds:AddTagsToResource",
          "rds:CreateDBCluster",
          "rds:CreateDBClusterParameterGroup",
          "rds:CreateDBClusterSnapshot",
          "rds:CreateDBInstance",
          "rds:CreateDBSubnetGroup",
          "rds:DeleteDBCluster",
          "rds:DeleteDBClusterParameterGroup",
          "rds:DeleteDBInstance",
          "rds:DeleteDBSubnetGroup",
          "rds:DisableHttpEndpoint",
          "rds:EnableHttpEndpoint",
          "rds:ModifyDBCluster",
          "rds:ModifyDBClusterParameterGroup",
          "rds:ModifyDBInstance",
          "rds:ModifyDBSubnetGroup",
          "rds:RemoveTagsFromResource",
          "rds:ResetDBClusterParameterGroup",
          "rds:RestoreDBClusterToPointInTime",
        ]
        Resource = [for type in ["cluster", "cluster-pg", "cluster-snapshot", "db", "subgrp"] :
          "arn:${local.partition}:rds:${local.arn_account}:${type}:${applier.prefix}*"
        ]
      },
      {
        # This cluster is the source of a workspace's clone.
        Sid      = "EnvironmentCloned"
        Effect   = "Allow"
        Action   = ["rds:RestoreDBClusterToPointInTime"]
        Resource = ["arn:${local.partition}:rds:${local.arn_account}:cluster:${var.system}-${applier.environment}"]
      },
      {
        # RDS creates the master's secret with the permissions of this role. The role can't read the secret.
        Sid      = "MasterPassword"
        Effect   = "Allow"
        Action   = ["secretsmanager:CreateSecret", "secretsmanager:TagResource"]
        Resource = ["arn:${local.partition}:secretsmanager:${local.arn_account}:secret:rds!cluster-*"]
      },
      {
        Sid       = "KeyMade"
        Effect    = "Allow"
        Action    = ["kms:CreateKey"]
        Resource  = ["*"]
        Condition = { StringEquals = local.new[key] }
      },
      {
        Sid      = "KeyTagged"
        Effect   = "Allow"
        Action   = ["kms:TagResource"]
        Resource = ["arn:${local.partition}:kms:${local.arn_account}:key/*"]
        Condition = {
          StringEquals         = local.new[key]
          StringEqualsIfExists = local.own[key]
        }
      },
      {
        Sid    = "Key"
        Effect = "Allow"
        Action = [
          "kms:CreateAlias",
          "kms:DeleteAlias",
          "kms:EnableKeyRotation",
          "kms:PutKeyPolicy",
          "kms:ScheduleKeyDeletion",
          "kms:UntagResource",
          "kms:UpdateAlias",
          "kms:UpdateKeyDescription",
        ]
        Resource  = ["arn:${local.partition}:kms:${local.arn_account}:key/*"]
        Condition = { StringEquals = local.own[key] }
      },
      {
        Sid      = "KeyNamed"
        Effect   = "Allow"
        Action   = ["kms:CreateAlias", "kms:DeleteAlias", "kms:UpdateAlias"]
        Resource = ["arn:${local.partition}:kms:${local.arn_account}:alias/${applier.prefix}*"]
      },
      {
        # Only services that encrypt data may use the key for this role. A clone's source is encrypted with this key.
        Sid      = "EnvironmentKeyUsed"
        Effect   = "Allow"
        Action   = ["kms:CreateGrant", "kms:Decrypt", "kms:GenerateDataKey"]
        Resource = ["arn:${local.partition}:kms:${local.arn_account}:key/*"]
        Condition = { StringEquals = merge(local.own[key], {
          "kms:ViaService" = [for service in ["rds", "secretsmanager", "sns"] : "${service}.${var.region}.amazonaws.com"]
        }) }
      },
      {
        Sid    = "SiteBucket"
        Effect = "Allow"
        Action = [
          "s3:CreateBucket",
          "s3:DeleteBucket",
          "s3:DeleteBucketPolicy",
          "s3:ListBucketVersions",
          "s3:PutBucketOwnershipControls",
          "s3:PutBucketPolicy",
          "s3:PutBucketPublicAccessBlock",
          "s3:PutBucketTagging",
          "s3:PutBucketVersioning",
          "s3:PutEncryptionConfiguration",
          "s3:PutLifecycleConfiguration",
        ]
        Resource = ["arn:${local.partition}:s3:::${applier.site_bucket}"]
      },
      {
        Sid      = "SiteFiles"
        Effect   = "Allow"
        Action   = ["s3:DeleteObject", "s3:DeleteObjectVersion", "s3:GetObject", "s3:PutObject"]
        Resource = ["arn:${local.partition}:s3:::${applier.site_bucket}/*"]
      },
    ],
  ) }
}
