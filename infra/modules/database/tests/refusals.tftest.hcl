# Each run gives values that the variables must refuse.

mock_provider "aws" {
  source = "../mocks"
}

variables {
  name                  = "service-production"
  database_name         = "service"
  vpc_id                = "vpc-1"
  subnet_ids            = ["subnet-1", "subnet-2"]
  kms_key_arn           = "arn:aws:kms:eu-central-1:210987654321:key/1"
  min_capacity          = 1
  max_capacity          = 16
  instances             = 2
  backup_retention_days = 30
  deletion_protection   = true
  log_retention_days    = 365
}

run "sizes_below_auroras_limits_are_refused" {
  command = plan

  variables {
    name                  = "service--production"
    database_name         = "service-production"
    subnet_ids            = ["subnet-1"]
    engine_version        = "15"
    min_capacity          = -0.5
    instances             = 0
    backup_retention_days = 0
  }

  expect_failures = [var.name, var.database_name, var.subnet_ids, var.engine_version, var.min_capacity, var.instances, var.backup_retention_days]
}

run "sizes_above_auroras_limits_are_refused" {
  command = plan

  variables {
    name                  = "service-production-a2345678901234567890123456789012345" # 54
    engine_version        = "160"
    min_capacity          = 0.25
    instances             = 4
    backup_retention_days = 36
  }

  expect_failures = [var.name, var.engine_version, var.min_capacity, var.instances, var.backup_retention_days]
}

# If the minimum is wrong, Terraform does not check the maximum, because the rule compares both. So the maximum has
# separate runs.
run "a_maximum_of_half_a_unit_is_refused" {
  command = plan

  variables {
    min_capacity = 0
    max_capacity = 0.5
  }

  expect_failures = [var.max_capacity]
}

run "a_maximum_above_256_units_is_refused" {
  command = plan

  variables { max_capacity = 257 }

  expect_failures = [var.max_capacity]
}

run "a_maximum_below_the_minimum_is_refused" {
  command = plan

  variables { min_capacity = 32 }

  expect_failures = [var.max_capacity]
}
