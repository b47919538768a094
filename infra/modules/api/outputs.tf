output "rest_api_id" {
  description = "Id of the REST API."
  value       = aws_api_gateway_rest_api.this.id
}

output "stage_name" {
  description = "Name of the API's stage: the first segment of its paths on the regional domain."
  value       = aws_api_gateway_stage.this.stage_name
}

output "invoke_domain" {
  description = "Host name of the regional API, for a distribution's origin."
  value       = "${aws_api_gateway_rest_api.this.id}.execute-api.${data.aws_region.this.name}.${data.aws_partition.this.dns_suffix}"
}

output "invoke_url" {
  description = "URL of the regional API, without CloudFront. Append paths such as /v1/ready."
  value       = "https://${aws_api_gateway_rest_api.this.id}.execute-api.${data.aws_region.this.name}.${data.aws_partition.this.dns_suffix}/${aws_api_gateway_stage.this.stage_name}"
}

output "stage_arn" {
  description = "ARN of the API's stage, for a web ACL."
  value       = aws_api_gateway_stage.this.arn
}

output "function_names" {
  description = "Names of the functions on AWS, by their names in Chalice. `api` serves the API."
  value       = { for name, function in aws_lambda_function.this : name => function.function_name }
}

output "functions" {
  description = "Name and timeout of each function, for its alarms."
  value       = { for name, function in aws_lambda_function.this : name => { name = function.function_name, timeout_seconds = function.timeout } }
}

output "function_versions" {
  description = "The newest version of each function, to which a deployment moves the alias."
  value       = { for name, function in aws_lambda_function.this : name => function.version }
}

output "alias_name" {
  description = "Name of the alias in each function that points to the version that serves."
  value       = "live"
}

output "log_group_names" {
  description = "Names of the log groups, by function. `access` is API Gateway's access log."
  value       = merge({ for name, group in aws_cloudwatch_log_group.function : name => group.name }, { access = aws_cloudwatch_log_group.access.name })
}

output "package_digest" {
  description = "SHA-256 of the code that all functions share."
  value       = local.package.digest
}
