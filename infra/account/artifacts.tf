# The packages that are promoted, by the id of their source tree. One account stores them for all accounts, so that
# production runs exactly the bytes that were tested.
#
# Each key is written once. Writes need the header `If-None-Match: *`, with which S3 refuses a key that exists. The
# bucket's policy refuses writes without this header, and all deletions. Object lock would bind the account's
# administrators too, and could never be undone. If an administrator changes this policy, CloudTrail records the change.

locals {
  keeps_artifacts     = var.artifact_account_id == null
  artifact_bucket     = "${var.system}-artifacts-${coalesce(var.artifact_account_id, var.account_id)}"
  artifact_bucket_arn = "arn:${local.partition}:s3:::${local.artifact_bucket}"

  read_artifacts = {
    Sid      = "ArtifactsRead"
    Effect   = "Allow"
    Action   = ["s3:GetObject", "s3:ListBucket"]
    Resource = [local.artifact_bucket_arn, "${local.artifact_bucket_arn}/*"]
  }
}

# A job that builds a package writes <tree>/package.zip. A job that has deployed the package writes
# <tree>/deployed/<environment>.json.
resource "aws_iam_role_policy" "artifacts" {
  count = local.keeps_artifacts ? 1 : 0

  name = "keep"
  role = aws_iam_role.artifacts[0].id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      local.read_artifacts,
      {
        Sid      = "ArtifactsKeep"
        Effect   = "Allow"
        Action   = ["s3:PutObject"]
        Resource = ["${local.artifact_bucket_arn}/*/package.zip"]
      },
    ]
  })
}

resource "aws_s3_bucket" "artifacts" {
  #checkov:skip=CKV2_AWS_62: nothing reacts to new objects in the bucket
  #checkov:skip=CKV_AWS_144: a package can be built again from its tree, byte for byte
  #checkov:skip=CKV_AWS_145: S3's own key is enough: see the bucket's encryption below
  #checkov:skip=CKV_AWS_18: CloudTrail records readers and writers by role; an access log would need another bucket
  count = local.keeps_artifacts ? 1 : 0

  bucket = local.artifact_bucket

  lifecycle {
    prevent_destroy = true
  }
}

resource "aws_s3_bucket_public_access_block" "artifacts" {
  count = local.keeps_artifacts ? 1 : 0

  bucket = aws_s3_bucket.artifacts[0].id

  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_ownership_controls" "artifacts" {
  count = local.keeps_artifacts ? 1 : 0

  bucket = aws_s3_bucket.artifacts[0].id

  rule {
    object_ownership = "BucketOwnerEnforced"
  }
}

# Use S3's own key: with a key of ours, production's account would need one more grant.
resource "aws_s3_bucket_server_side_encryption_configuration" "artifacts" {
  count = local.keeps_artifacts ? 1 : 0

  bucket = aws_s3_bucket.artifacts[0].id

  rule {
    apply_server_side_encryption_by_default {
      sse_algorithm = "AES256"
    }
  }
}

resource "aws_s3_bucket_versioning" "artifacts" {
  count = local.keeps_artifacts ? 1 : 0

  bucket = aws_s3_bucket.artifacts[0].id

  versioning_configuration {
    status = "Enabled"
  }
}

resource "aws_s3_bucket_lifecycle_configuration" "artifacts" {
  count = local.keeps_artifacts ? 1 : 0

  bucket = aws_s3_bucket.artifacts[0].id

  rule {
    id     = "forget-what-is-old"
    status = "Enabled"

    filter {}

    expiration {
      days = var.artifact_retention_days
    }
    noncurrent_version_expiration {
      noncurrent_days = 30
    }
    abort_incomplete_multipart_upload {
      days_after_initiation = 1
    }
  }

  depends_on = [aws_s3_bucket_versioning.artifacts]
}

resource "aws_s3_bucket_policy" "artifacts" {
  count = local.keeps_artifacts ? 1 : 0

  bucket = aws_s3_bucket.artifacts[0].id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat(
      [
        {
          Sid       = "TlsOnly"
          Effect    = "Deny"
          Principal = "*"
          Action    = "s3:*"
          Resource  = [local.artifact_bucket_arn, "${local.artifact_bucket_arn}/*"]
          Condition = { Bool = { "aws:SecureTransport" = "false" } }
        },
        {
          Sid       = "WrittenOnce"
          Effect    = "Deny"
          Principal = "*"
          Action    = "s3:PutObject"
          Resource  = "${local.artifact_bucket_arn}/*"
          Condition = {
            Null = { "s3:if-none-match" = "true" }
            # Uploads of a large package's parts lack the header `If-None-Match`. The request that joins the parts has
            # this header.
            Bool = { "s3:ObjectCreationOperation" = "true" }
          }
        },
        {
          Sid       = "NeverDeleted"
          Effect    = "Deny"
          Principal = "*"
          Action    = ["s3:DeleteObject", "s3:DeleteObjectVersion"]
          Resource  = "${local.artifact_bucket_arn}/*"
        },
      ],
      # A role that does not exist yet can't be a principal. So name the role's account, and limit access to the role by
      # a condition.
      [for account in var.artifact_reader_account_ids : {
        Sid       = "Read${account}"
        Effect    = "Allow"
        Principal = { AWS = "arn:${local.partition}:iam::${account}:root" }
        Action    = ["s3:GetObject", "s3:ListBucket"]
        Resource  = [local.artifact_bucket_arn, "${local.artifact_bucket_arn}/*"]
        Condition = { ArnEquals = { "aws:PrincipalArn" = "arn:${local.partition}:iam::${account}:role/${local.name}-apply-production" } }
      }],
      [for account in var.artifact_reader_account_ids : {
        Sid       = "Note${account}"
        Effect    = "Allow"
        Principal = { AWS = "arn:${local.partition}:iam::${account}:root" }
        Action    = ["s3:PutObject"]
        Resource  = ["${local.artifact_bucket_arn}/*/deployed/production.json"]
        Condition = { ArnEquals = { "aws:PrincipalArn" = "arn:${local.partition}:iam::${account}:role/${local.name}-apply-production" } }
      }],
    )
  })

  depends_on = [aws_s3_bucket_public_access_block.artifacts]
}
