Feature: Nothing is public but the CDN and the API

  @noskip @buckets
  Scenario: No bucket accepts a public ACL
    Given I have bucket defined
    Then it must have public_access_block
    And it must have block_public_acls
    And its value must match the "^true$" regex

  @noskip @buckets
  Scenario: No bucket accepts a public policy
    Given I have bucket defined
    Then it must have public_access_block
    And it must have block_public_policy
    And its value must match the "^true$" regex

  @noskip @buckets
  Scenario: Every bucket ignores a public ACL that it has
    Given I have bucket defined
    Then it must have public_access_block
    And it must have ignore_public_acls
    And its value must match the "^true$" regex

  @noskip @buckets
  Scenario: Every bucket ignores a public policy that it has
    Given I have bucket defined
    Then it must have public_access_block
    And it must have restrict_public_buckets
    And its value must match the "^true$" regex

  @noskip
  Scenario: Nobody gets access without being named
    Given I have access defined
    Then it must have principals
    And its value must not match the "(^|.*:)\*$" regex

  @noskip @stage
  Scenario: A service may call a function only for one of our resources
    Given I have aws_lambda_permission defined
    Then it must have source_arn
    And its value must match the "^arn:aws" regex

  @noskip @database
  Scenario: The database has no public address
    Given I have aws_rds_cluster_instance defined
    Then it must have publicly_accessible
    And its value must match the "^false$" regex

  @noskip
  Scenario: Nothing else can be reached from the internet
    Given I have inventory defined
    Then it must have types
    And its value must not match the "^aws_(lambda_function_url|a?lb|elb|eip|instance|launch_template|ecs_service|apprunner_service|appsync_graphql_api|apigatewayv2_api|db_instance|globalaccelerator_accelerator|transfer_server|ec2_client_vpn_endpoint|opensearch_domain|sns_topic_policy)$" regex
