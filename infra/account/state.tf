# Terraform's state of the account and of each environment in it. Without the state, nobody knows what Terraform
# created. So Terraform can't destroy this bucket, and S3 keeps replaced versions for a year.

resource "aws_s3_bucket" "state" {
  #checkov:skip=CKV2_AWS_62: nothing reacts to new objects in the bucket
  #checkov:skip=CKV_AWS_144: the account and all that its state describes are in one region
  #checkov:skip=CKV_AWS_145: S3's own key is enough: see its encryption below
  #checkov:skip=CKV_AWS_18: CloudTrail records readers and writers by role; an access log would need another bucket
  bucket = "${var.system}-state-${var.account_id}"

  lifecycle {
    prevent_destroy = true
  }
}

resource "aws_s3_bucket_public_access_block" "state" {
  bucket = aws_s3_bucket.state.id

  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_ownership_controls" "state" {
  bucket = aws_s3_bucket.state.id

  rule {
    object_ownership = "BucketOwnerEnforced"
  }
}

# S3's own key is enough: the state holds no password, and roles decide who reads it. Its one secret is the header that
# the CDN sends to the API.
resource "aws_s3_bucket_server_side_encryption_configuration" "state" {
  bucket = aws_s3_bucket.state.id

  rule {
    apply_server_side_encryption_by_default {
      sse_algorithm = "AES256"
    }
  }
}

resource "aws_s3_bucket_versioning" "state" {
  bucket = aws_s3_bucket.state.id

  versioning_configuration {
    status = "Enabled"
  }
}

resource "aws_s3_bucket_lifecycle_configuration" "state" {
  bucket = aws_s3_bucket.state.id

  rule {
    id     = "forget-what-was-replaced"
    status = "Enabled"

    filter {}

    # A replaced state can be restored for this number of days. Each version has a few hundred kilobytes.
    noncurrent_version_expiration {
      noncurrent_days = 365
    }
    abort_incomplete_multipart_upload {
      days_after_initiation = 1
    }
  }

  depends_on = [aws_s3_bucket_versioning.state]
}

resource "aws_s3_bucket_policy" "state" {
  bucket = aws_s3_bucket.state.id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "TlsOnly"
        Effect    = "Deny"
        Principal = "*"
        Action    = "s3:*"
        Resource  = [aws_s3_bucket.state.arn, "${aws_s3_bucket.state.arn}/*"]
        Condition = { Bool = { "aws:SecureTransport" = "false" } }
      },
      {
        # Nobody may delete old versions: only the lifecycle rule does.
        Sid       = "VersionsStay"
        Effect    = "Deny"
        Principal = "*"
        Action    = "s3:DeleteObjectVersion"
        Resource  = "${aws_s3_bucket.state.arn}/*"
      },
    ]
  })

  depends_on = [aws_s3_bucket_public_access_block.state]
}
