locals {
  settings_of_all = merge(
    { SLIPWAY_ISSUERS = var.issuers },
    var.sign_in == null ? {} : { SLIPWAY_SIGN_IN = var.sign_in },
  )

  # The secrets of dependencies that each function may read, by the key of the dependency.
  secrets = { for name, function in local.deployed : name => {
    for key, each in var.dependencies : key => each.secret.name if try(contains(each.secret.functions, name), false)
  } }

  settings_of_dependencies = { for name, function in local.deployed : name => jsonencode({
    for key, each in var.dependencies : key => merge(
      { instance = each.instance, access = each.access, exclusive = each.exclusive },
      { for of, secret in local.secrets[name] : "secret" => secret if of == key },
    )
  }) }

  settings_of_bootstrap = var.bootstrap == null ? {} : {
    SLIPWAY_DATABASE_CLUSTER_ARN       = var.bootstrap.cluster_arn
    SLIPWAY_DATABASE_SECRET_ARN        = var.bootstrap.master_secret_arn
    SLIPWAY_DATABASE_READER_SECRET_ARN = var.bootstrap.reader_secret_arn
    SLIPWAY_DATABASE_NAME              = var.database.name
    SLIPWAY_DATABASE_APP_LOGIN         = var.database.app_login
    SLIPWAY_DATABASE_MIGRATOR_LOGIN    = var.database.migrator_login
  }

  # With these settings, a function knows what runs and where: for its logs, its metrics and /v1/health.
  settings_of_running = {
    SLIPWAY_PACKAGE   = "sha256:${local.package.digest}"
    SLIPWAY_WORKSPACE = var.workspace
  }

  settings = { for name, function in local.deployed : name => merge(
    function.environment,
    local.settings_of_running,
    name == "bootstrap" ? local.settings_of_bootstrap : local.settings_of_all,
    length(var.dependencies) == 0 ? {} : { SLIPWAY_DEPENDENCIES = local.settings_of_dependencies[name] },
    !contains(keys(local.in_vpc), name) ? {} : {
      SLIPWAY_DATABASE_HOST = var.database.host
      SLIPWAY_DATABASE_PORT = tostring(var.database.port)
      SLIPWAY_DATABASE_NAME = var.database.name
      SLIPWAY_DATABASE_USER = local.in_vpc[name]
    },
  ) }
}

resource "aws_lambda_function" "this" {
  #checkov:skip=CKV_AWS_116: callers of the functions wait for the answer, and schedules try again
  #checkov:skip=CKV_AWS_117: authorizer and bootstrap call services outside of the VPC; the others are inside
  #checkov:skip=CKV_AWS_173: nothing in the settings is secret; Lambda encrypts them with its own key
  #checkov:skip=CKV_AWS_272: every deployment checks the digest of the promoted package
  for_each = local.deployed

  function_name    = local.names[each.key]
  role             = aws_iam_role.function[each.key].arn
  handler          = each.value.handler
  runtime          = local.package.runtime
  architectures    = [local.package.architecture]
  memory_size      = each.value.memory_size
  timeout          = each.value.timeout
  filename         = "${path.module}/deployment.zip"
  source_code_hash = local.package.source_code_hash

  # Publish a version for every change. The alias points to the version that serves. A rollback moves the alias back.
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
    log_format = "Text" # the functions write JSON themselves
    log_group  = aws_cloudwatch_log_group.function[each.key].name
  }

  # Lambda can't create a function in the VPC before the function's role has its permissions.
  depends_on = [aws_iam_role_policy.function]

  lifecycle {
    precondition {
      condition     = length(local.settings_of_dependencies[each.key]) <= 2000
      error_message = "The dependencies are too long for the function's settings, for which AWS has 4 KB: declare fewer or shorter ones."
    }

    precondition {
      condition     = var.stage == local.package.stage
      error_message = "The package is for the stage ${local.package.stage}, but the environment is ${var.stage}: run `make package STAGE=${var.stage}`, then plan again."
    }
  }
}

resource "aws_lambda_alias" "live" {
  for_each = local.deployed

  name             = "live"
  description      = "Points to the version that serves. A deployment moves the alias after the migration"
  function_name    = aws_lambda_function.this[each.key].function_name
  function_version = aws_lambda_function.this[each.key].version

  lifecycle {
    # Terraform creates the alias and never moves it: code must not serve before the database is migrated. `make apply`
    # and `make rollback` move the alias. Its description names the previous version, if there is one.
    ignore_changes = [function_version, description]
  }
}
