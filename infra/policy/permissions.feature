Feature: A role may do only what it is for

  # AWS adds actions over time. A wildcard would allow them too.
  @noskip
  Scenario: No permission has a wildcard in its action
    Given I have permission defined
    Then it must have grants
    And its value must match the "^([a-z0-9-]+:[a-z0-9]+ on|all of) " regex

  @noskip
  Scenario: No statement allows everything except a list
    Given I have statement defined
    Then it must have elements
    And its value must not match the "^Not" regex

  # AWS can't limit tracing and Lambda's network interfaces to resources.
  @noskip @stage
  Scenario: No role may act on all resources, except for traces and network interfaces
    Given I have permission defined
    Then it must have grants
    And its value must not match the "^(?!xray:Put(TraceSegments|TelemetryRecords) |ec2:((Create|Describe|Delete)NetworkInterfaces?|DescribeSubnets|(Assign|Unassign)PrivateIpAddresses) )\S+ on (\*|arn(:[^:\s]*){4}:\*(/\*)?)$" regex

  @noskip @stage
  Scenario: No role of an environment may change permissions
    Given I have permission defined
    Then it must have grants
    And its value must not match the "^(\*|iam:|organizations:|sts:)" regex

  # These scenarios are about an account's roles. They need more actions on all resources, such as kms:CreateKey.
  @noskip @account
  Scenario: No role of an account may use the data or secrets of all resources
    Given I have permission defined
    Then it must have grants
    And its value must not match the "^(s3:\S*Object\S*|secretsmanager:\S+|ssm:\S+|rds-db:\S+|rds-data:\S+|lambda:(Invoke|Update)\S+|kms:(Decrypt|Encrypt|ReEncrypt\S+|GenerateDataKey\S*|CreateGrant|PutKeyPolicy)) on (\*|arn(:[^:\s]*){4}:\*(/\*)?)$" regex

  # AWS's own roles for its services are below aws-service-role.
  @noskip @account
  Scenario: A role of an account may use or change only the roles of environments
    Given I have permission defined
    Then it must have grants
    And its value must not match the "^(iam:(?!Get|List)|organizations:|sts:)\S+ on (?!arn:aws[a-z-]*:iam::\d{12}:role/(${system}-${environments}[*-]|aws-service-role/))" regex

  # AWS adds permissions to its own policies over time. API Gateway accepts no role with fewer permissions, and
  # administrators may do everything.
  @noskip
  Scenario: No role has a policy of AWS's own, except API Gateway's for logs and the administrators'
    Given I have permission defined
    Then it must have grants
    And its value must not match the "^all of arn:aws[a-z-]*:iam::aws:policy/(?!service-role/AmazonAPIGatewayPushToCloudWatchLogs for ${system}-account-apigateway$|AdministratorAccess for ${system}-account-administrator$)" regex

  # Without the boundary, a pipeline that may create roles could do everything.
  @noskip @stage
  Scenario: Every role has the boundary of its environment and kind
    Given I have aws_iam_role defined
    Then it must have permissions_boundary
    And its value must match the "^arn:aws[a-z-]*:iam::\d{12}:policy/${system}-account-boundary-${environment}${kind}$" regex

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
