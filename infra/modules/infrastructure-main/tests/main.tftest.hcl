mock_provider "aws" {
  override_data {
    target = data.aws_caller_identity.this
    values = { account_id = "210987654321" }
  }
}

mock_provider "aws" {
  alias = "us_east_1"
}

# The modules have tests of their own; here it counts what they are told.
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
    condition     = output.name == "slipway-production" && local.is_protected && local.has_site && local.has_firewall
    error_message = "production is slipway-production, protected, with site and firewall"
  }
}

run "a_personal_workspace_is_named_and_does_without_site_and_firewall" {
  command = plan

  variables { workspace = "ann" }

  assert {
    condition     = output.name == "slipway-production-ann" && !local.is_protected && !local.has_site && !local.has_firewall
    error_message = "a personal workspace carries its name, and is not protected"
  }
}

run "a_preview_has_a_site" {
  command = plan

  variables {
    workspace         = "pr-7"
    workspace_purpose = "preview"
  }

  assert {
    condition     = local.has_site
    error_message = "a preview is looked at"
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
    error_message = "on live data a workspace owns neither network nor database"
  }
}

run "a_clone_is_made" {
  command = plan

  variables {
    workspace         = "fix-1"
    workspace_purpose = "debug"
    database_source   = "clone"
  }

  assert {
    condition     = length(module.database) == 1 && output.owns_database
    error_message = "a clone is the workspace's own"
  }
}

run "live_is_for_debugging_alone" {
  command = plan
  variables {
    workspace       = "ann"
    database_source = "live"
  }
  expect_failures = [var.database_source]
}

run "the_environment_is_no_clone" {
  command = plan
  variables { database_source = "clone" }
  expect_failures = [var.database_source]
}

run "a_workspace_with_a_capital_is_refused" {
  command = plan
  variables { workspace = "Fix" }
  expect_failures = [var.workspace]
}

run "a_workspace_with_17_characters_is_refused" {
  command = plan
  variables { workspace = "a2345678901234567" }
  expect_failures = [var.workspace]
}

run "a_workspace_that_ends_in_a_hyphen_is_refused" {
  command = plan
  variables { workspace = "fix-" }
  expect_failures = [var.workspace]
}

run "a_workspace_with_two_hyphens_in_a_row_is_refused" {
  command = plan
  variables { workspace = "fix--it" }
  expect_failures = [var.workspace]
}

run "a_purpose_that_nobody_knows_is_refused" {
  command = plan
  variables {
    workspace         = "ann"
    workspace_purpose = "leisure"
  }
  expect_failures = [var.workspace_purpose]
}

run "production_refuses_a_testing_account" {
  command = plan
  variables { testing_account_ids = ["210987654321"] }
  expect_failures = [data.aws_caller_identity.this]
}

run "more_functions_than_connections_are_refused" {
  command = plan
  variables { reserved_concurrency = 5000 }
  expect_failures = [var.reserved_concurrency]
}
