Feature: The network lets nobody in and nothing out

  # A rule that names another security group has no address.
  @noskip
  Scenario: Rules let in traffic only from private addresses
    Given I have ingress defined
    Then it must have addresses
    And its value must match the "^(no address|10\.[\d.]+/([89]|[12]\d|3[0-2])|172\.(1[6-9]|2\d|3[01])\.[\d.]+/(1[2-9]|2\d|3[0-2])|192\.168\.[\d.]+/(1[6-9]|2\d|3[0-2]))$" regex

  # If your copy of this repository turns on `egress`, delete this scenario and the next two.
  @noskip
  Scenario: Rules let out traffic only to private addresses
    Given I have egress defined
    Then it must have addresses
    And its value must match the "^(no address|10\.[\d.]+/([89]|[12]\d|3[0-2])|172\.(1[6-9]|2\d|3[01])\.[\d.]+/(1[2-9]|2\d|3[0-2])|192\.168\.[\d.]+/(1[6-9]|2\d|3[0-2]))$" regex

  @noskip
  Scenario: There is no route out of the network
    Given I have inventory defined
    Then it must have routes
    And its value must match the "^none$" regex

  @noskip @database
  Scenario: No subnet gives out public addresses
    Given I have aws_subnet defined
    Then it must have map_public_ip_on_launch
    And its value must match the "^false$" regex

  @noskip
  Scenario: There is no gateway to the internet
    Given I have inventory defined
    Then it must have types
    And its value must not match the "^aws_(nat_gateway|(egress_only_)?internet_gateway.*|vpc_peering_connection.*|ec2_(transit|carrier|local)_gateway.*|vpn_.*|customer_gateway|dx_.*|networkmanager_.*|vpclattice_.*|eip|default_vpc|default_subnet)$" regex

  @noskip @database
  Scenario: All traffic of the network is logged
    Given I have aws_flow_log defined
    Then it must have traffic_type
    And its value must match the "^ALL$" regex

  # The authorizer fetches the issuers' keys, and bootstrap calls AWS's Data API. Neither of them connects to the
  # database.
  @noskip @stage
  Scenario: Functions are in the network, except the listed ones
    Given I have aws_lambda_function defined
    When its function_name is not "^${name}-(authorizer|bootstrap)$" regex
    Then it must have vpc_config
    And it must have subnet_ids

  @noskip @stage
  Scenario: Functions in the network have a security group
    Given I have aws_lambda_function defined
    When its function_name is not "^${name}-(authorizer|bootstrap)$" regex
    Then it must have vpc_config
    And it must have security_group_ids
