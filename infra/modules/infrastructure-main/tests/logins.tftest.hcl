mock_provider "aws" {
  source = "../mocks"
}

mock_provider "aws" {
  alias  = "us_east_1"
  source = "../mocks"
}

# The logins of the functions in the database.
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
  outputs = { web_acl_arn = "arn:aws:wafv2:eu-central-1:210987654321:regional/webacl/a/1", header_of_site = "x-from-site" }
}

override_module {
  target  = module.firewall_site
  outputs = { web_acl_arn = "arn:aws:wafv2:us-east-1:210987654321:global/webacl/b/1" }
}

variables {
  system              = "order-desk"
  environment         = "production"
  production          = true
  testing_account_ids = ["123456789012"]
  workspace           = "default"
  groups              = { admins = { role = "admin" } }
  database            = { min_capacity = 1, max_capacity = 16, instances = 2, backup_retention_days = 30 }
  throttling          = { rate = 100, burst = 200 }
  log_retention_days  = 30
}

run "the_environment" {
  command = plan

  variables {
    workspace = "default"
  }

  assert {
    condition     = local.app_login == "order_desk_app_production" && local.migrator_login == "order_desk_migrator_production"
    error_message = "The environment must have logins with its name."
  }
}

run "a_personal_workspace" {
  command = plan

  variables {
    workspace = "w-ann"
  }

  assert {
    condition     = local.app_login == "order_desk_app_production_w" && local.migrator_login == "order_desk_migrator_production_w"
    error_message = "A personal workspace must have the logins of its kind."
  }
}

run "a_preview" {
  command = plan

  variables {
    workspace         = "w-pr-7"
    workspace_purpose = "preview"
  }

  assert {
    condition     = local.app_login == "order_desk_app_production_w" && local.migrator_login == "order_desk_migrator_production_w"
    error_message = "A preview must have the logins of its kind."
  }
}

run "a_debug_workspace_with_an_empty_database" {
  command = plan

  variables {
    workspace         = "d-fix-1"
    workspace_purpose = "debug"
  }

  assert {
    condition     = local.app_login == "order_desk_app_production_d" && local.migrator_login == "order_desk_migrator_production_d"
    error_message = "A debug workspace must have the logins of its kind."
  }
}

run "a_clone" {
  command = plan

  variables {
    workspace         = "d-fix-1"
    workspace_purpose = "debug"
    database_source   = "clone"
  }

  assert {
    condition     = local.app_login == "order_desk_app_production_d" && local.migrator_login == "order_desk_migrator_production_d"
    error_message = "A clone must not use the logins of the environment, which also exist there."
  }
}

run "live_data" {
  command = plan

  variables {
    workspace         = "d-fix-1"
    workspace_purpose = "debug"
    database_source   = "live"
  }

  assert {
    condition     = local.app_login == "order_desk_app_production" && local.migrator_login == null
    error_message = "A workspace on live data must log in as the environment's service, and not as the migrator."
  }
}
