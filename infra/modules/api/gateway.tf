resource "aws_api_gateway_rest_api" "this" {
  name                     = var.name
  description              = "The API of ${var.name}; openapi.json in the repository describes it"
  body                     = jsonencode(local.openapi)
  put_rest_api_mode        = "overwrite"
  binary_media_types       = []
  minimum_compression_size = local.package.minimum_compression_size

  endpoint_configuration {
    types = ["REGIONAL"]
  }

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_api_gateway_deployment" "this" {
  rest_api_id = aws_api_gateway_rest_api.this.id
  description = "The API that the stage serves"

  # A deployment is a snapshot: the stage serves a changed API only after a new deployment.
  triggers = {
    body = sha256(aws_api_gateway_rest_api.this.body)
  }

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_api_gateway_stage" "this" {
  #checkov:skip=CKV_AWS_120: answers depend on the caller; CloudFront caches the answers that allow it
  #checkov:skip=CKV2_AWS_4: the access log says why a request failed; execution logs would quote requests
  #checkov:skip=CKV2_AWS_51: callers identify themselves by tokens
  #checkov:skip=CKV2_AWS_29: infrastructure-main puts a firewall before the stage, unless the environment has none
  rest_api_id          = aws_api_gateway_rest_api.this.id
  deployment_id        = aws_api_gateway_deployment.this.id
  stage_name           = var.stage
  description          = var.name
  xray_tracing_enabled = true

  access_log_settings {
    destination_arn = aws_cloudwatch_log_group.access.arn

    # Do not log the header Authorization, which has the token. The answer's header X-Request-Id has the requestId.
    format = jsonencode({
      requestId        = "$context.requestId"
      requestTime      = "$context.requestTime"
      method           = "$context.httpMethod"
      path             = "$context.path"
      resource         = "$context.resourcePath"
      status           = "$context.status"
      principal        = "$context.authorizer.principalId"
      sourceIp         = "$context.identity.sourceIp"
      userAgent        = "$context.identity.userAgent"
      responseLength   = "$context.responseLength"
      responseLatency  = "$context.responseLatency"
      functionLatency  = "$context.integration.latency"
      functionStatus   = "$context.integration.integrationStatus"
      functionError    = "$context.integrationErrorMessage"
      authorizerStatus = "$context.authorizer.status"
      responseType     = "$context.error.responseType"
      traceId          = "$context.xrayTraceId"
    })
  }
}

resource "aws_api_gateway_method_settings" "this" {
  #checkov:skip=CKV_AWS_225: the stage does not cache answers: see its CKV_AWS_120
  rest_api_id = aws_api_gateway_rest_api.this.id
  stage_name  = aws_api_gateway_stage.this.stage_name
  method_path = "*/*"

  settings {
    metrics_enabled = var.detailed_metrics
    # The access log says why a request failed. Execution logs would quote requests, in a log group outside Terraform.
    logging_level      = "OFF"
    data_trace_enabled = false
    # API Gateway applies these limits to each method as well as it can, and may let more requests through. Below them is
    # the account's own limit, which all APIs of the region share ("Throttle requests to your REST APIs").
    throttling_rate_limit  = var.throttling.rate
    throttling_burst_limit = var.throttling.burst
  }
}

resource "aws_cloudwatch_log_group" "access" {
  name              = "/aws/apigateway/${var.name}"
  retention_in_days = var.log_retention_days
  kms_key_id        = var.kms_key_arn
}

# API Gateway may only invoke the alias, so no other version can be reached from outside.
resource "aws_lambda_permission" "gateway" {
  for_each = toset(["api", "authorizer"])

  statement_id  = "gateway"
  action        = "lambda:InvokeFunction"
  principal     = "apigateway.amazonaws.com"
  function_name = aws_lambda_function.this[each.key].function_name
  qualifier     = aws_lambda_alias.live[each.key].name
  source_arn    = "${aws_api_gateway_rest_api.this.execution_arn}/*"
}
