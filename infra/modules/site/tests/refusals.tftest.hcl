# Each run gives values that the variables must refuse.

mock_provider "aws" {
  source = "../mocks"
}

variables {
  name            = "service-production"
  account_id      = "210987654321"
  api_domain      = "api1.execute-api.eu-central-1.amazonaws.com"
  api_stage       = "production"
  connect_sources = ["https://service-production-fbc80910.auth.eu-central-1.amazoncognito.com"]
}

run "a_short_account_id_an_origin_with_a_wildcard_a_certificate_elsewhere_and_an_unknown_class_are_refused" {
  command = plan

  variables {
    account_id      = "21098765432"
    connect_sources = ["https://*.example.org"]
    domain          = { name = "service.example.org", certificate_arn = "arn:aws:acm:eu-central-1:210987654321:certificate/1" }
    price_class     = "PriceClass_300"
  }

  expect_failures = [var.account_id, var.connect_sources, var.domain, var.price_class]
}

run "a_bucket_name_with_more_than_63_characters_is_refused" {
  command = plan

  variables { name = "long-distance-orders-preproduction-w-a23456789012345678" } # 55, which makes 64

  expect_failures = [var.name]
}
