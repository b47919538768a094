# Values as AWS would return them, mostly ARNs. The mock provider of `terraform test` makes up other values, which some
# arguments refuse.

mock_data "aws_availability_zones" {
  defaults = { names = ["eu-central-1a", "eu-central-1b", "eu-central-1c"] }
}

mock_data "aws_caller_identity" {
  defaults = { account_id = "210987654321" }
}

mock_data "aws_partition" {
  defaults = { partition = "aws", dns_suffix = "amazonaws.com" }
}

mock_data "aws_region" {
  defaults = { name = "eu-central-1" }
}

mock_data "aws_rds_cluster" {
  defaults = { arn = "arn:aws:rds:eu-central-1:210987654321:cluster:environment", endpoint = "environment.example", cluster_resource_id = "cluster-ENVIRONMENT", database_name = "service", port = 5432 }
}

mock_data "aws_subnets" {
  defaults = { ids = ["subnet-1", "subnet-2"] }
}

mock_data "aws_cognito_user_pools" {
  defaults = { ids = ["eu-central-1_environment"] }
}

mock_data "aws_cognito_user_pool_clients" {
  defaults = { client_ids = ["client-of-the-environment"] }
}

mock_resource "aws_api_gateway_rest_api" {
  defaults = { id = "api1", execution_arn = "arn:aws:execute-api:eu-central-1:210987654321:api1" }
}

mock_resource "aws_api_gateway_stage" {
  defaults = { arn = "arn:aws:apigateway:eu-central-1::/restapis/api1/stages/mocked" }
}

mock_resource "aws_cloudfront_distribution" {
  defaults = {
    arn         = "arn:aws:cloudfront::210987654321:distribution/E1"
    domain_name = "d1.cloudfront.net"
  }
}

mock_resource "aws_cloudfront_function" {
  defaults = { arn = "arn:aws:cloudfront::210987654321:function/mocked" }
}

mock_resource "aws_cloudfront_key_value_store" {
  defaults = { arn = "arn:aws:cloudfront::210987654321:key-value-store/mocked" }
}

mock_resource "aws_cloudwatch_event_rule" {
  defaults = { arn = "arn:aws:events:eu-central-1:210987654321:rule/mocked" }
}

mock_resource "aws_cloudwatch_metric_alarm" {
  defaults = { arn = "arn:aws:cloudwatch:eu-central-1:210987654321:alarm:mocked" }
}

mock_resource "aws_cloudwatch_log_group" {
  defaults = { arn = "arn:aws:logs:eu-central-1:210987654321:log-group:mocked" }
}

mock_resource "aws_cognito_user_pool" {
  defaults = { id = "eu-central-1_own" }
}

mock_resource "aws_cognito_user_pool_client" {
  defaults = { id = "own-client" }
}

mock_resource "aws_iam_openid_connect_provider" {
  defaults = { arn = "arn:aws:iam::210987654321:oidc-provider/mocked" }
}

mock_resource "aws_iam_policy" {
  defaults = { arn = "arn:aws:iam::210987654321:policy/mocked" }
}

mock_resource "aws_iam_role" {
  defaults = { arn = "arn:aws:iam::210987654321:role/mocked" }
}

mock_resource "aws_kms_key" {
  defaults = { arn = "arn:aws:kms:eu-central-1:210987654321:key/mocked" }
}

mock_resource "aws_lambda_alias" {
  defaults = { arn = "arn:aws:lambda:eu-central-1:210987654321:function:mocked:live" }
}

mock_resource "aws_rds_cluster" {
  defaults = { arn = "arn:aws:rds:eu-central-1:210987654321:cluster:mocked" }
}

mock_resource "aws_s3_bucket" {
  defaults = { arn = "arn:aws:s3:::mocked", bucket_regional_domain_name = "mocked.s3.eu-central-1.amazonaws.com" }
}

mock_resource "aws_secretsmanager_secret" {
  defaults = { arn = "arn:aws:secretsmanager:eu-central-1:210987654321:secret:mocked" }
}

mock_resource "aws_sns_topic" {
  defaults = { arn = "arn:aws:sns:eu-central-1:210987654321:mocked" }
}

mock_resource "aws_wafv2_web_acl" {
  defaults = { arn = "arn:aws:wafv2:eu-central-1:210987654321:regional/webacl/mocked/1" }
}
