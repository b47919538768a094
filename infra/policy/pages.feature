Feature: The site's pages run only our own scripts
  The content security policy says what a page may load. Browsers follow it even if a page has a fault.

  @noskip @site
  Scenario: CloudFront adds our headers to every answer
    Given I have behavior defined
    Then it must have response_headers_policy_id
    And its value must match the "^(known after apply|[a-z0-9]{8})$" regex

  @noskip @site
  Scenario: The content security policy replaces any other
    Given I have content_security_policy defined
    Then it must have override
    And its value must match the "^true$" regex

  @noskip @site
  Scenario: Pages load nothing that the content security policy does not list
    Given I have content_security_policy defined
    Then it must have default-src
    And its value must match the "^'none'$" regex

  # A source is the site itself, or a host with https. So there is no wildcard, no `unsafe-inline`, `unsafe-eval`,
  # `data:` or `http:`, and no host without https.
  @noskip @site
  Scenario: Pages load only from the site, and call only hosts that have a name
    Given I have content_security_policy defined
    Then it must have sources
    And its value must match the "^(\S+ '(none|self)'|connect-src https://([a-z0-9-]+\.)+[a-z]+|require-trusted-types-for 'script'|trusted-types lit-html)$" regex

  @noskip @site
  Scenario: Scripts can't turn text into code
    Given I have content_security_policy defined
    Then it must have require-trusted-types-for
    And its value must match the "^'script'$" regex

  @noskip @site
  Scenario: No page can change the base of its addresses
    Given I have content_security_policy defined
    Then it must have base-uri
    And its value must match the "^'none'$" regex

  @noskip @site
  Scenario: No other page can show a page of the site in a frame
    Given I have content_security_policy defined
    Then it must have frame-ancestors
    And its value must match the "^'none'$" regex

  @noskip @site
  Scenario: No page sends a form
    Given I have content_security_policy defined
    Then it must have form-action
    And its value must match the "^'none'$" regex
