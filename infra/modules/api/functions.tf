locals {
  settings_of_all = merge(
    { SLIPWAY_ISSUERS = var.issuers },
    length(var.dependencies) == 0 ? {} : { SLIPWAY_DEPENDENCIES = jsonencode(var.dependencies) },
  )

  settings_of_bootstrap = var.bootstrap == null ? {} : {
    SLIPWAY_DATABASE_CLUSTER_ARN = var.bootstrap.cluster_arn
    SLIPWAY_DATABASE_SECRET_ARN  = var.bootstrap.master_secret_arn
    SLIPWAY_DATABASE_NAME        = var.database.name
  }

  settings = { for name, function in local.functions : name => merge(
    function.environment,
    name == "bootstrap" ? local.settings_of_bootstrap : local.settings_of_all,
    !contains(keys(local.in_vpc), name) ? {} : {
      SLIPWAY_DATABASE_HOST = var.database.host
      SLIPWAY_DATABASE_PORT = tostring(var.database.port)
      SLIPWAY_DATABASE_NAME = var.database.name
      SLIPWAY_DATABASE_USER = local.in_vpc[name]
    },
  ) }
}

resource "aws_lambda_function" "this" {
  #checkov:skip=CKV_AWS_116: who invokes the functions waits for the answer, or (schedules) comes again
  #checkov:skip=CKV_AWS_117: authorizer and bootstrap need what is outside of the VPC; the others are in it
  #checkov:skip=CKV_AWS_173: nothing in the settings is secret; Lambda encrypts them with its own key
  #checkov:skip=CKV_AWS_272: the package's digest is what is promoted, and is checked at every deployment
  for_each = local.functions

  function_name    = local.names[each.key]
  role             = aws_iam_role.function[each.key].arn
  handler          = each.value.handler
  runtime          = local.package.runtime
  architectures    = [local.package.architecture]
  memory_size      = each.value.memory_size
  timeout          = each.value.timeout
  filename         = "${path.module}/deployment.zip"
  source_code_hash = local.package.source_code_hash

  # A version for every change: what serves is the one that the alias points to, and going back is pointing it back.
  publish = true

  reserved_concurrent_executions = each.key == "api" && var.reserved_concurrency != null ? var.reserved_concurrency : -1

  environment {
    variables = local.settings[each.key]
  }

  dynamic "vpc_config" {
    for_each = contains(keys(local.in_vpc), each.key) ? [true] : []

    content {
      subnet_ids         = var.subnet_ids
      security_group_ids = var.security_group_ids
    }
  }

  tracing_config {
    mode = "Active"
  }

  logging_config {
    log_format = "Text" # the functions write JSON by themselves
    log_group  = aws_cloudwatch_log_group.function[each.key].name
  }

  # Without its permissions a function in the VPC can't be made.
  depends_on = [aws_iam_role_policy.function]

  lifecycle {
    precondition {
      condition     = var.stage == local.package.stage
      error_message = "The package is of stage ${local.package.stage}, and this is ${var.stage}: run `make package STAGE=${var.stage}`, then plan again."
    }
  }
}

resource "aws_lambda_alias" "live" {
  for_each = local.functions

  name             = "live"
  description      = "The version that serves; the deployment moves it once the database is migrated"
  function_name    = aws_lambda_function.this[each.key].function_name
  function_version = aws_lambda_function.this[each.key].version

  lifecycle {
    # Terraform makes it and never moves it: an apply must not serve code that the database is not ready for. What served
    # before is remembered in the description, by whoever moves it.
    ignore_changes = [function_version, description]
  }
}
