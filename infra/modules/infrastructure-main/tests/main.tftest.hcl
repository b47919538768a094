mock_provider "aws" {
  source = "../mocks"
}

mock_provider "aws" {
  alias  = "us_east_1"
  source = "../mocks"
}

# Each module has its own tests, and infra/production/tests checks what they are given. This checks which modules exist.
override_module {
  target  = module.api
  outputs = { stage_name = "production", stage_arn = "arn:aws:apigateway:eu-central-1::/restapis/a/stages/b", invoke_domain = "a.execute-api.eu-central-1.amazonaws.com", invoke_url = "https://a", rest_api_id = "a", function_names = {}, function_versions = {}, alias_name = "live", log_group_names = {} }
}

override_module {
  target  = module.network
  outputs = { vpc_id = "vpc-1", vpc_cidr = "10.0.0.0/16", private_subnet_ids = ["subnet-1", "subnet-2"], functions_security_group_id = "sg-1" }
}

override_module {
  target  = module.identity
  outputs = { issuers = "[]", sign_in_url = null, client_id = "c", user_pool_id = "p" }
}

override_module {
  target  = module.firewall_api
  outputs = { web_acl_arn = "arn:aws:wafv2:eu-central-1:210987654321:regional/webacl/a/1" }
}

override_module {
  target  = module.firewall_site
  outputs = { web_acl_arn = "arn:aws:wafv2:us-east-1:210987654321:global/webacl/b/1" }
}

variables {
  environment         = "production"
  production          = true
  testing_account_ids = ["123456789012"]
  workspace           = "default"
  groups              = { admins = { role = "admin" } }
  database            = { min_capacity = 1, max_capacity = 16, instances = 2, backup_retention_days = 30 }
  throttling          = { rate = 100, burst = 200 }
  log_retention_days  = 30
}

run "the_environment_has_its_own_name_and_everything" {
  command = plan

  assert {
    condition     = output.name == "slipway-production" && output.owns_database && length(module.network) == 1 && module.database[0].cluster_identifier == "slipway-production"
    error_message = "production must be called slipway-production, with its own network and database"
  }

  assert {
    condition     = length(module.site) == 1 && length(module.firewall_site) == 1 && length(module.firewall_api) == 1
    error_message = "the environment must have a site, and a firewall in front of it and of the API"
  }

  assert {
    condition     = aws_kms_alias.this.name == "alias/slipway-production" && aws_kms_key.this.enable_key_rotation && aws_kms_key.this.deletion_window_in_days == 30
    error_message = "its key must rotate, and be restorable for 30 days"
  }

  assert {
    condition     = aws_kms_alias.us_east_1[0].name == "alias/slipway-production-cloudfront" && aws_kms_key.us_east_1[0].enable_key_rotation
    error_message = "the site's firewall and its key must be in us-east-1"
  }

  assert {
    condition = { for statement in concat(jsondecode(aws_kms_key.this.policy).Statement, jsondecode(aws_kms_key.us_east_1[0].policy).Statement) : "${statement.Sid} ${jsonencode(statement.Principal)}" => jsonencode(try(statement.Condition, null))... } == {
      "Account {\"AWS\":\"arn:aws:iam::210987654321:root\"}"   = ["null", "null"]
      "Logs {\"Service\":\"logs.eu-central-1.amazonaws.com\"}" = [jsonencode({ ArnLike = { "kms:EncryptionContext:aws:logs:arn" = "arn:aws:logs:eu-central-1:210987654321:log-group:*slipway-production*" } })]
      "Logs {\"Service\":\"logs.us-east-1.amazonaws.com\"}"    = [jsonencode({ ArnLike = { "kms:EncryptionContext:aws:logs:arn" = "arn:aws:logs:us-east-1:210987654321:log-group:*slipway-production*" } })]
      "Alarms {\"Service\":\"cloudwatch.amazonaws.com\"}"      = [jsonencode({ StringEquals = { "aws:SourceAccount" = "210987654321" } })]
    }
    error_message = "the keys must serve this account, the environment's logs in their region, and its alarms"
  }
}

run "a_personal_workspace_is_named_and_does_without_site_and_firewall" {
  command = plan

  variables {
    workspace = "ann"
    domain    = { name = "slipway.example.org", certificate_arn = "arn:aws:acm:us-east-1:210987654321:certificate/1" }
  }

  assert {
    condition     = output.name == "slipway-production-ann" && module.database[0].cluster_identifier == "slipway-production-ann" && aws_kms_alias.this.name == "alias/slipway-production-ann"
    error_message = "a personal workspace must have its own name"
  }

  assert {
    condition     = length(concat(module.site, module.firewall_site, module.firewall_api, aws_kms_key.us_east_1)) == 0 && output.site == null
    error_message = "a personal workspace must have neither site nor firewall"
  }

  assert {
    condition     = output.url == "https://a" && aws_kms_key.this.deletion_window_in_days == 7
    error_message = "its address must be the API's, and its key must be deleted after 7 days"
  }
}

run "a_preview_has_a_site_under_an_address_of_its_own" {
  command = plan

  variables {
    workspace         = "pr-7"
    workspace_purpose = "preview"
    domain            = { name = "slipway.example.org", certificate_arn = "arn:aws:acm:us-east-1:210987654321:certificate/1" }
  }

  override_resource {
    target          = module.site[0].aws_cloudfront_distribution.this
    override_during = plan
    values          = { domain_name = "d7.cloudfront.net" }
  }

  assert {
    condition     = length(module.site) == 1 && output.url == "https://d7.cloudfront.net" && length(module.firewall_site) == 0
    error_message = "a preview must have a site, but not the environment's domain"
  }
}

run "live_data_is_neither_made_nor_migrated" {
  command = plan

  variables {
    workspace         = "fix-1"
    workspace_purpose = "debug"
    database_source   = "live"
  }

  assert {
    condition     = length(module.database) == 0 && length(module.network) == 0 && !output.owns_database
    error_message = "a workspace on live data must own neither network nor database"
  }

  assert {
    condition     = data.aws_rds_cluster.live[0].cluster_identifier == "slipway-production" && data.aws_vpc.live[0].tags == tomap({ Name = "slipway-production" })
    error_message = "network and database must be the environment's"
  }

  assert {
    condition     = { for key, group in data.aws_security_group.live : key => group.name } == { functions = "slipway-production-functions", database-client = "slipway-production-database-client" }
    error_message = "its functions must be in the environment's security groups"
  }
}

run "a_clone_is_made_without_a_site_and_with_a_firewall_in_a_testing_account_too" {
  command = plan

  variables {
    environment         = "development"
    production          = false
    testing_account_ids = ["210987654321"]
    workspace           = "fix-1"
    workspace_purpose   = "debug"
    database_source     = "clone"
    database            = { min_capacity = 0.5, max_capacity = 2, instances = 1, backup_retention_days = 1 }
  }

  assert {
    condition     = output.name == "slipway-development-fix-1"
    error_message = "the name must contain environment and workspace; all but production may be in a testing account"
  }

  assert {
    condition     = local.database_max_connections == 360
    error_message = "two units accept 450 connections by Aurora's formula; a fifth of them is reserved"
  }

  assert {
    condition     = length(module.database) == 1 && length(data.aws_rds_cluster.live) == 0 && output.owns_database
    error_message = "a clone must belong to the workspace"
  }

  assert {
    condition     = length(module.site) == 0 && length(module.firewall_api) == 1
    error_message = "a debug workspace must have no site, but a firewall in front of its API"
  }
}

run "neither_site_nor_firewall_where_they_are_switched_off" {
  command = plan

  variables {
    site     = false
    firewall = false
  }

  assert {
    condition     = length(concat(module.site, module.firewall_site, module.firewall_api, aws_kms_key.us_east_1)) == 0
    error_message = "site and firewall must be optional"
  }
}
