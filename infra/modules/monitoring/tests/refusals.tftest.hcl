# Each run gives values that the variables must refuse.

mock_provider "aws" {
  source = "../mocks"
}

mock_provider "aws" {
  alias  = "us_east_1"
  source = "../mocks"
}

variables {
  name        = "service-production"
  system      = "service"
  environment = "production"
  kms_key_arn = "arn:aws:kms:eu-central-1:210987654321:key/1"
  notify      = ["ann@example.org", "bob@example.org"]
  api         = { name = "service-production", stage = "production" }
  functions   = { api = { name = "service-production-api", timeout_seconds = 20 }, sweep = { name = "service-production-sweep", timeout_seconds = 300 } }
  log_group   = "/aws/lambda/service-production-api"
  database    = { cluster_identifier = "service-production", max_connections = 2000, log_group = "/aws/rds/cluster/service-production/postgresql" }

  objectives = {
    calls                 = true
    availability          = 0.999
    latency               = { read = { milliseconds = 500, share = 0.99 }, write = { milliseconds = 1000, share = 0.95 } }
    verified_within_hours = 26
    reaped_within_hours   = 10
    swept_within_hours    = 3
    database_gigabytes    = 100
    failed_logins_an_hour = 20
    dollars_a_month       = 400
    silenced              = {}
  }

  firewall_of_api = "service-production-regional"
  site            = { distribution_id = "E1", firewall = "service-production-cloudfront", certificate_arn = "arn:aws:acm:us-east-1:210987654321:certificate/1", kms_key_arn = "arn:aws:kms:us-east-1:210987654321:key/2" }
}

run "wrong_objectives_are_refused" {
  command = plan

  variables {
    objectives = {
      calls                 = true
      availability          = 1
      latency               = { read = { milliseconds = 0, share = 0.99 } }
      verified_within_hours = 2.5
      reaped_within_hours   = 10
      swept_within_hours    = 3
      database_gigabytes    = 0
      failed_logins_an_hour = 20
      dollars_a_month       = 400
      silenced              = { latency = "no" }
    }
    notify   = ["ann@example.org", "bob"]
    database = { cluster_identifier = "service-production", max_connections = 0, log_group = "postgresql" }
  }

  expect_failures = [var.objectives, var.notify, var.database]
}
