# Each run gives values that the variables must refuse.

mock_provider "aws" {
  source = "../mocks"
}

variables {
  name               = "service-production"
  log_retention_days = 365
  kms_key_arn        = "arn:aws:kms:eu-central-1:210987654321:key/1"
}

run "an_unknown_scope_and_a_limit_below_100_are_refused" {
  command = plan

  variables {
    scope      = "GLOBAL"
    rate_limit = 99
  }

  expect_failures = [var.scope, var.rate_limit]
}

run "a_regional_firewall_without_a_stage_and_a_limit_above_wafs_are_refused" {
  command = plan

  variables {
    scope      = "REGIONAL"
    rate_limit = 2000000001
  }

  expect_failures = [var.resource_arn, var.rate_limit]
}

run "a_firewall_of_cloudfront_with_a_stage_or_a_secret_is_refused" {
  command = plan

  variables {
    scope        = "CLOUDFRONT"
    resource_arn = "arn:aws:apigateway:eu-central-1::/restapis/api1/stages/production"
    site         = { secret = "6f1c9a52" }
  }

  expect_failures = [var.resource_arn, var.site]
}
