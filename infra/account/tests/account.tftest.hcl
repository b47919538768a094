# Only plan: a test that applies ends with a destroy, which the buckets refuse.
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
    development = {
      branch                        = "development"
      github_environment            = "development"
      workspaces_github_environment = "development-workspaces"
      debug_github_environment      = "development-debug"
      reap_github_environment       = "development-reap"
      reap_debug_github_environment = "development-reap-debug"
      verify_github_environment     = "development-verify"
    }
    preproduction = { branch = "release/next", github_environment = "preproduction" }
  }

  artifact_reader_account_ids = ["210987654321"]
}

# tests/infra/test_walls.py asks what each role can reach, and what it can't. These runs are about roles and their trust.
run "an_account" {
  command = plan

  # A pipeline applies its environment from its branch in its GitHub environment.
  assert {
    condition     = keys(aws_iam_role.apply) == ["apply-development", "apply-preproduction", "debug-development", "reap-debug-development", "reap-development", "workspaces-development"]
    error_message = "Each environment must have a role to apply it, and roles for its workspaces if GitHub environments are named for them."
  }

  assert {
    condition = jsondecode(aws_iam_role.apply["apply-preproduction"].assume_role_policy).Statement[0].Condition == {
      StringEquals = {
        "token.actions.githubusercontent.com:aud" = "sts.amazonaws.com"
        "token.actions.githubusercontent.com:sub" = [
          "repo:acme/service:environment:preproduction",
          "repo:acme@65/service@74:environment:preproduction",
        ]
        "token.actions.githubusercontent.com:repository_id" = "74"
        "token.actions.githubusercontent.com:environment"   = "preproduction"
        "token.actions.githubusercontent.com:ref"           = "refs/heads/release/next"
      }
    }
    error_message = "Only jobs on preproduction's branch and in its GitHub environment may apply preproduction."
  }

  # The default branch manages workspaces in separate GitHub environments.
  assert {
    condition = jsondecode(aws_iam_role.apply["workspaces-development"].assume_role_policy).Statement[0].Condition == {
      StringEquals = {
        "token.actions.githubusercontent.com:aud" = "sts.amazonaws.com"
        "token.actions.githubusercontent.com:sub" = [
          "repo:acme/service:environment:development-workspaces",
          "repo:acme@65/service@74:environment:development-workspaces",
        ]
        "token.actions.githubusercontent.com:repository_id" = "74"
        "token.actions.githubusercontent.com:environment"   = "development-workspaces"
        "token.actions.githubusercontent.com:ref"           = "refs/heads/development"
      }
    }
    error_message = "Only jobs on the default branch and in the workspaces' GitHub environment may create previews."
  }

  assert {
    condition = jsondecode(aws_iam_role.apply["debug-development"].assume_role_policy).Statement[0].Condition == {
      StringEquals = {
        "token.actions.githubusercontent.com:aud" = "sts.amazonaws.com"
        "token.actions.githubusercontent.com:sub" = [
          "repo:acme/service:environment:development-debug",
          "repo:acme@65/service@74:environment:development-debug",
        ]
        "token.actions.githubusercontent.com:repository_id" = "74"
        "token.actions.githubusercontent.com:environment"   = "development-debug"
        "token.actions.githubusercontent.com:ref"           = "refs/heads/development"
      }
    }
    error_message = "Only jobs on the default branch and in the debug workspaces' GitHub environment may create debug workspaces."
  }

  assert {
    condition = jsondecode(aws_iam_role.apply["reap-development"].assume_role_policy).Statement[0].Condition == {
      StringEquals = {
        "token.actions.githubusercontent.com:aud" = "sts.amazonaws.com"
        "token.actions.githubusercontent.com:sub" = [
          "repo:acme/service:environment:development-reap",
          "repo:acme@65/service@74:environment:development-reap",
        ]
        "token.actions.githubusercontent.com:repository_id" = "74"
        "token.actions.githubusercontent.com:environment"   = "development-reap"
        "token.actions.githubusercontent.com:ref"           = "refs/heads/development"
      }
    }
    error_message = "Only jobs on the default branch and in the reaper's GitHub environment may reap."
  }

  assert {
    condition = jsondecode(aws_iam_role.apply["reap-debug-development"].assume_role_policy).Statement[0].Condition == {
      StringEquals = {
        "token.actions.githubusercontent.com:aud" = "sts.amazonaws.com"
        "token.actions.githubusercontent.com:sub" = [
          "repo:acme/service:environment:development-reap-debug",
          "repo:acme@65/service@74:environment:development-reap-debug",
        ]
        "token.actions.githubusercontent.com:repository_id" = "74"
        "token.actions.githubusercontent.com:environment"   = "development-reap-debug"
        "token.actions.githubusercontent.com:ref"           = "refs/heads/development"
      }
    }
    error_message = "Only jobs in a GitHub environment of its own may reap debug workspaces."
  }

  # Only jobs that run by schedule or after a deployment count their runs.
  assert {
    condition     = keys(aws_iam_role_policy.counting) == ["apply-development", "apply-preproduction", "reap-debug-development", "reap-development", "verify-development"]
    error_message = "Pipelines, reapers and the daily verification must count their runs, and no other job."
  }

  assert {
    condition = jsondecode(aws_iam_role.verify["development"].assume_role_policy).Statement[0].Condition == {
      StringEquals = {
        "token.actions.githubusercontent.com:aud" = "sts.amazonaws.com"
        "token.actions.githubusercontent.com:sub" = [
          "repo:acme/service:environment:development-verify",
          "repo:acme@65/service@74:environment:development-verify",
        ]
        "token.actions.githubusercontent.com:repository_id" = "74"
        "token.actions.githubusercontent.com:environment"   = "development-verify"
        "token.actions.githubusercontent.com:ref"           = "refs/heads/development"
      }
    }
    error_message = "Only jobs on the default branch and in the verification's GitHub environment may take its role."
  }

  # The reapers create nothing.
  # A destroy needs these actions, although their names do not say that they remove something.
  assert {
    condition = toset([for action in flatten([for key, policy in aws_iam_policy.applying : [
      for statement in jsondecode(policy.policy).Statement : statement.Action if !strcontains(statement.Sid, "State")
      ] if startswith(key, "reap-")]) : action if !can(regex("^[a-z0-9-]+:(Delete|Detach|Disassociate|Get|List|Describe|Release|Remove|Revoke|ScheduleKeyDeletion)[A-Za-z]*$", action))
      ]) == toset([
      "apigateway:DELETE", "apigateway:PATCH", "apigateway:SetWebACL", "cloudfront:UpdateDistribution", "s3:PutBucketOwnershipControls", "s3:PutBucketPublicAccessBlock",
      "s3:PutBucketVersioning", "s3:PutEncryptionConfiguration", "s3:PutLifecycleConfiguration",
    ])
    error_message = "A role that reaps must only have the actions of a destroy."
  }

  # A tag says whose resource it is. Without the tag, another role could take the resource.
  assert {
    condition     = alltrue([for key, policy in aws_iam_policy.applying : !can(regex("Tag(s|Resource|Role|LogGroup)?\"|/tags/", policy.policy)) if startswith(key, "reap-")])
    error_message = "A role that reaps must not remove tags."
  }

  assert {
    condition = length(setsubtract(local.destroying, flatten([for pair in setproduct(["workspaces", "debug"], local.subjects) : [
      for statement in jsondecode(aws_iam_policy.applying["${pair[0]}-development-${pair[1]}"].policy).Statement : statement.Action
    ] if pair[1] != "monitoring"]))) == 0
    error_message = "Each action in destroying.tf must be in a statement of a role that creates workspaces. Otherwise no role gets the action."
  }

  # A pull request plans.
  assert {
    condition = jsondecode(aws_iam_role.plan.assume_role_policy).Statement[0].Condition == {
      StringEquals = {
        "token.actions.githubusercontent.com:aud"           = "sts.amazonaws.com"
        "token.actions.githubusercontent.com:sub"           = ["repo:acme/service:pull_request", "repo:acme@65/service@74:pull_request"]
        "token.actions.githubusercontent.com:repository_id" = "74"
      }
    }
    error_message = "Only pull requests of this repository may plan."
  }

  assert {
    condition     = toset(keys(aws_iam_role_policy_attachment.plan)) == toset(["reading", "planning"])
    error_message = "The role that plans must have only the policies for reading."
  }

  assert {
    condition = alltrue([for action in flatten([for policy in [aws_iam_policy.reading, aws_iam_policy.planning] :
      [for statement in jsondecode(policy.policy).Statement : statement.Action]
    ]) : can(regex("^([a-z0-9-]+:(Get|List|Describe)[A-Za-z]+|apigateway:GET|budgets:ViewBudget)$", action))])
    error_message = "The role that plans must only read."
  }

  assert {
    condition = alltrue([for secret in [
      "s3:GetObjectVersion", "secretsmanager:GetSecretValue", "ssm:", "kms:Decrypt", "logs:GetLogEvents", "logs:FilterLogEvents", "rds-data:", "rds-db:",
      "cloudfront-keyvaluestore:", "cognito-idp:ListUsers", "cognito-idp:AdminGetUser", "dynamodb:",
    ] : !strcontains("${aws_iam_policy.reading.policy}${aws_iam_policy.planning.policy}", secret)])
    error_message = "The role that plans must read neither secrets nor data."
  }

  # A statement names its limits.
  # A statement may name every resource if tags limit it. It may also do so if AWS has no resources and the name says
  # so.
  assert {
    condition = alltrue([for statement in flatten([for policy in values(aws_iam_policy.applying) : jsondecode(policy.policy).Statement]) :
      !contains(flatten([statement.Resource]), "*") || endswith(statement.Sid, "Numbers") || try(statement.Condition.StringEquals["aws:RequestTag/environment"], "") != ""
    ])
    error_message = "A statement on every resource must be limited by a tag of the request, or end in Numbers."
  }

  assert {
    condition = alltrue([for subject in ["network", "database", "api", "site", "monitoring"] : alltrue([
      for statement in jsondecode(aws_iam_policy.applying["apply-development-${subject}"].policy).Statement :
      endswith(statement.Sid, "Numbers") || contains(["DatabaseGroupsOfAws", "MasterPassword", "FirewallRulesOfAws"], statement.Sid)
      || alltrue([for arn in flatten([statement.Resource]) : strcontains(arn, "service-development")])
      || try(statement.Condition.StringEquals["aws:ResourceTag/environment"], "") == "development"
      || try(statement.Condition.StringEquals["aws:RequestTag/environment"], "") == "development"
      || try(statement.Condition.StringEqualsIfExists["aws:ResourceTag/environment"], "") == "development"
    ])])
    error_message = "A statement that is limited neither by name nor by tag must end in Numbers."
  }

  # Nobody takes a role by default.
  assert {
    condition     = length(aws_iam_role.people) == 0 && length(aws_iam_policy.watching) == 1
    error_message = "Without members no role may exist; permission sets still need the policy."
  }

  # The state is private and versioned.
  assert {
    condition     = aws_s3_bucket.state.bucket == "service-state-123456789012" && output.state_bucket == "service-state-123456789012"
    error_message = "The bucket must be called service-state-<account>, as the environments' backends expect."
  }

  assert {
    condition     = aws_s3_bucket_versioning.state.versioning_configuration[0].status == "Enabled" && aws_s3_bucket_versioning.artifacts[0].versioning_configuration[0].status == "Enabled"
    error_message = "The buckets of state and artifacts must be versioned."
  }

  assert {
    condition = alltrue([for block in [aws_s3_bucket_public_access_block.state, aws_s3_bucket_public_access_block.artifacts[0]] :
      block.block_public_acls && block.block_public_policy && block.ignore_public_acls && block.restrict_public_buckets
    ])
    error_message = "Nothing may make a bucket public."
  }

  assert {
    condition = alltrue([for encryption in [aws_s3_bucket_server_side_encryption_configuration.state, aws_s3_bucket_server_side_encryption_configuration.artifacts[0]] :
      alltrue([for rule in encryption.rule : rule.apply_server_side_encryption_by_default[0].sse_algorithm == "AES256"])
    ])
    error_message = "Each bucket must be encrypted."
  }

  assert {
    condition = alltrue([for policy in [aws_s3_bucket_policy.state, aws_s3_bucket_policy.artifacts[0]] : anytrue([
      for statement in jsondecode(policy.policy).Statement :
      statement.Effect == "Deny" && statement.Principal == "*" && statement.Action == "s3:*" && length(statement.Resource) == 2
      && try(statement.Condition, {}) == { Bool = { "aws:SecureTransport" = "false" } }
    ])])
    error_message = "Each bucket must refuse requests without TLS."
  }

  # An artifact is written once.
  assert {
    condition = anytrue([for statement in jsondecode(aws_s3_bucket_policy.artifacts[0].policy).Statement :
      statement.Effect == "Deny" && statement.Principal == "*" && statement.Action == "s3:PutObject"
      && try(statement.Condition, {}) == { Null = { "s3:if-none-match" = "true" }, Bool = { "s3:ObjectCreationOperation" = "true" } }
    ])
    error_message = "Nobody may overwrite an artifact."
  }

  assert {
    condition = anytrue([for statement in jsondecode(aws_s3_bucket_policy.artifacts[0].policy).Statement :
      statement.Effect == "Deny" && statement.Principal == "*" && try(tolist(statement.Action), []) == tolist(["s3:DeleteObject", "s3:DeleteObjectVersion"])
      && !can(statement.Condition)
    ])
    error_message = "Nobody may delete an artifact and write it again."
  }

  assert {
    condition = [for statement in jsondecode(aws_s3_bucket_policy.artifacts[0].policy).Statement : statement if statement.Effect == "Allow"] == [
      {
        Sid       = "Read210987654321"
        Effect    = "Allow"
        Principal = { AWS = "arn:aws:iam::210987654321:root" }
        Action    = ["s3:GetObject", "s3:ListBucket"]
        Resource  = ["arn:aws:s3:::service-artifacts-123456789012", "arn:aws:s3:::service-artifacts-123456789012/*"]
        Condition = { ArnEquals = { "aws:PrincipalArn" = "arn:aws:iam::210987654321:role/service-account-apply-production" } }
      },
      {
        Sid       = "Note210987654321"
        Effect    = "Allow"
        Principal = { AWS = "arn:aws:iam::210987654321:root" }
        Action    = ["s3:PutObject"]
        Resource  = ["arn:aws:s3:::service-artifacts-123456789012/*/deployed/production.json"]
        Condition = { ArnEquals = { "aws:PrincipalArn" = "arn:aws:iam::210987654321:role/service-account-apply-production" } }
      },
    ]
    error_message = "In production's account, only the roles that deploy may read artifacts and record deployments."
  }

  # Only jobs of merged code store packages.
  assert {
    condition = jsondecode(aws_iam_role.artifacts[0].assume_role_policy).Statement[0].Condition == {
      StringEquals = {
        "token.actions.githubusercontent.com:aud" = "sts.amazonaws.com"
        "token.actions.githubusercontent.com:sub" = [
          "repo:acme/service:environment:artifact",
          "repo:acme@65/service@74:environment:artifact",
        ]
        "token.actions.githubusercontent.com:repository_id" = "74"
        "token.actions.githubusercontent.com:environment"   = "artifact"
        "token.actions.githubusercontent.com:ref"           = ["refs/heads/development", "refs/heads/preproduction", "refs/heads/production"]
      }
    }
    error_message = "Only jobs on the builders' branches and in their GitHub environment may store packages."
  }

  assert {
    condition = [for statement in jsondecode(aws_iam_role_policy.artifacts[0].policy).Statement : [statement.Action, statement.Resource]] == [
      [["s3:GetObject", "s3:ListBucket"], ["arn:aws:s3:::service-artifacts-123456789012", "arn:aws:s3:::service-artifacts-123456789012/*"]],
      [["s3:PutObject"], ["arn:aws:s3:::service-artifacts-123456789012/*/package.zip"]],
    ]
    error_message = "The role that builds must only read artifacts and store packages."
  }

  # A job that applies an environment may record which packages it deployed. The job may not store packages.
  assert {
    condition = { for key, policy in aws_iam_policy.applying : key => [for arn in flatten([for statement in jsondecode(policy.policy).Statement :
      statement.Resource if contains(flatten([statement.Action]), "s3:PutObject")]) : arn if strcontains(arn, "artifacts")] if endswith(key, "-functions") } == {
      "apply-development-functions"      = ["arn:aws:s3:::service-artifacts-123456789012/*/deployed/development.json"]
      "apply-preproduction-functions"    = ["arn:aws:s3:::service-artifacts-123456789012/*/deployed/preproduction.json"]
      "debug-development-functions"      = []
      "reap-debug-development-functions" = []
      "reap-development-functions"       = []
      "workspaces-development-functions" = []
    }
    error_message = "Only the role that builds may store packages."
  }

  # Outputs name the buckets and roles.
  assert {
    condition = (
      keys(output.apply_role_arns) == ["development", "preproduction"] && keys(output.workspaces_role_arns) == ["development"]
      && keys(output.debug_role_arns) == ["development"] && keys(output.reap_role_arns) == ["development"] && keys(output.reap_debug_role_arns) == ["development"] && keys(output.verify_role_arns) == ["development"]
      && length(output.permissions_boundary_arns) == 6 && output.artifact_bucket == "service-artifacts-123456789012"
    )
    error_message = "The outputs must name the artifacts' bucket, and each environment's roles and boundary."
  }

  assert {
    condition     = aws_api_gateway_account.this.cloudwatch_role_arn == aws_iam_role.apigateway.arn
    error_message = "API Gateway must write its logs with the account's role for it."
  }

  assert {
    condition     = length(aws_iam_policy.applying) == length(aws_iam_role_policy_attachment.applying) && alltrue([for key, attachment in aws_iam_role_policy_attachment.applying : startswith("service-account-${key}", "${attachment.role}-")])
    error_message = "Each policy must be attached to its own role."
  }
}

run "people_take_roles_with_a_second_factor" {
  command = plan

  variables {
    people = { developer = ["arn:aws:iam::333333333333:user/jane"], on_call = ["arn:aws:iam::333333333333:user/jane"] }
  }

  assert {
    condition     = keys(aws_iam_role.people) == ["developer"] && keys(aws_iam_policy.watching) == ["developer"] && aws_iam_role.people["developer"].max_session_duration == 28800
    error_message = "A role without members must not exist. Only production's account has people on call."
  }

  assert {
    condition = jsondecode(aws_iam_role.people["developer"].assume_role_policy).Statement == [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { AWS = ["arn:aws:iam::333333333333:user/jane"] }
      Condition = {
        Bool            = { "aws:MultiFactorAuthPresent" = "true" }
        NumericLessThan = { "aws:MultiFactorAuthAge" = "28800" }
      }
    }]
    error_message = "People must sign in with a second factor."
  }

  assert {
    condition     = toset([for attachment in aws_iam_role_policy_attachment.people : attachment.role]) == toset(["service-account-developer"]) && length(aws_iam_role_policy_attachment.people) == 7
    error_message = "A developer must have the policies for reading, watching and personal workspaces."
  }
}

run "productions_account_stores_no_artifacts_and_reads_those_of_the_testing_account" {
  command = plan

  variables {
    account_id                  = "210987654321"
    environments                = { production = { branch = "production", github_environment = "production", hosted_zone_id = "Z1" } }
    artifact_account_id         = "123456789012"
    artifact_reader_account_ids = []
  }

  assert {
    condition     = length(aws_s3_bucket.artifacts) == 0 && length(aws_iam_role.artifacts) == 0 && output.artifact_bucket == "service-artifacts-123456789012"
    error_message = "Only one account may store artifacts."
  }

  assert {
    condition = [for statement in jsondecode(aws_iam_policy.applying["apply-production-functions"].policy).Statement : [statement.Action, statement.Resource] if startswith(statement.Sid, "Artifacts")] == [
      [["s3:GetObject", "s3:ListBucket"], ["arn:aws:s3:::service-artifacts-123456789012", "arn:aws:s3:::service-artifacts-123456789012/*"]],
      [["s3:PutObject"], ["arn:aws:s3:::service-artifacts-123456789012/*/deployed/production.json"]],
    ]
    error_message = "Production may only read artifacts and record its deployments beside them."
  }

  assert {
    condition     = strcontains(aws_iam_policy.applying["apply-production-site"].policy, "arn:aws:route53:::hostedzone/Z1")
    error_message = "Production must be allowed to set the DNS records of its domain."
  }

  assert {
    condition     = [for statement in jsondecode(aws_iam_policy.planning.policy).Statement : statement.Resource if statement.Sid == "ReadDomains"] == [["arn:aws:route53:::hostedzone/Z1"]]
    error_message = "A plan must be allowed to read the DNS records of the domain."
  }
}
