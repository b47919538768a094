mock_provider "aws" {
  mock_data "aws_partition" {
    defaults = { partition = "aws", dns_suffix = "amazonaws.com" }
  }
  mock_data "aws_region" {
    defaults = { name = "eu-central-1" }
  }
  mock_data "aws_caller_identity" {
    defaults = { account_id = "123456789012" }
  }
  mock_resource "aws_iam_role" {
    defaults = { arn = "arn:aws:iam::123456789012:role/mocked" }
  }
  mock_resource "aws_cloudwatch_log_group" {
    defaults = { arn = "arn:aws:logs:eu-central-1:123456789012:log-group:mocked" }
  }
  mock_resource "aws_lambda_alias" {
    defaults = { arn = "arn:aws:lambda:eu-central-1:123456789012:function:mocked:live" }
  }
  mock_resource "aws_cloudwatch_event_rule" {
    defaults = { arn = "arn:aws:events:eu-central-1:123456789012:rule/mocked" }
  }
  mock_resource "aws_api_gateway_rest_api" {
    defaults = { execution_arn = "arn:aws:execute-api:eu-central-1:123456789012:mocked" }
  }
}

variables {
  name                 = "slipway-production-debug"
  stage                = "production"
  subnet_ids           = ["subnet-1", "subnet-2"]
  security_group_ids   = ["sg-1"]
  issuers              = "[]"
  log_retention_days   = 30
  kms_key_arn          = "arn:aws:kms:eu-central-1:123456789012:key/1"
  throttling           = { rate = 50, burst = 100 }
  schedules_enabled    = false
  reserved_concurrency = 20
  database = {
    host              = "db.example"
    port              = 5432
    name              = "slipway"
    resource_id       = "cluster-ABC"
    cluster_arn       = "arn:aws:rds:eu-central-1:123456789012:cluster:slipway"
    master_secret_arn = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:master"
  }
}

run "everything_is_named_from_the_environment_and_workspace" {
  assert {
    condition = alltrue([for name in concat(
      values(output.function_names),
      values(aws_iam_role.function)[*].name,
      [aws_api_gateway_rest_api.this.name],
      values(aws_cloudwatch_event_rule.this)[*].name,
    ) : startswith(name, "slipway-production-debug")])
    error_message = "A name does not start from var.name."
  }

  assert {
    condition     = alltrue([for name in values(output.log_group_names) : strcontains(name, "/slipway-production-debug")])
    error_message = "A log group is not named from var.name."
  }
}

run "what_serves_is_the_alias" {
  assert {
    condition     = alltrue([for name, alias in aws_lambda_alias.live : alias.name == "live" && alias.function_name == output.function_names[name]])
    error_message = "A function has no alias of its own."
  }

  assert {
    condition     = alltrue([for function in aws_lambda_function.this : function.publish])
    error_message = "A function publishes no versions."
  }

  assert {
    condition     = alltrue([for permission in merge(aws_lambda_permission.gateway, aws_lambda_permission.schedule) : permission.qualifier == "live"])
    error_message = "Something may invoke what the alias does not point to."
  }
}

run "a_function_may_log_in_as_one_user_of_one_cluster" {
  assert {
    condition = { for name, policy in aws_iam_role_policy.function : name => flatten([
      for statement in jsondecode(policy.policy).Statement : statement.Resource if contains(statement.Action, "rds-db:connect")
      ]) if !contains(["sweep"], name) } == {
      api        = ["arn:aws:rds-db:eu-central-1:123456789012:dbuser:cluster-ABC/slipway_app"]
      authorizer = []
      bootstrap  = []
      migrate    = ["arn:aws:rds-db:eu-central-1:123456789012:dbuser:cluster-ABC/slipway_migrator"]
    }
    error_message = "A function may log in as somebody else."
  }

  assert {
    condition     = [for name, policy in aws_iam_role_policy.function : name if strcontains(policy.policy, "secretsmanager:")] == ["bootstrap"]
    error_message = "Another function than bootstrap may read the master password."
  }

  assert {
    condition = alltrue(flatten([
      for policy in aws_iam_role_policy.function : [
        for statement in jsondecode(policy.policy).Statement : [for action in statement.Action : !strcontains(action, "*")]
      ]
    ]))
    error_message = "A role allows more actions than it names."
  }
}

run "functions_are_in_the_private_subnets_unless_listed" {
  assert {
    condition     = toset([for name, function in aws_lambda_function.this : name if length(function.vpc_config) == 0]) == toset(["authorizer", "bootstrap"])
    error_message = "Another function than authorizer and bootstrap is outside of the VPC."
  }

  assert {
    condition = aws_lambda_function.this["api"].environment[0].variables == tomap({
      SLIPWAY_STAGE         = "production"
      SLIPWAY_ISSUERS       = "[]"
      SLIPWAY_DATABASE_HOST = "db.example"
      SLIPWAY_DATABASE_PORT = "5432"
      SLIPWAY_DATABASE_NAME = "slipway"
      SLIPWAY_DATABASE_USER = "slipway_app"
    })
    error_message = "The API's function has other settings."
  }

  assert {
    condition     = aws_lambda_function.this["api"].reserved_concurrent_executions == 20 && aws_lambda_function.this["migrate"].reserved_concurrent_executions == -1
    error_message = "Concurrency is reserved for the API alone."
  }
}

run "schedules_rest_in_a_debug_workspace" {
  assert {
    condition     = [for rule in aws_cloudwatch_event_rule.this : rule.state] == ["DISABLED"]
    error_message = "A schedule runs."
  }
}

run "schedules_run_elsewhere" {
  variables {
    schedules_enabled = true
  }

  assert {
    condition     = [for rule in aws_cloudwatch_event_rule.this : rule.state] == ["ENABLED"]
    error_message = "A schedule rests."
  }
}

run "a_package_of_another_stage_is_refused" {
  command = plan

  variables {
    stage = "development"
  }

  expect_failures = [aws_lambda_function.this]
}
