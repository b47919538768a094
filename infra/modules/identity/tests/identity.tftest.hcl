mock_provider "aws" {
  source = "../mocks"
}

variables {
  name                = "slipway-production"
  account_id          = "210987654321"
  audience            = "slipway-production"
  callback_urls       = ["https://slipway.example.org/"]
  deletion_protection = true
  groups = {
    everybody   = { role = "viewer" }
    maintainers = { role = "maintainer", systems = ["all"] }
    payments    = { role = "pipeline", systems = ["payments", "ledger"] }
  }
}

run "a_pool_of_its_own" {
  assert {
    condition     = one(aws_cognito_user_pool.this).name == "slipway-production" && one(aws_cognito_user_pool.this).deletion_protection == "ACTIVE" && output.user_pool_id == "eu-central-1_own"
    error_message = "The pool is the environment's, and refuses to be deleted."
  }

  assert {
    condition     = one(one(aws_cognito_user_pool.this).admin_create_user_config).allow_admin_create_user_only && one(one(aws_cognito_user_pool.this).password_policy).minimum_length == 14
    error_message = "Nobody signs up by themselves, and passwords are long."
  }

  assert {
    condition     = output.sign_in_url == "https://slipway-production-210987654321.auth.eu-central-1.amazoncognito.com"
    error_message = "People sign in at a domain that nobody else in the world has."
  }

  assert {
    condition     = { for name, group in aws_cognito_user_group.this : name => group.description } == { everybody = "viewer", maintainers = "maintainer of all", payments = "pipeline of payments, ledger" }
    error_message = "There is a group for each that is named, and it says what it may do."
  }

  assert {
    condition = (
      !one(aws_cognito_user_pool_client.this).generate_secret && one(aws_cognito_user_pool_client.this).allowed_oauth_flows == toset(["code"]) &&
      one(aws_cognito_user_pool_client.this).callback_urls == toset(["https://slipway.example.org/"]) && one(aws_cognito_user_pool_client.this).explicit_auth_flows == toset(["ALLOW_REFRESH_TOKEN_AUTH"])
    )
    error_message = "The dashboard's client is public: no secret, the code flow alone, no password by API, and back to where it is told."
  }

  assert {
    condition = jsondecode(output.issuers) == [
      { kind = "github-actions", issuer = "https://token.actions.githubusercontent.com", audience = "slipway-production", algorithm = "RS256" },
      {
        kind           = "people"
        issuer         = "https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_own"
        audience       = "own-client"
        audience_claim = "client_id"
        algorithm      = "RS256"
        groups_claim   = "cognito:groups"
        groups = {
          everybody   = { role = "viewer" }
          maintainers = { role = "maintainer", systems = "all" }
          payments    = { role = "pipeline", systems = ["payments", "ledger"] }
        }
      },
    ]
    error_message = "GitHub's tokens for this stage are trusted, and the pool's."
  }
}

run "a_debug_workspace_trusts_the_pool_of_its_environment" {
  variables {
    name                = "slipway-production-fix-1"
    pool_of             = "slipway-production"
    deletion_protection = false
  }

  assert {
    condition     = length(concat(aws_cognito_user_pool.this, aws_cognito_user_pool_client.this, aws_cognito_user_pool_domain.this)) == 0 && length(aws_cognito_user_group.this) == 0
    error_message = "It makes no pool of its own."
  }

  assert {
    condition     = data.aws_cognito_user_pools.environment[0].name == "slipway-production" && output.user_pool_id == "eu-central-1_environment" && output.client_id == "client-of-the-environment"
    error_message = "The pool is the environment's, found by its name."
  }

  assert {
    condition = [for issuer in jsondecode(output.issuers) : [issuer.issuer, issuer.audience]] == [
      ["https://token.actions.githubusercontent.com", "slipway-production"],
      ["https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_environment", "client-of-the-environment"],
    ]
    error_message = "A token that is for the environment is for the workspace too."
  }

  assert {
    condition     = output.sign_in_url == null
    error_message = "It has no sign-in of its own."
  }
}

run "an_issuer_from_outside" {
  variables {
    external_issuer = { issuer = "https://login.example.org/realms/one", audience = "slipway", algorithm = "ES256", groups_claim = "groups" }
  }

  assert {
    condition     = length(aws_cognito_user_pool.this) == 0 && length(data.aws_cognito_user_pools.environment) == 0 && output.user_pool_id == null && output.client_id == null && output.sign_in_url == null
    error_message = "With an issuer from outside there is no pool, of this or another environment."
  }

  assert {
    condition = jsondecode(output.issuers)[1] == {
      kind           = "people"
      issuer         = "https://login.example.org/realms/one"
      audience       = "slipway"
      audience_claim = "aud"
      algorithm      = "ES256"
      groups_claim   = "groups"
      groups = {
        everybody   = { role = "viewer" }
        maintainers = { role = "maintainer", systems = "all" }
        payments    = { role = "pipeline", systems = ["payments", "ledger"] }
      }
    }
    error_message = "The issuer is trusted as it is told, with the groups."
  }
}

run "a_workspace_s_pool_goes_with_it" {
  command = plan

  variables { deletion_protection = false }

  assert {
    condition     = one(aws_cognito_user_pool.this).deletion_protection == "INACTIVE"
    error_message = "Where nothing is protected the pool can be deleted."
  }
}

run "a_domain_that_cognito_does_not_take_is_refused" {
  command = plan

  variables { name = "slipway-development-laws" }

  expect_failures = [aws_cognito_user_pool_domain.this]
}

run "an_environment_without_a_pool_has_no_debug_workspaces" {
  command = plan

  variables { pool_of = "slipway-production" }

  override_data {
    target = data.aws_cognito_user_pools.environment
    values = { ids = [] }
  }

  expect_failures = [data.aws_cognito_user_pools.environment]
}

run "two_pools_of_one_name_are_not_chosen_from" {
  command = plan

  variables { pool_of = "slipway-production" }

  override_data {
    target = data.aws_cognito_user_pools.environment
    values = { ids = ["eu-central-1_one", "eu-central-1_other"] }
  }

  expect_failures = [data.aws_cognito_user_pools.environment]
}

run "a_group_without_a_role_an_issuer_without_tls_and_a_callback_elsewhere_are_refused" {
  command = plan

  variables {
    groups          = { everybody = { role = "reader" } }
    external_issuer = { issuer = "http://login.example.org", audience = "slipway", groups_claim = "groups" }
    callback_urls   = ["https://slipway.example.org/", "http://localhost.example.org/"]
  }

  expect_failures = [var.groups, var.external_issuer, var.callback_urls]
}

run "no_group_and_a_shared_key_are_refused" {
  command = plan

  variables {
    groups          = {}
    external_issuer = { issuer = "https://login.example.org", audience = "slipway", algorithm = "HS256", groups_claim = "groups" }
  }

  expect_failures = [var.groups, var.external_issuer]
}

run "a_maintainer_of_nothing_is_refused" {
  command = plan

  variables { groups = { maintainers = { role = "maintainer" } } }

  expect_failures = [var.groups]
}

run "a_viewer_of_one_system_is_refused" {
  command = plan

  variables { groups = { everybody = { role = "viewer", systems = ["payments"] } } }

  expect_failures = [var.groups]
}
