Feature: Production is protected from accidents and attacks

  @noskip @production @database
  Scenario: The database is protected from deletion
    Given I have aws_rds_cluster defined
    Then it must have deletion_protection
    And its value must match the "^true$" regex

  @noskip @production @database
  Scenario: Deleting the database leaves a snapshot
    Given I have aws_rds_cluster defined
    Then it must have skip_final_snapshot
    And its value must match the "^false$" regex

  @noskip @production @database
  Scenario: The database can be restored to any moment of the last two weeks
    Given I have aws_rds_cluster defined
    Then it must have backup_retention_period
    And its value must be greater and equal than 14

  @noskip @production @people
  Scenario: The user pool is protected from deletion
    Given I have aws_cognito_user_pool defined
    Then it must have deletion_protection
    And its value must match the "^ACTIVE$" regex

  @noskip @production @people
  Scenario: People sign in with a second factor
    Given I have aws_cognito_user_pool defined
    Then it must have mfa_configuration
    And its value must match the "^ON$" regex

  @noskip @production @site
  Scenario: A firewall is in front of the site
    Given I have aws_cloudfront_distribution defined
    Then it must have web_acl_id
    And its value must match the "^arn:aws[a-z-]*:wafv2:" regex

  @noskip @production
  Scenario: A firewall is in front of the API
    Given I have aws_wafv2_web_acl_association defined
    Then it must have resource_arn
    And its value must match the "^arn:aws[a-z-]*:apigateway:" regex

  @noskip @production
  Scenario: A deleted key can be restored for a month
    Given I have aws_kms_key defined
    Then it must have deletion_window_in_days
    And its value must be greater and equal than 30
