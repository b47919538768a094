# Terraform's state of every environment in the account, and of the account itself. Whoever deletes it loses the thread
# to all that was made: so it can't be destroyed by Terraform, and each version is kept for a while.

resource "aws_s3_bucket" "state" {
  #checkov:skip=CKV2_AWS_62: nothing reacts to what is written here
  #checkov:skip=CKV_AWS_144: an account is of one region, and so is all that the state describes
  #checkov:skip=CKV_AWS_145: S3's own key suffices, as said above its encryption
  #checkov:skip=CKV_AWS_18: who reads and writes is in CloudTrail, which names roles; an access log would need a bucket of its own
  bucket = "slipway-state-${var.account_id}"

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

# S3's own key: the state holds no secret (the database's password is AWS's), and reading it is the roles' to allow.
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

    # For so long a state can be gone back to. Each is a few hundred kilobytes.
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
        # What was replaced is kept from everybody: the lifecycle alone forgets it.
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
