# `make policy` runs this file with each account's .tfvars.json, and checks the plan against infra/policy.

mock_provider "aws" {
  source          = "../modules/mocks"
  override_during = plan
}

run "the_account" {
  command = plan
}
