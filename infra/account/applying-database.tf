# Permissions for the database, its secrets, the key, and the site's bucket.

locals {
  keys_of_region = "arn:${local.partition}:kms:${local.arn_account}:key/*"

  # The firewall in front of an environment's site logs in us-east-1, with a key there.
  keys_made = { for key, applier in local.appliers : key => distinct(concat(
    [local.keys_of_region],
    [for region in ["us-east-1"] : "arn:${local.partition}:kms:${region}:${var.account_id}:key/*" if applier.kind == "environment"],
  )) }
  aliases_made = { for key, arns in local.keys_made : key => [for arn in arns : replace(arn, "key/*", "alias/${local.names[key]}*")] }

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
          "rds:RebootDBInstance",
          "rds:RemoveTagsFromResource",
          "rds:ResetDBClusterParameterGroup",
          "rds:RestoreDBClusterToPointInTime",
        ]
        Resource = [for type in ["cluster", "cluster-pg", "cluster-snapshot", "db", "subgrp"] :
          "arn:${local.partition}:rds:${local.arn_account}:${type}:${local.names[key]}*"
        ]
      },
      {
        # RDS also asks for the option group and the instances' parameter group. They are AWS's own, because no request
        # names others.
        Sid    = "DatabaseGroupsOfAws"
        Effect = "Allow"
        Action = [
          "rds:CreateDBCluster",
          "rds:CreateDBInstance",
          "rds:ModifyDBCluster",
          "rds:ModifyDBInstance",
          "rds:RestoreDBClusterToPointInTime",
        ]
        Resource = [for type in ["og", "pg"] : "arn:${local.partition}:rds:${local.arn_account}:${type}:default*"]
      },
      {
        # RDS creates the master's secret with the permissions of this role. The role can't read the secret.
        Sid      = "MasterPassword"
        Effect   = "Allow"
        Action   = ["secretsmanager:CreateSecret", "secretsmanager:TagResource"]
        Resource = ["arn:${local.partition}:secretsmanager:${local.arn_account}:secret:rds!cluster-*"]
      },
      {
        # Terraform creates the reader's secret without a value. Only bootstrap writes the value.
        Sid    = "ReadersSecret"
        Effect = "Allow"
        Action = [
          "secretsmanager:CreateSecret",
          "secretsmanager:DeleteSecret",
          "secretsmanager:TagResource",
          "secretsmanager:UntagResource",
          "secretsmanager:UpdateSecret",
        ]
        Resource = ["arn:${local.partition}:secretsmanager:${local.arn_account}:secret:${local.names[key]}*"]
      },
      {
        Sid       = "KeyMade"
        Effect    = "Allow"
        Action    = ["kms:CreateKey"]
        Resource  = ["*"]
        Condition = local.new[key]
      },
      {
        Sid       = "KeyTagged"
        Effect    = "Allow"
        Action    = ["kms:TagResource"]
        Resource  = local.keys_made[key]
        Condition = local.new_or_own[key]
      },
      {
        Sid       = "KeyTaggedAgain"
        Effect    = "Allow"
        Action    = ["kms:TagResource"]
        Resource  = local.keys_made[key]
        Condition = local.own_or_new[key]
      },
      {
        # The tags of a new key may take five minutes to count ("ABAC for AWS KMS"). If the provider could not finish the
        # key until then, it would replace the key, so these actions do not wait. They harm nobody's key.
        Sid       = "KeyFinished"
        Effect    = "Allow"
        Action    = ["kms:CreateAlias", "kms:EnableKeyRotation"]
        Resource  = local.keys_made[key]
        Condition = local.own_or_untagged[key]
      },
      {
        Sid    = "Key"
        Effect = "Allow"
        Action = [
          "kms:DeleteAlias",
          "kms:PutKeyPolicy",
          "kms:ScheduleKeyDeletion",
          "kms:UntagResource",
          "kms:UpdateAlias",
          "kms:UpdateKeyDescription",
        ]
        Resource  = local.keys_made[key]
        Condition = local.own[key]
      },
      {
        Sid      = "KeyNamed"
        Effect   = "Allow"
        Action   = ["kms:CreateAlias", "kms:DeleteAlias", "kms:UpdateAlias"]
        Resource = local.aliases_made[key]
      },
      {
        # Only services that encrypt data may use the key for this role. SNS may ask for it when it makes a topic.
        Sid      = "KeyUsed"
        Effect   = "Allow"
        Action   = ["kms:CreateGrant", "kms:Decrypt", "kms:GenerateDataKey"]
        Resource = local.keys_made[key]
        Condition = merge(local.own[key], { StringEquals = merge(local.own[key].StringEquals, {
          "kms:ViaService" = distinct([for service in ["rds.${var.region}", "secretsmanager.${var.region}", "sns.${var.region}", "sns.us-east-1"] : "${service}.amazonaws.com"])
        }) })
      },
    ],
    local.cloning[key],
    local.bucket[key],
  ) }

  # A debug workspace may start with a clone of the environment's database. RDS reads the clone's source with the
  # environment's key.
  cloning = { for key, applier in local.appliers : key => [for statement in [
    {
      Sid      = "EnvironmentCloned"
      Effect   = "Allow"
      Action   = ["rds:RestoreDBClusterToPointInTime"]
      Resource = ["arn:${local.partition}:rds:${local.arn_account}:cluster:${var.system}-${applier.environment}"]
    },
    {
      Sid      = "EnvironmentKeyUsedToClone"
      Effect   = "Allow"
      Action   = ["kms:CreateGrant", "kms:Decrypt", "kms:GenerateDataKey"]
      Resource = [local.keys_of_region]
      Condition = { StringEquals = {
        "aws:ResourceTag/system"      = var.system
        "aws:ResourceTag/environment" = applier.environment
        "aws:ResourceTag/workspace"   = "default"
        "kms:ViaService"              = "rds.${var.region}.amazonaws.com"
      } }
    },
  ] : statement if applier.kind == "debug"] }

  # A debug workspace has no site.
  bucket = { for key, applier in local.appliers : key => [for statement in [
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
      Resource = [local.buckets[key]]
    },
    {
      Sid      = "SiteFiles"
      Effect   = "Allow"
      Action   = ["s3:DeleteObject", "s3:DeleteObjectVersion", "s3:GetObject", "s3:PutObject"]
      Resource = ["${local.buckets[key]}/*"]
    },
  ] : statement if applier.kind != "debug"] }

  # The end of the name keeps out buckets of other accounts: buckets have no account in their ARNs.
  buckets = { for key, name in local.names : key => "arn:${local.partition}:s3:::${name}*-${local.hash}" }
}
