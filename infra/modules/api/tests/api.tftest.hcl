mock_provider "aws" {
  source = "../mocks"
}

variables {
  name                 = "service-production-debug"
  stage                = "production"
  subnet_ids           = ["subnet-1", "subnet-2"]
  security_group_ids   = ["sg-1"]
  issuers              = "[]"
  log_retention_days   = 30
  kms_key_arn          = "arn:aws:kms:eu-central-1:210987654321:key/1"
  throttling           = { rate = 50, burst = 100 }
  schedules_enabled    = false
  reserved_concurrency = 20
  database = {
    host           = "db.example"
    port           = 5432
    name           = "service"
    resource_id    = "cluster-ABC"
    app_login      = "service_app_production"
    migrator_login = "service_migrator_production"
  }
  bootstrap = {
    cluster_arn        = "arn:aws:rds:eu-central-1:210987654321:cluster:service"
    master_secret_arn  = "arn:aws:secretsmanager:eu-central-1:210987654321:secret:master"
    reader_secret_arn  = "arn:aws:secretsmanager:eu-central-1:210987654321:secret:reader"
    secret_kms_key_arn = "arn:aws:kms:eu-central-1:210987654321:key/1"
  }
}

run "everything_is_named_from_the_environment_and_workspace" {
  assert {
    condition = alltrue([for name in concat(
      values(output.function_names),
      values(aws_iam_role.function)[*].name,
      [aws_api_gateway_rest_api.this.name],
      values(aws_cloudwatch_event_rule.this)[*].name,
    ) : startswith(name, "service-production-debug")])
    error_message = "Every name must start with var.name."
  }

  assert {
    condition     = alltrue([for name in values(output.log_group_names) : strcontains(name, "/service-production-debug")])
    error_message = "The name of each log group must contain var.name."
  }
}

run "the_longest_name_fits" {
  variables { name = "long-distance-orders-preproduction-w-a234567890123456" } # 53

  assert {
    condition     = alltrue([for name in concat(values(aws_iam_role.function)[*].name, values(aws_cloudwatch_event_rule.this)[*].name) : length(name) <= 64])
    error_message = "AWS allows 64 characters for a function, its role and a rule."
  }
}

run "the_alias_serves" {
  assert {
    condition     = alltrue([for name, alias in aws_lambda_alias.live : alias.name == "live" && alias.function_name == output.function_names[name]])
    error_message = "Each function must have its own alias."
  }

  assert {
    condition     = alltrue([for function in aws_lambda_function.this : function.publish])
    error_message = "Each function must publish versions."
  }

  assert {
    condition     = alltrue([for permission in merge(aws_lambda_permission.gateway, aws_lambda_permission.schedule) : permission.qualifier == "live"])
    error_message = "API Gateway and schedules must invoke only the alias."
  }
}

run "a_function_may_log_in_as_one_user_of_one_cluster" {
  # In the VPC, functions that are not listed log in as service_app_production. This includes functions that are added later.
  assert {
    condition = alltrue([for name, policy in aws_iam_role_policy.function : join(" ", flatten([
      for statement in jsondecode(policy.policy).Statement : statement.Resource if contains(statement.Action, "rds-db:connect")
      ])) == (
      contains(["authorizer", "bootstrap"], name) ? "" :
      "arn:aws:rds-db:eu-central-1:210987654321:dbuser:cluster-ABC/${name == "migrate" ? "service_migrator_production" : "service_app_production"}"
    )])
    error_message = "Each function may log in only as its own database user."
  }

  assert {
    condition     = [for name, policy in aws_iam_role_policy.function : name if strcontains(policy.policy, "secretsmanager:")] == ["bootstrap"]
    error_message = "Only bootstrap may read passwords."
  }

  assert {
    condition = { for statement in jsondecode(aws_iam_role_policy.function["bootstrap"].policy).Statement : statement.Sid => [join(" ", statement.Action), join(" ", statement.Resource), jsonencode(try(statement.Condition, null))] if !contains(["Log", "Trace"], statement.Sid) } == {
      AskByDataApi        = ["rds-data:BeginTransaction rds-data:ExecuteStatement rds-data:CommitTransaction rds-data:RollbackTransaction", var.bootstrap.cluster_arn, "null"]
      ReadMasterPassword  = ["secretsmanager:GetSecretValue", var.bootstrap.master_secret_arn, "null"]
      KeepReadersPassword = ["secretsmanager:GetSecretValue secretsmanager:PutSecretValue", var.bootstrap.reader_secret_arn, "null"]
      UseKeyOfSecrets     = ["kms:Decrypt kms:GenerateDataKey", var.bootstrap.secret_kms_key_arn, jsonencode({ StringEquals = { "kms:ViaService" = ["secretsmanager.eu-central-1.amazonaws.com"] } })]
    }
    error_message = "Bootstrap must use only the given cluster, secrets and key."
  }

  assert {
    condition = { for statement in jsondecode(aws_iam_role_policy.function["api"].policy).Statement : statement.Sid => [statement.Effect, join(" ", statement.Action), join(" ", statement.Resource)] } == {
      Log            = ["Allow", "logs:CreateLogStream logs:PutLogEvents", "${aws_cloudwatch_log_group.function["api"].arn}:*"]
      Trace          = ["Allow", "xray:PutTraceSegments xray:PutTelemetryRecords", "*"]
      LogIn          = ["Allow", "rds-db:connect", "arn:aws:rds-db:eu-central-1:210987654321:dbuser:cluster-ABC/service_app_production"]
      BeInVpc        = ["Allow", "ec2:AssignPrivateIpAddresses ec2:CreateNetworkInterface ec2:DeleteNetworkInterface ec2:DescribeNetworkInterfaces ec2:DescribeSubnets ec2:UnassignPrivateIpAddresses", "*"]
      ButNotByItself = ["Deny", "ec2:AssignPrivateIpAddresses ec2:CreateNetworkInterface ec2:DeleteNetworkInterface ec2:DescribeNetworkInterfaces ec2:DescribeSubnets ec2:UnassignPrivateIpAddresses", "*"]
    }
    error_message = "The API's function must have only the listed actions."
  }

  assert {
    condition = [for statement in jsondecode(aws_iam_role_policy.function["api"].policy).Statement : statement.Condition if statement.Sid == "ButNotByItself"] == [
      { ArnEquals = { "lambda:SourceFunctionArn" = ["arn:aws:lambda:eu-central-1:210987654321:function:${aws_lambda_function.this["api"].function_name}"] } }
    ]
    error_message = "The function's own code must not manage network interfaces."
  }

  assert {
    condition = alltrue([for name, role in aws_iam_role.function : jsondecode(role.assume_role_policy).Statement == [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = "lambda.amazonaws.com" }
      Condition = {
        StringEquals    = { "aws:SourceAccount" = ["210987654321"] }
        ArnLikeIfExists = { "aws:SourceArn" = [for end in ["", ":*"] : "arn:aws:lambda:eu-central-1:210987654321:function:${aws_lambda_function.this[name].function_name}${end}"] }
      }
    }]])
    error_message = "Only Lambda may take a role, for the role's function of this account."
  }

  assert {
    condition     = alltrue([for name, function in aws_lambda_function.this : function.role == aws_iam_role.function[name].arn])
    error_message = "Each function must have its own role."
  }

  assert {
    condition = alltrue(flatten([
      for policy in aws_iam_role_policy.function : [
        for statement in jsondecode(policy.policy).Statement : [for action in statement.Action : !strcontains(action, "*")]
      ]
    ]))
    error_message = "No action of a role may have a wildcard."
  }
}

run "functions_are_in_the_private_subnets_unless_listed" {
  assert {
    condition     = toset([for name, function in aws_lambda_function.this : name if length(function.vpc_config) == 0]) == toset(["authorizer", "bootstrap"])
    error_message = "All functions but authorizer and bootstrap must be in the VPC."
  }

  assert {
    condition = aws_lambda_function.this["api"].environment[0].variables == tomap({
      SLIPWAY_STAGE         = "production"
      SLIPWAY_PACKAGE       = "sha256:${local.package.digest}"
      SLIPWAY_WORKSPACE     = "default"
      SLIPWAY_ISSUERS       = "[]"
      SLIPWAY_DATABASE_HOST = "db.example"
      SLIPWAY_DATABASE_PORT = "5432"
      SLIPWAY_DATABASE_NAME = "service"
      SLIPWAY_DATABASE_USER = "service_app_production"
    })
    error_message = "The API's function must have exactly these settings."
  }

  assert {
    condition = aws_lambda_function.this["bootstrap"].environment[0].variables == tomap({
      SLIPWAY_STAGE                      = "production"
      SLIPWAY_PACKAGE                    = "sha256:${local.package.digest}"
      SLIPWAY_WORKSPACE                  = "default"
      SLIPWAY_DATABASE_CLUSTER_ARN       = var.bootstrap.cluster_arn
      SLIPWAY_DATABASE_SECRET_ARN        = var.bootstrap.master_secret_arn
      SLIPWAY_DATABASE_READER_SECRET_ARN = var.bootstrap.reader_secret_arn
      SLIPWAY_DATABASE_NAME              = "service"
      SLIPWAY_DATABASE_APP_LOGIN         = "service_app_production"
      SLIPWAY_DATABASE_MIGRATOR_LOGIN    = "service_migrator_production"
    })
    error_message = "Bootstrap must have exactly these settings."
  }

  assert {
    condition     = aws_lambda_function.this["api"].reserved_concurrent_executions == 20 && aws_lambda_function.this["migrate"].reserved_concurrent_executions == -1
    error_message = "Concurrency must be reserved only for the API's function."
  }
}

run "schedules_are_off_in_a_debug_workspace" {
  assert {
    condition     = toset(values(aws_cloudwatch_event_rule.this)[*].state) == toset(["DISABLED"])
    error_message = "There must be a schedule, and every schedule must be off."
  }
}

run "each_method_has_metrics_if_asked" {
  variables {
    detailed_metrics = true
  }

  assert {
    condition     = aws_api_gateway_method_settings.this.settings[0].metrics_enabled
    error_message = "Each method must have metrics."
  }
}

run "requests_are_bounded_and_logged_without_the_token" {
  assert {
    condition = alltrue([for settings in aws_api_gateway_method_settings.this.settings : (
      settings.throttling_rate_limit == 50 && settings.throttling_burst_limit == 100 && settings.logging_level == "OFF" && !settings.data_trace_enabled && !settings.metrics_enabled
    )]) && aws_api_gateway_method_settings.this.method_path == "*/*"
    error_message = "Every method must be throttled, none may have metrics that cost extra, and no log may quote requests."
  }

  assert {
    condition     = aws_api_gateway_stage.this.access_log_settings[0].destination_arn == aws_cloudwatch_log_group.access.arn && aws_api_gateway_stage.this.xray_tracing_enabled && aws_api_gateway_stage.this.stage_name == "production"
    error_message = "The stage must have the environment's name, an access log and tracing."
  }

  assert {
    condition     = jsondecode(aws_api_gateway_stage.this.access_log_settings[0].format).requestId == "$context.requestId" && !strcontains(lower(aws_api_gateway_stage.this.access_log_settings[0].format), "header")
    error_message = "The access log must have the answers' X-Request-Id, and no headers, because one of them holds the token."
  }

  assert {
    condition = alltrue([for group in concat(values(aws_cloudwatch_log_group.function), [aws_cloudwatch_log_group.access]) :
      group.retention_in_days == 30 && group.kms_key_id == "arn:aws:kms:eu-central-1:210987654321:key/1"
    ])
    error_message = "Logs must be kept for the given days, and encrypted with the given key."
  }

  assert {
    condition     = aws_api_gateway_deployment.this.triggers.body == sha256(aws_api_gateway_rest_api.this.body) && aws_api_gateway_rest_api.this.endpoint_configuration[0].types == tolist(["REGIONAL"])
    error_message = "A changed API must cause a new deployment."
  }

  assert {
    condition     = toset(values(aws_lambda_permission.gateway)[*].source_arn) == toset(["${aws_api_gateway_rest_api.this.execution_arn}/*"]) && keys(aws_lambda_permission.gateway) == ["api", "authorizer"]
    error_message = "Only this API may invoke the functions that serve it."
  }
}

run "elsewhere_schedules_run_and_functions_get_the_dependencies" {
  variables {
    schedules_enabled    = true
    reserved_concurrency = null
    dependencies = {
      orders   = { instance = "arn:aws:sqs:eu-central-1:210987654321:orders", access = "read_write", exclusive = true }
      payments = { instance = "https://pay.example.org", access = "read_only", exclusive = false, secret = { name = "service/production/pay", functions = ["api"] } }
    }
    permissions_boundary = "arn:aws:iam::210987654321:policy/boundary"
  }

  assert {
    condition     = toset(values(aws_cloudwatch_event_rule.this)[*].state) == toset(["ENABLED"])
    error_message = "There must be a schedule, and every schedule must be on."
  }

  assert {
    condition = jsondecode(aws_lambda_function.this["api"].environment[0].variables.SLIPWAY_DEPENDENCIES) == {
      orders   = { instance = "arn:aws:sqs:eu-central-1:210987654321:orders", access = "read_write", exclusive = true }
      payments = { instance = "https://pay.example.org", access = "read_only", exclusive = false, secret = "service/production/pay" }
    }
    error_message = "The API's function must get the dependencies, and the name of its secret."
  }

  assert {
    condition     = jsondecode(aws_lambda_function.this["sweep"].environment[0].variables.SLIPWAY_DEPENDENCIES).payments == { instance = "https://pay.example.org", access = "read_only", exclusive = false }
    error_message = "A function that may not read a secret must not get its name."
  }

  assert {
    condition = { for name, role in aws_iam_role_policy.function : name => [for statement in jsondecode(role.policy).Statement : statement if statement.Sid == "ReadSecretsOfDependencies"] if strcontains(role.policy, "service/production/pay") } == {
      api = [{ Sid = "ReadSecretsOfDependencies", Effect = "Allow", Action = ["secretsmanager:GetSecretValue"], Resource = ["arn:aws:secretsmanager:eu-central-1:210987654321:secret:service/production/pay-??????"] }]
    }
    error_message = "Only the function that uses a secret may read it."
  }

  assert {
    condition     = toset(values(aws_lambda_function.this)[*].reserved_concurrent_executions) == toset([-1]) && toset(values(aws_iam_role.function)[*].permissions_boundary) == toset([var.permissions_boundary])
    error_message = "Without reserved_concurrency, nothing may be reserved. Each role must have the boundary."
  }
}

run "on_the_environments_database_no_function_bootstraps_or_migrates" {
  variables {
    bootstrap = null
    database = {
      host        = "db.example"
      port        = 5432
      name        = "service"
      resource_id = "cluster-ABC"
      app_login   = "service_app_production"
    }
  }

  assert {
    condition     = setsubtract(keys(local.functions), keys(output.function_names)) == toset(["bootstrap", "migrate"])
    error_message = "All functions but bootstrap and migrate must exist."
  }

  assert {
    condition = alltrue([for made in [aws_lambda_alias.live, aws_iam_role.function, aws_iam_role_policy.function, aws_cloudwatch_log_group.function, output.function_versions] :
      keys(made) == keys(output.function_names)
    ])
    error_message = "Functions that do not exist must have no alias, no role and no log."
  }

  assert {
    condition     = !strcontains(join(" ", values(aws_iam_role_policy.function)[*].policy), "migrator") && !strcontains(join(" ", values(aws_iam_role_policy.function)[*].policy), "secretsmanager")
    error_message = "No role may log in as the migrator or read a password."
  }
}

run "a_migrator_without_bootstrap_is_refused" {
  command = plan

  variables { bootstrap = null }

  expect_failures = [var.database]
}

run "a_package_for_another_stage_is_refused" {
  command = plan

  variables { stage = "development" }

  expect_failures = [aws_lambda_function.this]
}

run "values_that_aws_would_refuse_are_refused" {
  command = plan

  variables {
    name                 = "Service"
    stage                = "local"
    subnet_ids           = ["subnet-1"]
    security_group_ids   = []
    issuers              = "{}"
    reserved_concurrency = 0
    log_retention_days   = 2
    throttling           = { rate = 0, burst = 1 }
  }

  expect_failures = [
    var.name, var.stage, var.subnet_ids, var.security_group_ids, var.issuers, var.reserved_concurrency, var.log_retention_days, var.throttling,
  ]
}

run "a_long_name_issuers_without_json_and_a_burst_of_0_are_refused" {
  command = plan

  variables {
    name       = "service-production-a2345678901234567890123456789012345" # 54
    issuers    = "[{]"
    throttling = { rate = 1, burst = 0 }
  }

  expect_failures = [var.name, var.issuers, var.throttling]
}

run "a_secret_of_an_unknown_function_is_refused" {
  command = plan

  variables {
    dependencies = { payments = { instance = "https://pay.example.org", access = "read_only", exclusive = false, secret = { name = "service/production/pay", functions = ["worker"] } } }
  }

  expect_failures = [var.dependencies]
}

run "dependencies_that_do_not_fit_into_a_functions_settings_are_refused" {
  command = plan

  variables {
    dependencies = { for number in range(30) : "d-${number}" => { instance = "https://pay.example.org/a-long-address", access = "read_only", exclusive = false } }
  }

  expect_failures = [aws_lambda_function.this]
}
