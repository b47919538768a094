# Each run gives values that the variables must refuse.

mock_provider "aws" {
  source = "../mocks"
}

mock_provider "aws" {
  alias  = "us_east_1"
  source = "../mocks"
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

run "capitals_and_unknown_values_are_refused" {
  command = plan

  variables {
    environment        = "Production"
    workspace          = "w-Fix"
    throttling         = { rate = 0, burst = 10 }
    log_retention_days = 1
  }

  expect_failures = [var.environment, var.workspace, var.throttling, var.log_retention_days]
}

run "a_hyphen_in_an_environment_and_a_workspace_with_17_characters_are_refused" {
  command = plan

  variables {
    environment = "production-a"
    workspace   = "w-a2345678901234567"
    throttling  = { rate = 10, burst = 9 }
  }

  expect_failures = [var.environment, var.workspace, var.throttling]
}

run "an_unknown_purpose_is_refused" {
  command = plan

  variables { workspace_purpose = "leisure" }

  expect_failures = [var.workspace_purpose]
}

run "a_workspace_that_ends_in_a_hyphen_is_refused" {
  command = plan

  variables {
    environment = "p"
    workspace   = "w-fix-"
  }

  expect_failures = [var.environment, var.workspace]
}

run "a_workspace_with_two_hyphens_in_a_row_and_more_functions_than_connections_are_refused" {
  command = plan

  variables {
    workspace            = "w-fix--it"
    reserved_concurrency = 2883
  }

  expect_failures = [var.workspace, var.reserved_concurrency]
}

# If the workspace or its purpose is refused, Terraform does not check the database's source. So the source has separate
# runs.
run "an_unknown_database_source_is_refused" {
  command = plan

  variables {
    workspace         = "d-ann"
    workspace_purpose = "debug"
    database_source   = "copied"
  }

  expect_failures = [var.database_source]
}

run "a_workspace_without_the_letter_of_its_kind_is_refused" {
  command = plan

  variables { workspace = "ann" }

  expect_failures = [var.workspace]
}

run "debugging_in_a_workspace_for_previews_is_refused" {
  command = plan

  variables {
    workspace         = "w-ann"
    workspace_purpose = "debug"
  }

  expect_failures = [var.workspace_purpose]
}

run "a_preview_in_a_workspace_for_debugging_is_refused" {
  command = plan

  variables {
    workspace         = "d-pr-7"
    workspace_purpose = "preview"
  }

  expect_failures = [var.workspace_purpose]
}

run "a_clone_in_a_preview_is_refused" {
  command = plan

  variables {
    workspace         = "w-pr-7"
    workspace_purpose = "preview"
    database_source   = "clone"
  }

  expect_failures = [var.database_source]
}

run "live_data_in_a_personal_workspace_is_refused" {
  command = plan

  variables {
    workspace       = "w-ann"
    database_source = "live"
  }

  expect_failures = [var.database_source]
}

run "a_clone_as_the_environment_itself_is_refused" {
  command = plan

  variables { database_source = "clone" }

  expect_failures = [var.database_source]
}

run "a_name_of_the_system_with_21_characters_is_refused" {
  command = plan

  variables { system = "long-distance-orders1" }

  expect_failures = [var.system]
}

run "a_name_of_the_system_that_cognito_refuses_is_refused" {
  command = plan

  variables { system = "lawsuits" }

  expect_failures = [var.system]
}

run "instances_have_one_spelling" {
  command = plan

  variables {
    dependencies = { orders = { instance = "https://sqs.eu-central-1.amazonaws.com/210987654321/orders", access = "read_only" } }
  }

  expect_failures = [var.dependencies]
}

run "another_spelling_of_an_arn_is_refused" {
  command = plan

  variables {
    dependencies = { orders = { instance = "arn:aws:sqs:eu-central-1:210987654321:orders/", access = "read_only" } }
  }

  expect_failures = [var.dependencies]
}

run "a_dependency_without_instance_and_access_is_refused" {
  command = plan

  variables {
    dependencies = { orders = { instance = null, access = null } }
  }

  expect_failures = [var.dependencies]
}

run "an_unknown_access_is_refused" {
  command = plan

  variables {
    dependencies = { orders = { instance = "https://orders.example.org", access = "write" } }
  }

  expect_failures = [var.dependencies]
}

run "the_secret_of_another_environment_is_refused" {
  command = plan

  variables {
    egress       = true
    dependencies = { pay = { instance = "https://pay.example.org", access = "read_only", secret = { name = "service/development/pay", functions = ["api"] } } }
  }

  expect_failures = [var.dependencies]
}

run "without_egress_a_function_reaches_no_secret" {
  command = plan

  variables {
    dependencies = { pay = { instance = "https://pay.example.org", access = "read_only", secret = { name = "service/production/pay", functions = ["api"] } } }
  }

  expect_failures = [var.dependencies]
}
