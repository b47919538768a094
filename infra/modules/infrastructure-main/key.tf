# One key per environment or workspace encrypts its data, logs and backups: nobody can read them without the key.
# CloudFront's firewall logs in us-east-1, and the site's alarms are there. Keys of other regions do not work there, so
# there is another key.

locals {
  statements_of_keys = { for region in toset([data.aws_region.this.name, "us-east-1"]) : region => [
    {
      # IAM policies of this account decide who may use the key. In a key's policy, the resource "*" is the key itself.
      Sid       = "Account"
      Effect    = "Allow"
      Principal = { AWS = "arn:aws:iam::${local.account_id}:root" }
      Action    = "kms:*"
      Resource  = "*"
    },
    {
      Sid       = "Logs"
      Effect    = "Allow"
      Principal = { Service = "logs.${region}.amazonaws.com" }
      Action    = ["kms:Encrypt*", "kms:Decrypt*", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:Describe*"]
      Resource  = "*"
      Condition = {
        ArnLike = { "kms:EncryptionContext:aws:logs:arn" = "arn:aws:logs:${region}:${local.account_id}:log-group:*${local.name}*" }
      }
    },
    {
      Sid       = "Alarms"
      Effect    = "Allow"
      Principal = { Service = "cloudwatch.amazonaws.com" }
      Action    = ["kms:Decrypt", "kms:GenerateDataKey*"]
      Resource  = "*"
      Condition = { StringEquals = { "aws:SourceAccount" = local.account_id } }
    },
  ] }

  # Only the environment itself has a site with alarms or a firewall.
  has_key_of_site = local.is_default && local.has_site
}

resource "aws_kms_key" "this" {
  description             = local.name
  enable_key_rotation     = true
  deletion_window_in_days = local.is_protected ? 30 : 7

  policy = jsonencode({ Version = "2012-10-17", Statement = local.statements_of_keys[data.aws_region.this.name] })

  tags = { Name = local.name }
}

resource "aws_kms_alias" "this" {
  name          = "alias/${local.name}"
  target_key_id = aws_kms_key.this.key_id
}

resource "aws_kms_key" "us_east_1" {
  count    = local.has_key_of_site ? 1 : 0
  provider = aws.us_east_1

  description             = "${local.name}-cloudfront"
  enable_key_rotation     = true
  deletion_window_in_days = local.is_protected ? 30 : 7

  policy = jsonencode({ Version = "2012-10-17", Statement = local.statements_of_keys["us-east-1"] })

  tags = { Name = "${local.name}-cloudfront" }
}

resource "aws_kms_alias" "us_east_1" {
  count    = local.has_key_of_site ? 1 : 0
  provider = aws.us_east_1

  name          = "alias/${local.name}-cloudfront"
  target_key_id = aws_kms_key.us_east_1[0].key_id
}
