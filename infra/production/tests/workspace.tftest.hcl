# tests/infra/test_environments.py runs this file in the workspace fix-1 and checks the plans.

mock_provider "aws" {
  source          = "../modules/mocks"
  override_during = plan
}

mock_provider "aws" {
  alias           = "us_east_1"
  source          = "../modules/mocks"
  override_during = plan
}

variables {
  notify = ["ann@example.org"]
  owner  = "ann"
}

run "personal" {
  command = plan

  assert {
    condition     = module.main.name == "${local.tags.system}-production-fix-1"
    error_message = "The name must contain environment and workspace."
  }

  assert {
    condition     = local.tags == { system = local.tags.system, environment = "production", workspace = "fix-1", owner = "ann" }
    error_message = "Everything must be tagged with its workspace and its owner."
  }
}

run "clone" {
  command = plan

  variables {
    workspace_purpose = "debug"
    database_source   = "clone"
  }

  assert {
    condition     = module.main.owns_database && module.main.sign_in.user_pool_id == "eu-central-1_environment"
    error_message = "A clone must have its own database, and people must sign in with the environment's pool."
  }
}

run "live" {
  command = plan

  variables {
    workspace_purpose = "debug"
    database_source   = "live"
  }

  assert {
    condition     = !module.main.owns_database
    error_message = "A workspace on live data must neither bootstrap nor migrate the database: it does not own it."
  }
}
