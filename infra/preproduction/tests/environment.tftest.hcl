# tests/infra/test_environments.py runs this file and checks the resources of the plan. An assertion here sees only the
# outputs of the modules that the environment calls.

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
}

run "the_environment" {
  command = plan

  assert {
    condition     = module.main.name == "${local.tags.system}-preproduction" && module.main.owns_database
    error_message = "The environment must have its name and a database of its own."
  }

  assert {
    condition     = local.tags == { system = local.tags.system, environment = "preproduction", workspace = "default", owner = "acme" }
    error_message = "Everything must be tagged with system, environment, workspace and owner."
  }
}
