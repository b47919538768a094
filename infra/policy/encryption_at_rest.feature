Feature: Stored data is encrypted
  The environment's own key encrypts the database, its backups and logs. Nobody can read them without this key.

  @noskip @database
  Scenario: The database is encrypted
    Given I have aws_rds_cluster defined
    Then it must have storage_encrypted
    And its value must match the "^true$" regex

  @noskip @database
  Scenario: The database is encrypted with the environment's key
    Given I have aws_rds_cluster defined
    Then it must have kms_key_id
    And its value must match the "^arn:aws[a-z-]*:kms:" regex

  @noskip @database
  Scenario: The database's master password is encrypted with the environment's key
    Given I have aws_rds_cluster defined
    Then it must have master_user_secret_kms_key_id
    And its value must match the "^arn:aws[a-z-]*:kms:" regex

  @noskip @database
  Scenario: Performance Insights is encrypted with the environment's key
    Given I have aws_rds_cluster_instance defined
    Then it must have performance_insights_kms_key_id
    And its value must match the "^arn:aws[a-z-]*:kms:" regex

  @noskip @stage
  Scenario: Logs are encrypted with the environment's key
    Given I have aws_cloudwatch_log_group defined
    Then it must have kms_key_id
    And its value must match the "^arn:aws[a-z-]*:kms:" regex

  @noskip @environment
  Scenario: The topics of the alarms are encrypted with the environment's keys
    Given I have aws_sns_topic defined
    Then it must have kms_master_key_id
    And its value must match the "^arn:aws[a-z-]*:kms:" regex

  @noskip @buckets
  Scenario: Every bucket is encrypted
    Given I have bucket defined
    Then it must have encryption
    And it must have sse_algorithm
    And its value must match the "^(AES256|aws:kms)$" regex

  @noskip @stage
  Scenario: Keys are rotated
    Given I have aws_kms_key defined
    Then it must have enable_key_rotation
    And its value must match the "^true$" regex
