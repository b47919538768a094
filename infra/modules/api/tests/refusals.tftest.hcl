# Each run gives values that the variables must refuse.

mock_provider "aws" {
  source = "../mocks"
}

variables {
  name                 = "service-production-debug"
  stage                = "production"
  subnet_ids           = ["subnet-1", "subnet-2"]
  security_group_ids   = ["sg-1"]
  issuers              = "[]"
  log_retention_days   = 30
  kms_key_arn          = "arn:aws:kms:eu-central-1:210987654321:key/1"
  throttling           = { rate = 50, burst = 100 }
  schedules_enabled    = false
  reserved_concurrency = 20
  database = {
    host           = "db.example"
    port           = 5432
    name           = "service"
    resource_id    = "cluster-ABC"
    app_login      = "service_app_production"
    migrator_login = "service_migrator_production"
  }
  bootstrap = {
    cluster_arn        = "arn:aws:rds:eu-central-1:210987654321:cluster:service"
    master_secret_arn  = "arn:aws:secretsmanager:eu-central-1:210987654321:secret:master"
    reader_secret_arn  = "arn:aws:secretsmanager:eu-central-1:210987654321:secret:reader"
    secret_kms_key_arn = "arn:aws:kms:eu-central-1:210987654321:key/1"
  }
}

run "a_migrator_without_bootstrap_is_refused" {
  command = plan

  variables { bootstrap = null }

  expect_failures = [var.database]
}

run "values_that_aws_would_refuse_are_refused" {
  command = plan

  variables {
    name                 = "Service"
    stage                = "local"
    subnet_ids           = ["subnet-1"]
    security_group_ids   = []
    issuers              = "{}"
    reserved_concurrency = 0
    log_retention_days   = 2
    throttling           = { rate = 0, burst = 1 }
  }

  expect_failures = [
    var.name, var.stage, var.subnet_ids, var.security_group_ids, var.issuers, var.reserved_concurrency, var.log_retention_days, var.throttling,
  ]
}

run "a_long_name_issuers_without_json_and_a_burst_of_0_are_refused" {
  command = plan

  variables {
    name       = "service-production-a2345678901234567890123456789012345" # 54
    issuers    = "[{]"
    throttling = { rate = 1, burst = 0 }
  }

  expect_failures = [var.name, var.issuers, var.throttling]
}

run "a_secret_of_an_unknown_function_is_refused" {
  command = plan

  variables {
    dependencies = { payments = { instance = "https://pay.example.org", access = "read_only", exclusive = false, secret = { name = "service/production/pay", functions = ["worker"] } } }
  }

  expect_failures = [var.dependencies]
}
