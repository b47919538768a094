# What is yours: replace it when you copy the repository, here and in testing.s3.tfbackend.
account_id = "123456789012"
region     = "eu-central-1"
owner      = "slipway"

github = {
  repository          = "acme/slipway"
  repository_id       = "74"
  repository_owner_id = "65"
}

environments = {
  development = {
    branch                        = "development"
    github_environment            = "development"
    workspaces_github_environment = "development-workspaces"
    reap_github_environment       = "development-reap"
  }
  preproduction = {
    branch                        = "preproduction"
    github_environment            = "preproduction"
    workspaces_github_environment = "preproduction-workspaces"
    reap_github_environment       = "preproduction-reap"
  }
}

artifact_reader_account_ids = ["210987654321"]
