Feature: A role may do only what it is for

  # AWS can't limit tracing and Lambda's network interfaces to resources. So an action without a wildcard may be allowed
  # on all resources.
  @noskip
  Scenario: No action with a wildcard is allowed on all resources
    Given I have permission defined
    Then it must have grants
    And its value must not match the "^\S*[*?]\S* on (\*|arn(:[^:\s]*){4}:\*(/\*)?)$" regex

  @noskip
  Scenario: No role may change permissions
    Given I have permission defined
    Then it must have grants
    And its value must not match the "^(\*|iam:|organizations:|sts:AssumeRole)" regex

  # AWS adds permissions to its own policies over time.
  @noskip
  Scenario: No role has a policy of AWS's own
    Given I have permission defined
    Then it must have grants
    And its value must not match the "^all of arn:aws[a-z-]*:iam::aws:policy/" regex

  @noskip
  Scenario: Nobody has a permanent access key
    Given I have inventory defined
    Then it must have types
    And its value must not match the "^aws_iam_(user|access_key|service_specific_credential)$" regex

  @noskip @database
  Scenario: The database accepts logins by IAM
    Given I have aws_rds_cluster defined
    Then it must have iam_database_authentication_enabled
    And its value must match the "^true$" regex

  @noskip @database
  Scenario: AWS keeps the database's master password
    Given I have aws_rds_cluster defined
    Then it must have manage_master_user_password
    And its value must match the "^true$" regex
