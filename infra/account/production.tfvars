# What is yours: replace it when you copy the repository, here and in production.s3.tfbackend.
account_id = "210987654321"
region     = "eu-central-1"
owner      = "slipway"

github = {
  repository          = "acme/slipway"
  repository_id       = "74"
  repository_owner_id = "65"
}

environments = {
  production = {
    branch                        = "production"
    github_environment            = "production"
    workspaces_github_environment = "production-workspaces"
    reap_github_environment       = "production-reap"
  }
}

artifact_account_id = "123456789012"
