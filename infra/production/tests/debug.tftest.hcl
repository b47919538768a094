# tests/infra/test_environments.py runs this file in the workspace d-fix-1 and checks the plans.

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

  workspace_purpose = "debug"
}

run "clone" {
  command = plan

  variables {
    database_source = "clone"
  }

  assert {
    condition     = module.main.owns_database && module.main.sign_in.user_pool_id == "eu-central-1_environment"
    error_message = "A clone must have its own database, and people must sign in with the environment's pool."
  }

  assert {
    condition     = module.main.name == "${local.tags.system}-production-d-fix-1"
    error_message = "The name must contain environment and workspace."
  }
}

run "live" {
  command = plan

  variables {
    database_source = "live"
  }

  assert {
    condition     = !module.main.owns_database
    error_message = "A workspace on live data must neither bootstrap nor migrate the database: it does not own it."
  }
}
