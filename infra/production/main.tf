terraform {
  required_version = ">= 1.11, < 2.0"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "5.100.0"
    }
  }

  # Bucket and region come from state.s3.tfbackend.
  backend "s3" {
    key                  = "production.tfstate"
    workspace_key_prefix = "production"
    encrypt              = true
    use_lockfile         = true
  }
}

provider "aws" {
  region              = var.region
  allowed_account_ids = [var.account_id]

  default_tags {
    tags = local.tags
  }

  # Without a registry, `make workspace-create` and `make workspace-extend` keep the end of a workspace in this tag.
  ignore_tags {
    keys = ["expires"]
  }
}

provider "aws" {
  alias               = "us_east_1"
  region              = "us-east-1"
  allowed_account_ids = [var.account_id]

  default_tags {
    tags = local.tags
  }
}

locals {
  tags = {
    system      = "slipway"
    environment = "production"
    workspace   = terraform.workspace
    owner       = var.owner
  }
}

module "main" {
  source    = "../modules/infrastructure-main"
  providers = { aws = aws, aws.us_east_1 = aws.us_east_1 }

  system              = local.tags.system
  environment         = "production"
  production          = true
  testing_account_ids = var.testing_account_ids
  workspace           = terraform.workspace
  workspace_purpose   = var.workspace_purpose
  database_source     = var.database_source

  database = {
    min_capacity          = 1
    max_capacity          = 16
    instances             = 2
    backup_retention_days = 30
  }

  reserved_concurrency = 100
  throttling           = { rate = 200, burst = 400 }
  log_retention_days   = 365
  notify               = var.notify
  objectives           = jsondecode(file("${path.module}/objectives.json"))

  # The external systems that this environment uses: docs/dependencies.md. The only one is the issuer of people's
  # tokens, a user pool of the environment's own. With an `external_issuer`, write its URL.
  dependencies = {
    identity = {
      instance = "https://${local.tags.system}-production-${substr(sha256(var.account_id), 0, 8)}.auth.${var.region}.amazoncognito.com"
      access   = "read_only"
    }
  }

  groups = {
    everybody   = { role = "viewer" }
    maintainers = { role = "maintainer", systems = ["all"] }
    admins      = { role = "admin" }
  }
}
