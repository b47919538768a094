# The resources that an AWS account needs once, before any environment. `make account` creates them, and no pipeline may
# change them.
#
#   state      Terraform's state                    artifacts             the packages that are promoted
#   github     the pipelines' roles, by token       applying, destroying  the permissions of these roles
#   reach      the targets that a role reaches      boundary              the limit of roles that pipelines create
#   people     the roles of people                  logging               API Gateway's access to CloudWatch

provider "aws" {
  region              = var.region
  allowed_account_ids = [var.account_id]

  default_tags {
    tags = {
      system      = var.system
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
      error_message = "The account has no workspaces: run `terraform workspace select default`."
    }
  }
}

locals {
  # No environment may be named `account`: the names of its resources would begin with this name too.
  name      = "${var.system}-account"
  partition = data.aws_partition.this.partition
}
