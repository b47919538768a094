Feature: What travels is encrypted

  @noskip @database
  Scenario: The database takes connections by TLS alone
    Given I have aws_rds_cluster_parameter_group defined
    Then it must have parameters
    And it must have rds.force_ssl
    And its value must match the "^1$" regex

  @noskip @site
  Scenario: Every bucket refuses what is not encrypted
    Given I have bucket defined
    Then it must have refuses_what_is_not_encrypted

  @noskip @site
  Scenario: CloudFront answers by HTTPS alone
    Given I have aws_cloudfront_distribution defined
    Then it must have viewer_protocol_policy
    And its value must match the "^(https-only|redirect-to-https)$" regex

  @noskip @site
  Scenario: A token never travels to CloudFront in the clear, to be redirected afterwards
    Given I have aws_cloudfront_distribution defined
    Then it must have ordered_cache_behavior
    And it must have viewer_protocol_policy
    And its value must match the "^https-only$" regex

  @noskip @site
  Scenario: CloudFront takes TLS 1.2 or later for a domain of ours
    Given I have aws_cloudfront_distribution defined
    Then it must have tls
    And its value must match the "^(of CloudFront's own certificate|TLSv1\.[23]_20)" regex

  @noskip @site
  Scenario: CloudFront asks the API by HTTPS alone
    Given I have aws_cloudfront_distribution defined
    Then it must have origin_protocol_policy
    And its value must match the "^https-only$" regex

  @noskip @site
  Scenario: CloudFront asks the API by TLS 1.2 or later
    Given I have aws_cloudfront_distribution defined
    Then it must have origin_ssl_protocols
    And its value must match the "^TLSv1\.[23]$" regex
