mock_provider "aws" {
  source = "../mocks"
}

mock_provider "aws" {
  alias  = "us_east_1"
  source = "../mocks"
}

# Each module has its own tests, and infra/production/tests checks the values that the modules get. This file checks
# which modules exist.
override_module {
  target  = module.api
  outputs = { stage_name = "production", stage_arn = "arn:aws:apigateway:eu-central-1::/restapis/a/stages/b", invoke_domain = "a.execute-api.eu-central-1.amazonaws.com", invoke_url = "https://a", rest_api_id = "a", function_names = {}, functions = {}, function_versions = {}, alias_name = "live", log_group_names = { api = "/aws/lambda/service-production-api" } }
}

override_module {
  target  = module.network
  outputs = { vpc_id = "vpc-1", vpc_cidr = "10.0.0.0/16", private_subnet_ids = ["subnet-1", "subnet-2"], functions_security_group_id = "sg-1" }
}

override_module {
  target  = module.identity
  outputs = { issuers = "[]", sign_in_url = null, sign_in = "{}", sign_in_origins = ["https://login.example.org"], client_id = "c", user_pool_id = "p" }
}

override_module {
  target  = module.firewall_api
  outputs = { web_acl_arn = "arn:aws:wafv2:eu-central-1:210987654321:regional/webacl/a/1", header_of_site = "x-from-site", metric_name = "service-production-regional" }
}

override_module {
  target  = module.firewall_site
  outputs = { web_acl_arn = "arn:aws:wafv2:us-east-1:210987654321:global/webacl/b/1", metric_name = "service-production-cloudfront" }
}

override_module {
  target  = module.monitoring
  outputs = { dashboards = { on_call = "service-production-on-call", developers = "service-production-developers" } }
}

variables {
  system              = "service"
  environment         = "production"
  production          = true
  testing_account_ids = ["123456789012"]
  workspace           = "default"
  groups              = { admins = { role = "admin" } }
  database            = { min_capacity = 1, max_capacity = 16, instances = 2, backup_retention_days = 30 }
  throttling          = { rate = 100, burst = 200 }
  log_retention_days  = 30
  objectives          = {}
}

run "an_environment_without_a_domain" {
  command = plan

  # The environment has its own name and all parts.
  assert {
    condition     = output.name == "service-production" && output.owns_database && length(module.network) == 1 && module.database[0].cluster_identifier == "service-production"
    error_message = "Production must be called service-production, and have its own network and database."
  }

  assert {
    condition     = length(module.site) == 1 && length(module.firewall_site) == 1 && length(module.firewall_api) == 1
    error_message = "The environment must have a site, a firewall in front of the site, and one in front of the API."
  }

  assert {
    condition     = length(terraform_data.secret_of_site) == 1
    error_message = "The firewall in front of the API must know the site's requests by a secret."
  }

  assert {
    condition     = aws_kms_alias.this.name == "alias/service-production" && aws_kms_key.this.enable_key_rotation && aws_kms_key.this.deletion_window_in_days == 30
    error_message = "The environment's key must rotate, and be restorable for 30 days."
  }

  assert {
    condition     = aws_kms_alias.us_east_1[0].name == "alias/service-production-cloudfront" && aws_kms_key.us_east_1[0].enable_key_rotation
    error_message = "The key in us-east-1 must have the environment's name, and rotate."
  }

  assert {
    condition = { for statement in concat(jsondecode(aws_kms_key.this.policy).Statement, jsondecode(aws_kms_key.us_east_1[0].policy).Statement) : "${statement.Sid} ${jsonencode(statement.Principal)}" => jsonencode(try(statement.Condition, null))... } == {
      "Account {\"AWS\":\"arn:aws:iam::210987654321:root\"}"   = ["null", "null"]
      "Logs {\"Service\":\"logs.eu-central-1.amazonaws.com\"}" = [jsonencode({ ArnLike = { "kms:EncryptionContext:aws:logs:arn" = "arn:aws:logs:eu-central-1:210987654321:log-group:*service-production*" } })]
      "Logs {\"Service\":\"logs.us-east-1.amazonaws.com\"}"    = [jsonencode({ ArnLike = { "kms:EncryptionContext:aws:logs:arn" = "arn:aws:logs:us-east-1:210987654321:log-group:*service-production*" } })]
      "Alarms {\"Service\":\"cloudwatch.amazonaws.com\"}"      = [for region in ["eu-central-1", "us-east-1"] : jsonencode({ StringEquals = { "aws:SourceAccount" = "210987654321" } })]
    }
    error_message = "Only this account, the environment's logs in the key's region and its alarms may use the keys."
  }

  # Without a domain nobody can return from the pool to the site.
  assert {
    condition     = !local.signs_in_on_site
    error_message = "The page must not send people to a pool that can't send them back."
  }
}

run "with_a_domain_people_sign_in_on_the_site" {
  command = plan

  variables { domain = { name = "service.example.org", certificate_arn = "arn:aws:acm:us-east-1:210987654321:certificate/1" } }

  assert {
    condition     = local.signs_in_on_site
    error_message = "The page must send people to the pool, which knows the domain."
  }
}

run "an_external_issuer_may_know_any_address_of_the_site" {
  command = plan

  variables { external_issuer = { issuer = "https://login.example.org", audience = "service", groups_claim = "groups", page = { client_id = "page" } } }

  assert {
    condition     = local.signs_in_on_site
    error_message = "The page must send people to the external issuer."
  }
}

run "a_personal_workspace_has_its_own_name_but_no_site_and_no_firewall" {
  command = plan

  variables {
    workspace = "w-ann"
    domain    = { name = "service.example.org", certificate_arn = "arn:aws:acm:us-east-1:210987654321:certificate/1" }
  }

  assert {
    condition     = output.name == "service-production-w-ann" && module.database[0].cluster_identifier == "service-production-w-ann" && aws_kms_alias.this.name == "alias/service-production-w-ann"
    error_message = "A personal workspace must have its own name."
  }

  assert {
    condition     = length(concat(module.site, module.firewall_site, module.firewall_api, aws_kms_key.us_east_1)) == 0 && output.site == null
    error_message = "A personal workspace must have neither site nor firewall."
  }

  assert {
    condition     = output.url == "https://a" && aws_kms_key.this.deletion_window_in_days == 7
    error_message = "A personal workspace must have the API's address, and its key must be deleted after 7 days."
  }
}

run "a_preview_has_a_site_with_its_own_address" {
  command = plan

  variables {
    workspace         = "w-pr-7"
    workspace_purpose = "preview"
    domain            = { name = "service.example.org", certificate_arn = "arn:aws:acm:us-east-1:210987654321:certificate/1" }
  }

  override_resource {
    target          = module.site[0].aws_cloudfront_distribution.this
    override_during = plan
    values          = { domain_name = "d7.cloudfront.net" }
  }

  assert {
    condition     = length(module.site) == 1 && output.url == "https://d7.cloudfront.net" && length(module.firewall_site) == 0 && !local.signs_in_on_site
    error_message = "A preview must have a site, but neither the environment's domain nor a sign-in there."
  }
}

run "a_workspace_on_live_data_uses_the_environments_database" {
  command = plan

  variables {
    workspace         = "d-fix-1"
    workspace_purpose = "debug"
    database_source   = "live"
  }

  assert {
    condition     = length(module.database) == 0 && length(module.network) == 0 && !output.owns_database
    error_message = "A workspace on live data must own neither network nor database."
  }

  assert {
    condition     = data.aws_rds_cluster.live[0].cluster_identifier == "service-production" && data.aws_vpc.live[0].tags == tomap({ Name = "service-production" })
    error_message = "Network and database must be those of the environment."
  }

  assert {
    condition     = { for key, group in data.aws_security_group.live : key => group.name } == { functions = "service-production-functions", database-client = "service-production-database-client" }
    error_message = "The workspace's functions must be in the environment's security groups."
  }
}

run "a_debug_workspace_with_a_clone_has_a_firewall_and_no_site" {
  command = plan

  variables {
    environment         = "development"
    production          = false
    testing_account_ids = ["210987654321"]
    workspace           = "d-fix-1"
    workspace_purpose   = "debug"
    database_source     = "clone"
    database            = { min_capacity = 0.5, max_capacity = 2, instances = 1, backup_retention_days = 1 }
  }

  assert {
    condition     = output.name == "service-development-d-fix-1"
    error_message = "The name must contain environment and workspace. All environments but production may be in a testing account."
  }

  assert {
    condition     = local.database_max_connections == 360
    error_message = "Two units are 450 connections by Aurora's formula. Count on 80 % of them."
  }

  assert {
    condition     = length(module.database) == 1 && length(data.aws_rds_cluster.live) == 0 && output.owns_database
    error_message = "A clone must belong to the workspace."
  }

  assert {
    condition     = length(module.site) == 0 && length(module.firewall_api) == 1
    error_message = "A debug workspace must have no site, but a firewall in front of its API."
  }
}

run "site_and_firewall_can_be_switched_off" {
  command = plan

  variables {
    site     = false
    firewall = false
  }

  assert {
    condition     = length(concat(module.site, module.firewall_site, module.firewall_api, aws_kms_key.us_east_1)) == 0
    error_message = "Site and firewall must be optional."
  }
}

run "the_longest_name_fits" {
  command = plan

  variables {
    system            = "long-distance-orders"
    environment       = "preproduction"
    workspace         = "w-a234567890123456"
    workspace_purpose = "preview"
  }

  assert {
    condition     = output.name == "long-distance-orders-preproduction-w-a234567890123456" && module.database[0].name == "long_distance_orders"
    error_message = "Every name must be short enough for AWS. The database's name must have underscores instead of hyphens."
  }

  assert {
    condition     = local.app_login == "long_distance_orders_app_preproduction_w" && local.migrator_login == "long_distance_orders_migrator_preproduction_w"
    error_message = "The logins must have the names of the system, the environment and the kind, with underscores."
  }
}

run "the_environment_reads_the_secrets_of_its_dependencies" {
  command = plan

  variables {
    egress       = true
    dependencies = { pay = { instance = "https://pay.example.org", access = "read_only", secret = { name = "service/production/pay", functions = ["api"] } } }
  }

  assert {
    condition     = local.dependencies.pay.secret.name == "service/production/pay" && output.dependencies == { pay = { instance = "https://pay.example.org", access = "read_only", exclusive = false } }
    error_message = "The environment must get the secret, and the output must leave it out."
  }
}

run "a_workspace_reads_no_secret_of_a_dependency" {
  command = plan

  variables {
    workspace    = "w-fix-1"
    egress       = true
    dependencies = { pay = { instance = "https://pay.example.org", access = "read_only", secret = { name = "service/production/pay", functions = ["api"] } } }
  }

  assert {
    condition     = local.dependencies.pay.secret == null && local.dependencies.pay.instance == "https://pay.example.org"
    error_message = "A workspace must get the dependencies of its environment, and no secret."
  }
}

run "production_refuses_a_testing_account" {
  command = plan

  variables { testing_account_ids = ["210987654321"] }

  expect_failures = [data.aws_caller_identity.this]
}
