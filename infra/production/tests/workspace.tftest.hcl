# tests/infra/test_environments.py runs this file in the workspace w-fix-1 and checks the plans.

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
    condition     = module.main.name == "${local.tags.system}-production-w-fix-1"
    error_message = "The name must contain environment and workspace."
  }

  assert {
    condition     = local.tags == { system = local.tags.system, environment = "production", workspace = "w-fix-1", owner = "ann" }
    error_message = "Everything must be tagged with its workspace and its owner."
  }
}
