Feature: Logs expire, and alarms reach somebody

  @noskip @stage
  Scenario: Every log expires
    Given I have aws_cloudwatch_log_group defined
    Then it must have retention_in_days
    And its value must be greater than 0

  @noskip @stage
  Scenario: Every function writes to a log group of ours
    Given I have aws_lambda_function defined
    Then it must have logging_config
    And it must have log_group
    And its value must match the "^/aws/lambda/${name}-" regex

  @noskip @stage
  Scenario: The API has an access log
    Given I have aws_api_gateway_stage defined
    Then it must have access_log_settings
    And it must have destination_arn
    And its value must match the "^arn:aws[a-z-]*:" regex

  # Only the composite alarms notify. A workspace has no alarms, because its owner watches it.
  @noskip @environment
  Scenario: Every composite alarm has a topic to notify
    Given I have aws_cloudwatch_composite_alarm defined
    Then it must have alarm_actions
    And its value must match the "^arn:aws[a-z-]*:sns:" regex

  @noskip @production
  Scenario: Every composite alarm of production is on
    Given I have aws_cloudwatch_composite_alarm defined
    Then it must have actions_enabled
    And its value must match the "^true$" regex
