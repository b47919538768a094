# Each run gives values that the variables must refuse.

mock_provider "aws" {
  source = "../mocks"
}

variables {
  name                = "service-production"
  account_id          = "210987654321"
  audience            = "service-production"
  callback_urls       = ["https://service.example.org/"]
  requires_mfa        = true
  deletion_protection = true
  groups = {
    everybody   = { role = "viewer" }
    maintainers = { role = "maintainer", systems = ["all"] }
    payments    = { role = "pipeline", systems = ["payments", "ledger"] }
  }
}

run "an_unknown_role_an_issuer_without_tls_and_a_callback_without_tls_are_refused" {
  command = plan

  variables {
    groups          = { everybody = { role = "reader" } }
    external_issuer = { issuer = "http://login.example.org", audience = "service", groups_claim = "groups" }
    callback_urls   = ["https://service.example.org/", "http://localhost.example.org/"]
  }

  expect_failures = [var.groups, var.external_issuer, var.callback_urls]
}

run "no_group_and_an_algorithm_with_a_shared_key_are_refused" {
  command = plan

  variables {
    groups          = {}
    external_issuer = { issuer = "https://login.example.org", audience = "service", algorithm = "HS256", groups_claim = "groups" }
  }

  expect_failures = [var.groups, var.external_issuer]
}

run "a_maintainer_without_systems_is_refused" {
  command = plan

  variables { groups = { maintainers = { role = "maintainer" } } }

  expect_failures = [var.groups]
}

run "a_viewer_of_one_system_is_refused" {
  command = plan

  variables { groups = { everybody = { role = "viewer", systems = ["payments"] } } }

  expect_failures = [var.groups]
}
