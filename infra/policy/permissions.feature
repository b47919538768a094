Feature: A role may do what it is for

  # Traces, and Lambda's interfaces in a network, have no resource to name: actions without a wildcard may be on all.
  @noskip
  Scenario: No wildcard among the actions where the resource is everything
    Given I have permission defined
    Then it must have grants
    And its value must not match the "^\S*[*?]\S* on (\*|arn(:[^:\s]*){4}:\*(/\*)?)$" regex

  @noskip
  Scenario: Nothing may change what others may do
    Given I have permission defined
    Then it must have grants
    And its value must not match the "^(\*|iam:|organizations:|sts:AssumeRole)" regex

  @noskip
  Scenario: No policy of AWS's own, which allows more with every year
    Given I have permission defined
    Then it must have grants
    And its value must not match the "^all of arn:aws[a-z-]*:iam::aws:policy/" regex

  @noskip
  Scenario: Nobody has a key that lasts
    Given I have inventory defined
    Then it must have types
    And its value must not match the "^aws_iam_(user|access_key|service_specific_credential)$" regex

  @noskip @database
  Scenario: People and functions log in to the database by IAM
    Given I have aws_rds_cluster defined
    Then it must have iam_database_authentication_enabled
    And its value must match the "^true$" regex

  @noskip @database
  Scenario: The master's password is nobody's to know
    Given I have aws_rds_cluster defined
    Then it must have manage_master_user_password
    And its value must match the "^true$" regex
