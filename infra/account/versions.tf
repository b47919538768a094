terraform {
  required_version = ">= 1.11, < 2.0"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "5.100.0"
    }
  }

  # state.tf creates the bucket, so `make account` begins without it. Bucket and region come from *.s3.tfbackend.
  backend "s3" {
    key          = "account.tfstate"
    encrypt      = true
    use_lockfile = true
  }
}
