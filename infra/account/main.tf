# What an AWS account needs once, before any environment, and no pipeline may change. `make account` applies it.
#
#   state       where Terraform keeps what it made           artifacts   the packages that are promoted
#   github      who a pipeline is, by its token              roles       what each pipeline may do
#   boundary    what environments' own roles may do at most  logging     API Gateway's way to CloudWatch

provider "aws" {
  region              = var.region
  allowed_account_ids = [var.account_id]

  default_tags {
    tags = {
      system      = "slipway"
      environment = "account"
      workspace   = "default"
      owner       = var.owner
    }
  }
}

data "aws_partition" "this" {
  lifecycle {
    precondition {
      condition     = terraform.workspace == "default"
      error_message = "An account is one: `terraform workspace select default`."
    }
  }
}

locals {
  # What belongs to environments is named slipway-<environment>…: none of these is.
  name      = "slipway-account"
  partition = data.aws_partition.this.partition
}
