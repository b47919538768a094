# Plan everything and apply nothing: a test ends with a destroy, which the buckets refuse.
mock_provider "aws" {
  override_during = plan

  mock_data "aws_partition" {
    defaults = { partition = "aws" }
  }
  mock_resource "aws_s3_bucket" {
    defaults = { arn = "arn:aws:s3:::slipway-state-123456789012" }
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
    preproduction = { branch = "release/next", github_environment = "preproduction" }
  }

  artifact_reader_account_ids = ["210987654321"]
}

run "a_pipeline_applies_its_environment_from_its_branch_in_its_github_environment" {
  command = plan

  assert {
    condition     = keys(aws_iam_role.apply) == ["apply-development", "apply-preproduction", "reap-development", "workspaces-development"]
    error_message = "a role is missing that applies an environment, or that its workspaces ask for"
  }

  assert {
    condition = jsondecode(aws_iam_role.apply["apply-preproduction"].assume_role_policy) == {
      Version = "2012-10-17"
      Statement = [{
        Effect    = "Allow"
        Action    = "sts:AssumeRoleWithWebIdentity"
        Principal = { Federated = "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com" }
        Condition = { StringEquals = {
          "token.actions.githubusercontent.com:aud" = "sts.amazonaws.com"
          "token.actions.githubusercontent.com:sub" = [
            "repo:acme/slipway:environment:preproduction",
            "repo:acme@65/slipway@74:environment:preproduction",
          ]
          "token.actions.githubusercontent.com:repository_id" = "74"
          "token.actions.githubusercontent.com:environment"   = "preproduction"
          "token.actions.githubusercontent.com:ref"           = "refs/heads/release/next"
        } }
      }]
    }
    error_message = "another job may apply preproduction"
  }
}

run "the_default_branch_makes_workspaces_in_a_github_environment_of_their_own" {
  command = plan

  assert {
    condition = jsondecode(aws_iam_role.apply["workspaces-development"].assume_role_policy).Statement[0].Condition == {
      StringEquals = {
        "token.actions.githubusercontent.com:aud" = "sts.amazonaws.com"
        "token.actions.githubusercontent.com:sub" = [
          "repo:acme/slipway:environment:development-workspaces",
          "repo:acme@65/slipway@74:environment:development-workspaces",
        ]
        "token.actions.githubusercontent.com:repository_id" = "74"
        "token.actions.githubusercontent.com:environment"   = "development-workspaces"
        "token.actions.githubusercontent.com:ref"           = "refs/heads/development"
      }
    }
    error_message = "another job may make workspaces"
  }

  assert {
    condition = alltrue([for statement in flatten([for subject in local.subjects : jsondecode(aws_iam_policy.applying["workspaces-development-${subject}"].policy).Statement]) :
      startswith(statement.Sid, "Environment") || try(statement.Condition.StringNotEqualsIfExists, {}) == {
        "aws:ResourceTag/workspace" = "default"
        "aws:RequestTag/workspace"  = "default"
      }
    ])
    error_message = "a role for workspaces may change the environment itself"
  }

  assert {
    condition = toset(flatten([for statement in flatten([for subject in local.subjects : jsondecode(aws_iam_policy.applying["workspaces-development-${subject}"].policy).Statement]) :
      statement.Action if startswith(statement.Sid, "Environment")])) == toset([
      "s3:GetObject", "s3:ListBucket", "rds:RestoreDBClusterToPointInTime", "kms:CreateGrant", "kms:Decrypt", "kms:GenerateDataKey",
      "cloudfront-keyvaluestore:DeleteKey", "cloudfront-keyvaluestore:DescribeKeyValueStore", "cloudfront-keyvaluestore:GetKey",
      "cloudfront-keyvaluestore:ListKeys", "cloudfront-keyvaluestore:PutKey",
    ])
    error_message = "a role for workspaces may do more to its environment than read its state, clone its data and set its routes"
  }

  assert {
    condition = alltrue([for statement in jsondecode(aws_iam_policy.applying["workspaces-development-functions"].policy).Statement :
      !contains(flatten([statement.Action]), "s3:PutObject") || alltrue([for arn in statement.Resource : startswith(arn, "arn:aws:s3:::slipway-state-123456789012/development/*/development.tfstate")])
    ])
    error_message = "a role for workspaces may write the environment's state, or artifacts"
  }

  assert {
    condition     = alltrue([for name in local.subjects : !strcontains(aws_iam_policy.applying["apply-development-${name}"].policy, "StringNotEqualsIfExists")])
    error_message = "the role of the environment may not change the environment"
  }
}

run "the_default_branch_reaps_without_making_anything" {
  command = plan

  variables {
    # In preproduction the reaper destroys workspaces that the environment's own pipeline created.
    environments = {
      development   = { branch = "release", github_environment = "development", workspaces_github_environment = "development-workspaces", reap_github_environment = "reaper" }
      preproduction = { branch = "preproduction", github_environment = "preproduction", reap_github_environment = "preproduction-reap" }
    }
  }

  assert {
    condition     = keys(output.reap_role_arns) == ["development", "preproduction"] && keys(output.workspaces_role_arns) == ["development"]
    error_message = "an environment has another role for its reaper, or one for workspaces that nobody asked for"
  }

  assert {
    condition = jsondecode(aws_iam_role.apply["reap-development"].assume_role_policy).Statement[0].Condition == {
      StringEquals = {
        "token.actions.githubusercontent.com:aud" = "sts.amazonaws.com"
        "token.actions.githubusercontent.com:sub" = [
          "repo:acme/slipway:environment:reaper",
          "repo:acme@65/slipway@74:environment:reaper",
        ]
        "token.actions.githubusercontent.com:repository_id" = "74"
        "token.actions.githubusercontent.com:environment"   = "reaper"
        "token.actions.githubusercontent.com:ref"           = "refs/heads/development"
      }
    }
    error_message = "another job may reap"
  }

  # All other actions have names of removal at AWS. These do not, but a destroy needs them.
  assert {
    condition = toset([for action in flatten([for subject in local.subjects : [
      for statement in jsondecode(aws_iam_policy.applying["reap-development-${subject}"].policy).Statement : statement.Action if !strcontains(statement.Sid, "State")
      ]]) : action if !can(regex("^[a-z0-9-]+:(Delete|Detach|Disassociate|Get|List|Describe|Release|Remove|Revoke|ScheduleKeyDeletion)[A-Za-z]*$", action))
      ]) == toset([
      "apigateway:DELETE", "apigateway:PATCH", "apigateway:SetWebACL", "cloudfront:UpdateDistribution", "s3:PutBucketOwnershipControls", "s3:PutBucketPublicAccessBlock",
      "s3:PutBucketVersioning", "s3:PutEncryptionConfiguration", "s3:PutLifecycleConfiguration",
    ])
    error_message = "a role that reaps may make or change something"
  }

  # Tags say which environment owns a resource: without them, any environment could take it.
  assert {
    condition     = alltrue([for subject in local.subjects : !can(regex("Tag(s|Resource|Role|LogGroup)?\"|/tags/", aws_iam_policy.applying["reap-development-${subject}"].policy))])
    error_message = "a role that reaps may take tags away"
  }

  # Its statements are those of the role for workspaces with fewer actions, so the limits are the same.
  assert {
    condition = alltrue(flatten([for subject in local.subjects : [
      for statement in jsondecode(aws_iam_policy.applying["reap-development-${subject}"].policy).Statement : anytrue([
        for other in jsondecode(aws_iam_policy.applying["workspaces-development-${subject}"].policy).Statement :
        merge(other, { Action = [for action in other.Action : action if contains(statement.Action, action)] }) == statement
      ])
    ]]))
    error_message = "a role that reaps may do what the role for workspaces may not"
  }

  assert {
    condition = [for statement in jsondecode(aws_iam_policy.applying["reap-development-functions"].policy).Statement : [statement.Action, statement.Resource] if strcontains(jsonencode(statement), "s3:")] == [
      [["s3:GetObject"], ["arn:aws:s3:::slipway-state-123456789012/development.tfstate", "arn:aws:s3:::slipway-state-123456789012/development/*/development.tfstate"]],
      [["s3:ListBucket"], ["arn:aws:s3:::slipway-state-123456789012"]],
      [["s3:PutObject"], ["arn:aws:s3:::slipway-state-123456789012/development/*/development.tfstate"]],
      [["s3:DeleteObject", "s3:GetObject", "s3:PutObject"], ["arn:aws:s3:::slipway-state-123456789012/development/*/development.tfstate.tflock"]],
      [["s3:DeleteObject"], ["arn:aws:s3:::slipway-state-123456789012/development/*/development.tfstate"]],
    ]
    error_message = "a role that reaps may do more than write the state of workspaces and read the environment's"
  }

  assert {
    condition = length(setsubtract(local.destroying, flatten([for subject in local.subjects : [
      for statement in jsondecode(aws_iam_policy.applying["workspaces-development-${subject}"].policy).Statement : statement.Action
    ]]))) == 0
    error_message = "destroying.tf names an action that no statement has, so no role gets it"
  }
}

run "a_pull_request_plans" {
  command = plan

  assert {
    condition = jsondecode(aws_iam_role.plan.assume_role_policy).Statement[0].Condition == {
      StringEquals = {
        "token.actions.githubusercontent.com:aud"           = "sts.amazonaws.com"
        "token.actions.githubusercontent.com:sub"           = ["repo:acme/slipway:pull_request", "repo:acme@65/slipway@74:pull_request"]
        "token.actions.githubusercontent.com:repository_id" = "74"
      }
    }
    error_message = "another job may plan"
  }

  assert {
    condition     = toset(keys(aws_iam_role_policy_attachment.plan)) == toset(["reading", "planning"])
    error_message = "the plan role has other policies than those for reading"
  }

  assert {
    condition = alltrue([for action in flatten([for policy in [aws_iam_policy.reading, aws_iam_policy.planning] :
      [for statement in jsondecode(policy.policy).Statement : statement.Action]
    ]) : can(regex("^([a-z0-9-]+:(Get|List|Describe)[A-Za-z]+|apigateway:GET)$", action))])
    error_message = "the plan role may do more than read"
  }

  assert {
    condition = alltrue([for secret in [
      "s3:GetObjectVersion", "secretsmanager:", "ssm:", "kms:Decrypt", "logs:GetLogEvents", "logs:FilterLogEvents", "rds-data:", "rds-db:",
      "cloudfront-keyvaluestore:", "cognito-idp:ListUsers", "cognito-idp:AdminGetUser", "dynamodb:",
    ] : !strcontains("${aws_iam_policy.reading.policy}${aws_iam_policy.planning.policy}", secret)])
    error_message = "the plan role may read secrets or data"
  }

  assert {
    condition = [for statement in concat(jsondecode(aws_iam_policy.reading.policy).Statement, jsondecode(aws_iam_policy.planning.policy).Statement) :
      statement.Resource if contains(statement.Action, "s3:GetObject")] == [[
        "arn:aws:s3:::slipway-state-123456789012/development.tfstate",
        "arn:aws:s3:::slipway-state-123456789012/development/*/development.tfstate",
        "arn:aws:s3:::slipway-state-123456789012/preproduction.tfstate",
        "arn:aws:s3:::slipway-state-123456789012/preproduction/*/preproduction.tfstate",
    ]]
    error_message = "the plan role may read other objects than the environments' state"
  }
}

run "no_role_may_do_everything" {
  command = plan

  assert {
    condition = alltrue([for policy in concat(values(aws_iam_policy.applying), values(aws_iam_policy.boundary), [aws_iam_policy.reading, aws_iam_policy.planning]) :
      alltrue(flatten([for statement in jsondecode(policy.policy).Statement : [for action in statement.Action : !strcontains(action, "*")]]))
    ])
    error_message = "an action has a wildcard"
  }

  assert {
    condition = alltrue([for policy in concat(values(aws_iam_policy.applying), values(aws_iam_policy.boundary), [aws_iam_policy.reading, aws_iam_policy.planning]) :
      alltrue([for statement in jsondecode(policy.policy).Statement : statement.Effect == "Allow" && length(setsubtract(keys(statement), ["Sid", "Effect", "Action", "Resource", "Condition"])) == 0])
    ])
    error_message = "a statement has an element that would turn its meaning around"
  }

  assert {
    condition     = alltrue([for policy in values(aws_iam_policy.applying) : length(jsondecode(policy.policy).Statement) > 0])
    error_message = "a policy has no statement, which IAM refuses"
  }

  # A statement may name every resource only if it is limited by tags, or AWS has no resources and its name says so.
  assert {
    condition = alltrue([for statement in flatten([for policy in values(aws_iam_policy.applying) : jsondecode(policy.policy).Statement]) :
      !contains(flatten([statement.Resource]), "*") || endswith(statement.Sid, "Numbers") || try(statement.Condition.StringEquals["aws:RequestTag/environment"], "") != ""
    ])
    error_message = "a statement names every resource without a condition"
  }

  # Each limit by name or tag allows one environment.
  assert {
    condition = alltrue([for key, policy in aws_iam_policy.applying : !strcontains(policy.policy, "preproduction") if startswith(key, "apply-development")
    ]) && alltrue([for key, policy in aws_iam_policy.applying : !strcontains(policy.policy, "development") if startswith(key, "apply-preproduction")])
    error_message = "a role names another environment than its own"
  }

  assert {
    condition = toset([for statement in jsondecode(aws_iam_policy.applying["apply-development-functions"].policy).Statement : statement.Sid
      if !endswith(statement.Sid, "Numbers") && alltrue([for arn in flatten([statement.Resource]) : !strcontains(arn, "development")])
    ]) == toset(["RolesOfServices", "EnvironmentStatesList", "ArtifactsRead"])
    error_message = "a statement on functions, roles, logs and states is limited to no environment"
  }

  assert {
    condition = alltrue([for subject in ["network", "database", "api", "site"] : alltrue([
      for statement in jsondecode(aws_iam_policy.applying["apply-development-${subject}"].policy).Statement :
      endswith(statement.Sid, "Numbers") || contains(["MasterPassword", "FirewallRulesOfAws"], statement.Sid)
      || alltrue([for arn in flatten([statement.Resource]) : strcontains(arn, "slipway-development")])
      || try(statement.Condition.StringEquals["aws:ResourceTag/environment"], "") == "development"
      || try(statement.Condition.StringEquals["aws:RequestTag/environment"], "") == "development"
      || try(statement.Condition.StringEqualsIfExists["aws:ResourceTag/environment"], "") == "development"
    ])])
    error_message = "a statement is limited neither by name nor by tag, and its name does not say so"
  }
}

run "iam_takes_every_policy" {
  command = plan

  assert {
    condition = alltrue([for policy in concat(values(aws_iam_policy.applying), values(aws_iam_policy.boundary), [aws_iam_policy.reading, aws_iam_policy.planning]) :
      length(policy.policy) <= 6144
    ])
    error_message = "a policy has more than 6,144 characters: split its subject into two"
  }

  assert {
    condition     = length(local.subjects) + 1 <= 10
    error_message = "IAM attaches at most ten policies to a role"
  }
}

run "who_makes_roles_makes_none_above_the_boundary" {
  command = plan

  assert {
    condition = alltrue([for statement in flatten([for policy in values(aws_iam_policy.applying) : jsondecode(policy.policy).Statement]) :
      try(statement.Condition.StringEquals["iam:PermissionsBoundary"], "") == "arn:aws:iam::123456789012:policy/mocked"
      if length(setintersection(flatten([statement.Action]), ["iam:CreateRole", "iam:PutRolePolicy", "iam:AttachRolePolicy", "iam:DeleteRolePolicy", "iam:PutRolePermissionsBoundary"])) > 0
    ])
    error_message = "a role may be created, or its policy set, without the boundary"
  }

  assert {
    condition = alltrue([for action in ["iam:DeleteRolePermissionsBoundary", "iam:AttachRolePolicy", "iam:CreatePolicy", "iam:CreatePolicyVersion", "iam:CreateUser", "iam:CreateOpenIDConnectProvider", "sts:AssumeRole"] :
      alltrue([for policy in values(aws_iam_policy.applying) : !strcontains(policy.policy, "\"${action}\"")])
    ])
    error_message = "a role may remove its boundary"
  }

  # No pipeline may reach the account's own roles and policies.
  assert {
    condition = alltrue(concat(
      [for role in concat(values(aws_iam_role.apply), [aws_iam_role.plan, aws_iam_role.apigateway]) : startswith(role.name, "slipway-account-")],
      [for policy in concat(values(aws_iam_policy.applying), values(aws_iam_policy.boundary), [aws_iam_policy.reading, aws_iam_policy.planning]) : startswith(policy.name, "slipway-account-")],
    ))
    error_message = "a resource of the account has a name like an environment's"
  }

  assert {
    condition = alltrue([for name, policy in aws_iam_policy.boundary : length(setintersection(flatten([for statement in jsondecode(policy.policy).Statement : statement.Action]), [
      "iam:PassRole", "sts:AssumeRole", "s3:GetObject", "lambda:InvokeFunction", "kms:CreateGrant",
    ])) == 0])
    error_message = "the boundary allows what no function needs"
  }
}

run "the_state_is_private_kept_and_not_to_be_destroyed" {
  command = plan

  assert {
    condition     = aws_s3_bucket.state.bucket == "slipway-state-123456789012" && output.state_bucket == "slipway-state-123456789012"
    error_message = "the bucket is not called slipway-state-<account>, as the environments' backends expect"
  }

  assert {
    condition     = aws_s3_bucket_versioning.state.versioning_configuration[0].status == "Enabled" && aws_s3_bucket_versioning.artifacts[0].versioning_configuration[0].status == "Enabled"
    error_message = "old versions are not stored"
  }

  assert {
    condition = alltrue([for block in [aws_s3_bucket_public_access_block.state, aws_s3_bucket_public_access_block.artifacts[0]] :
      block.block_public_acls && block.block_public_policy && block.ignore_public_acls && block.restrict_public_buckets
    ])
    error_message = "a bucket could be made public"
  }

  assert {
    condition = alltrue([for encryption in [aws_s3_bucket_server_side_encryption_configuration.state, aws_s3_bucket_server_side_encryption_configuration.artifacts[0]] :
      alltrue([for rule in encryption.rule : rule.apply_server_side_encryption_by_default[0].sse_algorithm == "AES256"])
    ])
    error_message = "a bucket is not encrypted"
  }

  assert {
    condition = alltrue([for policy in [aws_s3_bucket_policy.state, aws_s3_bucket_policy.artifacts[0]] : anytrue([
      for statement in jsondecode(policy.policy).Statement :
      statement.Effect == "Deny" && statement.Principal == "*" && statement.Action == "s3:*" && length(statement.Resource) == 2
      && try(statement.Condition, {}) == { Bool = { "aws:SecureTransport" = "false" } }
    ])])
    error_message = "a bucket can be reached without TLS"
  }
}

run "an_artifact_is_written_once" {
  command = plan

  assert {
    condition = anytrue([for statement in jsondecode(aws_s3_bucket_policy.artifacts[0].policy).Statement :
      statement.Effect == "Deny" && statement.Principal == "*" && statement.Action == "s3:PutObject"
      && try(statement.Condition, {}) == { Null = { "s3:if-none-match" = "true" }, Bool = { "s3:ObjectCreationOperation" = "true" } }
    ])
    error_message = "an artifact can be overwritten"
  }

  assert {
    condition = anytrue([for statement in jsondecode(aws_s3_bucket_policy.artifacts[0].policy).Statement :
      statement.Effect == "Deny" && statement.Principal == "*" && try(tolist(statement.Action), []) == tolist(["s3:DeleteObject", "s3:DeleteObjectVersion"])
      && !can(statement.Condition)
    ])
    error_message = "an artifact can be deleted and written again"
  }

  assert {
    condition = [for statement in jsondecode(aws_s3_bucket_policy.artifacts[0].policy).Statement : statement if statement.Effect == "Allow"] == [
      {
        Sid       = "Read210987654321"
        Effect    = "Allow"
        Principal = { AWS = "arn:aws:iam::210987654321:root" }
        Action    = ["s3:GetObject", "s3:ListBucket"]
        Resource  = ["arn:aws:s3:::slipway-artifacts-123456789012", "arn:aws:s3:::slipway-artifacts-123456789012/*"]
        Condition = { ArnEquals = { "aws:PrincipalArn" = [
          "arn:aws:iam::210987654321:role/slipway-account-apply-production",
          "arn:aws:iam::210987654321:role/slipway-account-workspaces-production",
        ] } }
      },
      {
        Sid       = "Note210987654321"
        Effect    = "Allow"
        Principal = { AWS = "arn:aws:iam::210987654321:root" }
        Action    = ["s3:PutObject"]
        Resource  = ["arn:aws:s3:::slipway-artifacts-123456789012/*/deployed/production.json"]
        Condition = { ArnEquals = { "aws:PrincipalArn" = "arn:aws:iam::210987654321:role/slipway-account-apply-production" } }
      },
    ]
    error_message = "another role of production's account than those that deploy may read or note artifacts"
  }
}

run "packages_are_of_what_was_merged" {
  command = plan

  assert {
    condition = jsondecode(aws_iam_role.artifacts[0].assume_role_policy).Statement[0].Condition == {
      StringEquals = {
        "token.actions.githubusercontent.com:aud" = "sts.amazonaws.com"
        "token.actions.githubusercontent.com:sub" = [
          "repo:acme/slipway:environment:artifact",
          "repo:acme@65/slipway@74:environment:artifact",
        ]
        "token.actions.githubusercontent.com:repository_id" = "74"
        "token.actions.githubusercontent.com:environment"   = "artifact"
        "token.actions.githubusercontent.com:ref"           = ["refs/heads/development", "refs/heads/preproduction", "refs/heads/production"]
      }
    }
    error_message = "another job may store packages"
  }

  assert {
    condition = [for statement in jsondecode(aws_iam_role_policy.artifacts[0].policy).Statement : [statement.Action, statement.Resource]] == [
      [["s3:GetObject", "s3:ListBucket"], ["arn:aws:s3:::slipway-artifacts-123456789012", "arn:aws:s3:::slipway-artifacts-123456789012/*"]],
      [["s3:PutObject"], ["arn:aws:s3:::slipway-artifacts-123456789012/*/package.zip"]],
    ]
    error_message = "the role that builds may do more than store packages"
  }

  # A job that applies an environment may note that, but store no package that others apply.
  assert {
    condition = { for key, policy in aws_iam_policy.applying : key => [for arn in flatten([for statement in jsondecode(policy.policy).Statement :
      statement.Resource if contains(flatten([statement.Action]), "s3:PutObject")]) : arn if strcontains(arn, "artifacts")] if endswith(key, "-functions") } == {
      "apply-development-functions"      = ["arn:aws:s3:::slipway-artifacts-123456789012/*/deployed/development.json"]
      "apply-preproduction-functions"    = ["arn:aws:s3:::slipway-artifacts-123456789012/*/deployed/preproduction.json"]
      "reap-development-functions"       = []
      "workspaces-development-functions" = []
    }
    error_message = "another role than the builders' may store packages"
  }
}

run "productions_account_keeps_no_artifacts_and_reads_the_testing_accounts" {
  command = plan

  variables {
    account_id                  = "210987654321"
    environments                = { production = { branch = "production", github_environment = "production", hosted_zone_id = "Z1" } }
    artifact_account_id         = "123456789012"
    artifact_reader_account_ids = []
  }

  assert {
    condition     = length(aws_s3_bucket.artifacts) == 0 && length(aws_iam_role.artifacts) == 0 && output.artifact_bucket == "slipway-artifacts-123456789012"
    error_message = "a second account stores artifacts"
  }

  assert {
    condition = [for statement in jsondecode(aws_iam_policy.applying["apply-production-functions"].policy).Statement : [statement.Action, statement.Resource] if startswith(statement.Sid, "Artifacts")] == [
      [["s3:GetObject", "s3:ListBucket"], ["arn:aws:s3:::slipway-artifacts-123456789012", "arn:aws:s3:::slipway-artifacts-123456789012/*"]],
      [["s3:PutObject"], ["arn:aws:s3:::slipway-artifacts-123456789012/*/deployed/production.json"]],
    ]
    error_message = "production may do more than read artifacts and note what it deployed"
  }

  assert {
    condition     = strcontains(aws_iam_policy.applying["apply-production-site"].policy, "arn:aws:route53:::hostedzone/Z1")
    error_message = "production may not set its domain's records"
  }
}

run "outputs_are_what_pipelines_are_told" {
  command = plan

  assert {
    condition = (
      keys(output.apply_role_arns) == ["development", "preproduction"] && keys(output.workspaces_role_arns) == ["development"]
      && keys(output.reap_role_arns) == ["development"]
      && keys(output.permissions_boundary_arns) == ["development", "preproduction"] && output.artifact_bucket == "slipway-artifacts-123456789012"
    )
    error_message = "an output is missing"
  }

  assert {
    condition     = aws_api_gateway_account.this.cloudwatch_role_arn == aws_iam_role.apigateway.arn
    error_message = "API Gateway has another role for its logs"
  }

  assert {
    condition     = length(aws_iam_policy.applying) == length(aws_iam_role_policy_attachment.applying) && alltrue([for key, attachment in aws_iam_role_policy_attachment.applying : startswith("slipway-account-${key}", "${attachment.role}-")])
    error_message = "a policy is attached to another role than its own"
  }
}
