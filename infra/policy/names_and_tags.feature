Feature: Everything is named and tagged after its environment and workspace
  Names keep environments and workspaces apart.

  @noskip @stage
  Scenario: Every name starts with the environment and the workspace
    Given I have name defined
    Then it must have value
    And its value must match the "^(/aws/(lambda|apigateway|rds/cluster)/|/vpc/|alias/|aws-waf-logs-)?${name}([-/ ]|$)" regex

  @noskip @stage
  Scenario: Everything is tagged with its system
    Given I have tags defined
    Then it must have system
    And its value must match the "^${system}$" regex

  @noskip @stage
  Scenario: Everything is tagged with its environment
    Given I have tags defined
    Then it must have environment
    And its value must match the "^${environment}$" regex

  @noskip @stage
  Scenario: Everything is tagged with its workspace
    Given I have tags defined
    Then it must have workspace
    And its value must match the "^${workspace}$" regex

  @noskip @stage
  Scenario: Everything is tagged with its owner
    Given I have tags defined
    Then it must have owner
    And its value must match the "\S+" regex
