# Each run violates one rule of the variables.

mock_provider "aws" {
  override_during = plan

  mock_data "aws_partition" {
    defaults = { partition = "aws" }
  }
  mock_resource "aws_s3_bucket" {
    defaults = { arn = "arn:aws:s3:::service-state-123456789012" }
  }
  mock_resource "aws_iam_role" {
    defaults = { arn = "arn:aws:iam::123456789012:role/mocked" }
  }
  mock_resource "aws_iam_policy" {
    defaults = { arn = "arn:aws:iam::123456789012:policy/mocked" }
  }
  mock_resource "aws_iam_openid_connect_provider" {
    defaults = { arn = "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com" }
  }
}

variables {
  account_id = "123456789012"
  region     = "eu-central-1"
  owner      = "acme"
  system     = "service"

  github = {
    repository          = "acme/service"
    repository_id       = "74"
    repository_owner_id = "65"
  }

  environments = {
    development   = { branch = "development", github_environment = "development", workspaces_github_environment = "development-workspaces" }
    preproduction = { branch = "release/next", github_environment = "preproduction" }
  }

  artifact_reader_account_ids = ["210987654321"]
}

run "an_account_id_with_11_digits_is_refused" {
  command = plan
  variables { account_id = "12345678901" }
  expect_failures = [var.account_id]
}

run "a_zone_instead_of_a_region_is_refused" {
  command = plan
  variables { region = "eu-central-1a" }
  expect_failures = [var.region]
}

run "a_name_with_21_characters_is_refused" {
  command = plan
  variables { system = "long-distance-orders1" }
  expect_failures = [var.system]
}

run "a_name_with_an_underscore_is_refused" {
  command = plan
  variables { system = "long_orders" }
  expect_failures = [var.system]
}

run "a_blank_owner_is_refused" {
  command = plan
  variables { owner = " " }
  expect_failures = [var.owner]
}

run "a_repository_with_a_wildcard_is_refused" {
  command = plan
  variables { github = { repository = "acme/*", repository_id = "74", repository_owner_id = "65" } }
  expect_failures = [var.github]
}

run "a_repository_without_its_id_is_refused" {
  command = plan
  variables { github = { repository = "acme/service", repository_id = "", repository_owner_id = "65" } }
  expect_failures = [var.github]
}

run "an_owner_without_its_id_is_refused" {
  command = plan
  variables { github = { repository = "acme/service", repository_id = "74", repository_owner_id = "acme" } }
  expect_failures = [var.github]
}

run "an_account_without_environments_is_refused" {
  command = plan
  variables { environments = {} }
  expect_failures = [var.environments]
}

run "an_environment_with_a_hyphen_is_refused" {
  command = plan
  variables { environments = { "pre-production" = { branch = "main", github_environment = "main" } } }
  expect_failures = [var.environments]
}

run "an_environment_named_like_the_account_is_refused" {
  command = plan
  variables { environments = { account = { branch = "main", github_environment = "main" } } }
  expect_failures = [var.environments]
}

run "production_beside_another_environment_is_refused" {
  command = plan
  variables {
    environments = {
      production  = { branch = "production", github_environment = "production" }
      development = { branch = "development", github_environment = "development" }
    }
  }
  expect_failures = [var.environments]
}

run "an_environment_whose_name_begins_with_anothers_is_refused" {
  command = plan
  variables {
    environments = {
      test    = { branch = "test", github_environment = "test" }
      testing = { branch = "testing", github_environment = "testing" }
    }
  }
  expect_failures = [var.environments]
}

run "a_branch_with_a_wildcard_is_refused" {
  command = plan
  variables { environments = { development = { branch = "feature/*", github_environment = "development" } } }
  expect_failures = [var.environments]
}

run "a_github_environment_with_a_wildcard_is_refused" {
  command = plan
  variables { environments = { development = { branch = "development", github_environment = "*" } } }
  expect_failures = [var.environments]
}

run "workspaces_in_the_environments_own_github_environment_are_refused" {
  command = plan
  variables {
    environments = { development = { branch = "development", github_environment = "development", workspaces_github_environment = "development" } }
  }
  expect_failures = [var.environments]
}

run "reaping_in_the_workspaces_github_environment_is_refused" {
  command = plan
  variables {
    environments = { development = { branch = "development", github_environment = "development", workspaces_github_environment = "workspaces", reap_github_environment = "workspaces" } }
  }
  expect_failures = [var.environments]
}

run "a_reapers_github_environment_with_a_wildcard_is_refused" {
  command = plan
  variables {
    environments = { development = { branch = "development", github_environment = "development", reap_github_environment = "*" } }
  }
  expect_failures = [var.environments]
}

run "a_whole_account_as_a_developer_is_refused" {
  command = plan
  variables {
    people = { developer = ["arn:aws:iam::333333333333:root"] }
  }
  expect_failures = [var.people]
}

run "an_administrator_with_a_wildcard_is_refused" {
  command = plan
  variables {
    people = { administrator = ["arn:aws:iam::333333333333:user/*"] }
  }
  expect_failures = [var.people]
}

run "a_debug_github_environment_with_a_wildcard_is_refused" {
  command = plan
  variables {
    environments = {
      development = { branch = "development", github_environment = "development", debug_github_environment = "*" }
    }
  }
  expect_failures = [var.environments]
}

run "a_default_branch_with_a_wildcard_is_refused" {
  command = plan
  variables { default_branch = "*" }
  expect_failures = [var.default_branch]
}

run "a_builders_github_environment_with_a_wildcard_is_refused" {
  command = plan
  variables { artifact_builders = { github_environment = "*", branches = ["development"] } }
  expect_failures = [var.artifact_builders]
}

run "a_builders_branch_with_a_wildcard_is_refused" {
  command = plan
  variables { artifact_builders = { github_environment = "artifact", branches = ["development", "*"] } }
  expect_failures = [var.artifact_builders]
}

run "builders_without_a_branch_are_refused" {
  command = plan
  variables { artifact_builders = { github_environment = "artifact", branches = [] } }
  expect_failures = [var.artifact_builders]
}

run "an_artifact_account_without_12_digits_is_refused" {
  command = plan
  variables {
    artifact_account_id         = "testing"
    artifact_reader_account_ids = []
  }
  expect_failures = [var.artifact_account_id]
}

run "an_account_that_is_its_own_artifact_account_is_refused" {
  command = plan
  variables {
    artifact_account_id         = "123456789012"
    artifact_reader_account_ids = []
  }
  expect_failures = [var.artifact_account_id]
}

run "a_reader_account_without_12_digits_is_refused" {
  command = plan
  variables { artifact_reader_account_ids = ["production"] }
  expect_failures = [var.artifact_reader_account_ids]
}

run "readers_are_refused_if_another_account_stores_the_artifacts" {
  command = plan
  variables { artifact_account_id = "999999999999" }
  expect_failures = [var.artifact_reader_account_ids]
}

run "a_retention_of_a_week_is_refused" {
  command = plan
  variables { artifact_retention_days = 7 }
  expect_failures = [var.artifact_retention_days]
}
