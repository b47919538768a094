# Each run gives values that the variables must refuse.

mock_provider "aws" {
  source = "../mocks"
}

variables {
  name               = "service-development"
  log_retention_days = 14
  kms_key_arn        = "arn:aws:kms:eu-central-1:210987654321:key/1"
}

run "a_name_with_capitals_a_wrong_range_and_one_zone_are_refused" {
  command = plan

  variables {
    name  = "Service"
    cidr  = "10.0.0.0/15"
    zones = 1
  }

  expect_failures = [var.name, var.cidr, var.zones]
}

run "a_long_name_a_small_range_and_four_zones_are_refused" {
  command = plan

  variables {
    name  = "service-production-a2345678901234567890123456789012345" # 54
    cidr  = "10.0.0.0/23"
    zones = 4
  }

  expect_failures = [var.name, var.cidr, var.zones]
}
