Feature: The network lets nobody in and nothing out

  @noskip @database
  Scenario: No rule lets in every address
    Given I have ingress defined
    Then it must have sources
    And its value must not match the "^(0\.0\.0\.0/0|::/0|0000:.*/0)$" regex

  @noskip @database
  Scenario: No subnet gives out public addresses
    Given I have aws_subnet defined
    Then it must have map_public_ip_on_launch
    And its value must match the "^false$" regex

  # If your copy of this repository turns on `egress`, delete this scenario.
  @noskip
  Scenario: There is no gateway to the internet
    Given I have inventory defined
    Then it must have types
    And its value must not match the "^aws_(nat_gateway|internet_gateway|egress_only_internet_gateway|internet_gateway_attachment|vpc_peering_connection|ec2_transit_gateway.*|vpn_gateway|eip)$" regex

  @noskip @database
  Scenario: All traffic of the network is logged
    Given I have aws_flow_log defined
    Then it must have traffic_type
    And its value must match the "^ALL$" regex

  # The authorizer fetches the issuers' keys, and bootstrap calls AWS's Data API. Neither of them connects to the
  # database.
  @noskip
  Scenario: Functions are in the network, except the listed ones
    Given I have aws_lambda_function defined
    When its function_name is not "^${name}-(authorizer|bootstrap)$" regex
    Then it must have vpc_config
    And it must have subnet_ids

  @noskip
  Scenario: Functions in the network have a security group
    Given I have aws_lambda_function defined
    When its function_name is not "^${name}-(authorizer|bootstrap)$" regex
    Then it must have vpc_config
    And it must have security_group_ids
