output "rest_api_id" {
  description = "Id of the REST API"
  value       = aws_api_gateway_rest_api.this.id
}

output "stage_name" {
  description = "Name of the API's stage, which is the first segment of its paths on the regional domain"
  value       = aws_api_gateway_stage.this.stage_name
}

output "invoke_domain" {
  description = "Host of the regional API, for a distribution to have as its origin"
  value       = "${aws_api_gateway_rest_api.this.id}.execute-api.${data.aws_region.this.name}.${data.aws_partition.this.dns_suffix}"
}

output "invoke_url" {
  description = "URL of the API without a distribution before it; paths like /v1/ready follow"
  value       = "https://${aws_api_gateway_rest_api.this.id}.execute-api.${data.aws_region.this.name}.${data.aws_partition.this.dns_suffix}/${aws_api_gateway_stage.this.stage_name}"
}

output "stage_arn" {
  description = "ARN of the API's stage, for a web ACL"
  value       = aws_api_gateway_stage.this.arn
}

output "function_names" {
  description = "Names of the functions on AWS, by what Chalice calls them; `api` serves the routes"
  value       = { for name, function in aws_lambda_function.this : name => function.function_name }
}

output "function_versions" {
  description = "The version of each function that was published last: what the deployment moves the alias to"
  value       = { for name, function in aws_lambda_function.this : name => function.version }
}

output "alias_name" {
  description = "The alias of each function that serves"
  value       = "live"
}

output "log_group_names" {
  description = "Log groups by function, and `access`: the gateway's access log"
  value       = merge({ for name, group in aws_cloudwatch_log_group.function : name => group.name }, { access = aws_cloudwatch_log_group.access.name })
}

output "package_digest" {
  description = "SHA-256 of the code that all functions share"
  value       = local.package.digest
}
