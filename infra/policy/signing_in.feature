Feature: Only people whom an administrator added can sign in

  @noskip @people
  Scenario: Nobody can sign up
    Given I have aws_cognito_user_pool defined
    Then it must have allow_admin_create_user_only
    And its value must match the "^true$" regex

  # Another provider's people would get an account when they sign in for the first time.
  @noskip @people
  Scenario: Nobody signs in with another provider's account
    Given I have aws_cognito_user_pool_client defined
    Then it must have supported_identity_providers
    And its value must match the "^COGNITO$" regex

  @noskip @people
  Scenario: An authenticator app can be the second factor
    Given I have aws_cognito_user_pool defined
    Then it must have software_token_mfa_configuration
    And it must have enabled
    And its value must match the "^true$" regex

  # The implicit flow would put tokens into addresses, which browsers and logs keep.
  @noskip @people
  Scenario: Tokens are given only for a code
    Given I have aws_cognito_user_pool_client defined
    Then it must have allowed_oauth_flows
    And its value must match the "^code$" regex

  # Otherwise any program could ask people for their passwords and sign in.
  @noskip @people
  Scenario: Passwords are accepted only on the sign-in page
    Given I have aws_cognito_user_pool_client defined
    Then it must have explicit_auth_flows
    And its value must match the "^ALLOW_REFRESH_TOKEN_AUTH$" regex

  @noskip @people
  Scenario: The sign-in does not reveal who has an account
    Given I have aws_cognito_user_pool_client defined
    Then it must have prevent_user_existence_errors
    And its value must match the "^ENABLED$" regex

  @noskip @people
  Scenario: Signing out revokes the tokens
    Given I have aws_cognito_user_pool_client defined
    Then it must have enable_token_revocation
    And its value must match the "^true$" regex
