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

run "an_environment_has_its_own_pool" {
  assert {
    condition     = one(aws_cognito_user_pool.this).name == "service-production" && one(aws_cognito_user_pool.this).deletion_protection == "ACTIVE" && output.user_pool_id == "eu-central-1_own"
    error_message = "The pool must have the environment's name and be protected from deletion."
  }

  assert {
    condition     = one(one(aws_cognito_user_pool.this).admin_create_user_config).allow_admin_create_user_only && one(one(aws_cognito_user_pool.this).password_policy).minimum_length == 14
    error_message = "Nobody may sign up without an administrator, and passwords must be long."
  }

  assert {
    condition     = one(aws_cognito_user_pool.this).mfa_configuration == "ON" && one(one(aws_cognito_user_pool.this).software_token_mfa_configuration).enabled
    error_message = "People must sign in with a second factor, and an authenticator app must be one."
  }

  assert {
    condition     = output.sign_in_url == "https://service-production-fbc80910.auth.eu-central-1.amazoncognito.com"
    error_message = "The sign-in domain must be unique in the world."
  }

  assert {
    condition     = jsondecode(output.sign_in) == { authority = "https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_own", client_id = "own-client", scope = "openid profile" }
    error_message = "The page must send people to the pool's issuer, as its public client."
  }

  assert {
    condition     = output.sign_in_origins == tolist(["https://service-production-fbc80910.auth.eu-central-1.amazoncognito.com", "https://cognito-idp.eu-central-1.amazonaws.com"])
    error_message = "The page must reach the pool's description and its tokens."
  }

  assert {
    condition     = { for name, group in aws_cognito_user_group.this : name => group.description } == { everybody = "viewer", maintainers = "maintainer of all", payments = "pipeline of payments, ledger" }
    error_message = "Each named group must exist, and the group's description must name its role and systems."
  }

  assert {
    condition = (
      !one(aws_cognito_user_pool_client.this).generate_secret && one(aws_cognito_user_pool_client.this).allowed_oauth_flows == toset(["code"]) &&
      one(aws_cognito_user_pool_client.this).allowed_oauth_scopes == toset(["openid", "profile"]) &&
      one(aws_cognito_user_pool_client.this).callback_urls == toset(["https://service.example.org/"]) && one(aws_cognito_user_pool_client.this).explicit_auth_flows == toset(["ALLOW_REFRESH_TOKEN_AUTH"])
    )
    error_message = "The dashboard's client must be public: no secret, only the code flow, no password by API, only the given callbacks."
  }

  assert {
    condition = jsondecode(output.issuers) == [
      { kind = "github-actions", issuer = "https://token.actions.githubusercontent.com", audience = "service-production", algorithm = "RS256" },
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
    error_message = "The stage must trust GitHub's tokens with its audience, and the pool's tokens."
  }
}

run "the_longest_name_fits" {
  variables { name = "long-distance-orders-preproduction-w-a234567890123456" } # 53

  assert {
    condition     = length(local.domain) <= 63
    error_message = "Cognito allows 63 characters for a sign-in domain."
  }
}

run "a_debug_workspace_trusts_the_pool_of_its_environment" {
  variables {
    name                = "service-production-fix-1"
    pool_of             = "service-production"
    deletion_protection = false
  }

  assert {
    condition     = length(concat(aws_cognito_user_pool.this, aws_cognito_user_pool_client.this, aws_cognito_user_pool_domain.this)) == 0 && length(aws_cognito_user_group.this) == 0
    error_message = "A debug workspace must not create a pool."
  }

  assert {
    condition     = data.aws_cognito_user_pools.environment[0].name == "service-production" && output.user_pool_id == "eu-central-1_environment" && output.client_id == "client-of-the-environment"
    error_message = "The pool must be the environment's pool, found by its name."
  }

  assert {
    condition = [for issuer in jsondecode(output.issuers) : [issuer.issuer, issuer.audience]] == [
      ["https://token.actions.githubusercontent.com", "service-production"],
      ["https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_environment", "client-of-the-environment"],
    ]
    error_message = "The workspace must trust the same tokens as the environment."
  }

  assert {
    condition     = output.sign_in_url == null && output.sign_in == null && length(output.sign_in_origins) == 0
    error_message = "The workspace must not have a sign-in page."
  }
}

run "an_external_issuer" {
  variables {
    external_issuer = { issuer = "https://login.example.org/realms/one", audience = "service", algorithm = "ES256", groups_claim = "groups" }
  }

  assert {
    condition     = length(aws_cognito_user_pool.this) == 0 && length(data.aws_cognito_user_pools.environment) == 0 && output.user_pool_id == null && output.client_id == null && output.sign_in_url == null && output.sign_in == null && length(output.sign_in_origins) == 0
    error_message = "With an external issuer, no pool may be created or looked up."
  }

  assert {
    condition = jsondecode(output.issuers)[1] == {
      kind           = "people"
      issuer         = "https://login.example.org/realms/one"
      audience       = "service"
      audience_claim = "aud"
      algorithm      = "ES256"
      groups_claim   = "groups"
      groups = {
        everybody   = { role = "viewer" }
        maintainers = { role = "maintainer", systems = "all" }
        payments    = { role = "pipeline", systems = ["payments", "ledger"] }
      }
    }
    error_message = "The stage must trust the given issuer, with the groups."
  }
}

run "people_sign_in_on_the_page_at_an_external_issuer" {
  variables {
    external_issuer = {
      issuer       = "https://login.example.org/realms/one"
      audience     = "service"
      groups_claim = "groups"
      page         = { client_id = "service-page", origins = ["https://tokens.example.org"] }
    }
  }

  assert {
    condition     = jsondecode(output.sign_in) == { authority = "https://login.example.org/realms/one", client_id = "service-page", scope = "openid profile" }
    error_message = "The page must send people to the given issuer, as the given client."
  }

  assert {
    condition     = output.sign_in_origins == tolist(["https://login.example.org", "https://tokens.example.org"])
    error_message = "The page must reach the issuer, and the other given origins."
  }

  assert {
    condition     = !contains(keys(jsondecode(output.issuers)[1]), "page")
    error_message = "The settings of the issuers must not have the page's settings, which the service refuses there."
  }
}

run "a_workspaces_pool_can_be_destroyed_and_may_do_without_a_second_factor" {
  command = plan

  variables {
    deletion_protection = false
    requires_mfa        = false
  }

  assert {
    condition     = one(aws_cognito_user_pool.this).deletion_protection == "INACTIVE"
    error_message = "Without protection, the pool must be deletable."
  }

  assert {
    condition     = one(aws_cognito_user_pool.this).mfa_configuration == "OPTIONAL"
    error_message = "If no second factor is required, people must still be able to add one."
  }
}

run "a_domain_that_cognito_refuses_is_refused" {
  command = plan

  variables { name = "service-development-laws" }

  expect_failures = [aws_cognito_user_pool_domain.this]
}

run "an_environment_without_a_pool_has_no_debug_workspaces" {
  command = plan

  variables { pool_of = "service-production" }

  override_data {
    target = data.aws_cognito_user_pools.environment
    values = { ids = [] }
  }

  expect_failures = [data.aws_cognito_user_pools.environment]
}

run "two_pools_with_one_name_are_refused" {
  command = plan

  variables { pool_of = "service-production" }

  override_data {
    target = data.aws_cognito_user_pools.environment
    values = { ids = ["eu-central-1_one", "eu-central-1_other"] }
  }

  expect_failures = [data.aws_cognito_user_pools.environment]
}
