Feature: Data in transit is encrypted

  @noskip @database
  Scenario: The database accepts only TLS connections
    Given I have aws_rds_cluster_parameter_group defined
    Then it must have parameters
    And it must have rds.force_ssl
    And its value must match the "^1$" regex

  @noskip @buckets
  Scenario: Every bucket refuses requests without TLS
    Given I have bucket defined
    Then it must have refuses_what_is_not_encrypted

  @noskip @site
  Scenario: CloudFront serves nothing over HTTP
    Given I have aws_cloudfront_distribution defined
    Then it must have viewer_protocol_policy
    And its value must match the "^(https-only|redirect-to-https)$" regex

  # A redirect is too late: the caller has already sent the token in plain text.
  @noskip @site
  Scenario: CloudFront refuses API calls over HTTP, and does not redirect them
    Given I have aws_cloudfront_distribution defined
    Then it must have ordered_cache_behavior
    And it must have viewer_protocol_policy
    And its value must match the "^https-only$" regex

  @noskip @site
  Scenario: CloudFront requires TLS 1.2 or later on a domain of ours
    Given I have aws_cloudfront_distribution defined
    Then it must have tls
    And its value must match the "^(of CloudFront's own certificate|TLSv1\.[23]_20)" regex

  @noskip @site
  Scenario: CloudFront calls the API only over HTTPS
    Given I have aws_cloudfront_distribution defined
    Then it must have origin_protocol_policy
    And its value must match the "^https-only$" regex

  @noskip @site
  Scenario: CloudFront calls the API with TLS 1.2 or later
    Given I have aws_cloudfront_distribution defined
    Then it must have origin_ssl_protocols
    And its value must match the "^TLSv1\.[23]$" regex
