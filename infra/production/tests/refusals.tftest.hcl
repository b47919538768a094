# Each run gives values that the variables must refuse.

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

run "an_account_id_with_11_digits_and_a_blank_owner_are_refused" {
  command = plan

  variables {
    account_id = "21098765432"
    owner      = " "
  }

  expect_failures = [var.account_id, var.owner]
}
