mock_provider "aws" {
  source = "../mocks"
}

# Only plan: Terraform takes a second each time that it reads a firewall's rules.
override_resource {
  target          = aws_wafv2_web_acl.this
  override_during = plan
  values          = { arn = "arn:aws:wafv2:eu-central-1:210987654321:regional/webacl/mocked/1" }
}

variables {
  name               = "service-production"
  log_retention_days = 365
  kms_key_arn        = "arn:aws:kms:eu-central-1:210987654321:key/1"
}

run "before_the_api" {
  command = plan

  variables {
    scope        = "REGIONAL"
    resource_arn = "arn:aws:apigateway:eu-central-1::/restapis/api1/stages/production"
  }

  assert {
    condition = (
      aws_wafv2_web_acl.this.scope == "REGIONAL" && length(aws_wafv2_web_acl_association.this) == 1 &&
      one(aws_wafv2_web_acl_association.this).web_acl_arn == aws_wafv2_web_acl.this.arn && one(aws_wafv2_web_acl_association.this).resource_arn == var.resource_arn
    )
    error_message = "The firewall must protect the given stage."
  }

  assert {
    condition     = aws_wafv2_web_acl.this.name == "service-production-regional" && aws_cloudwatch_log_group.this.name == "aws-waf-logs-service-production-regional"
    error_message = "The name must contain environment and scope, because an environment has a firewall for each scope."
  }

  assert {
    condition = [for rule in aws_wafv2_web_acl.this.rule : [for rate in rule.statement[0].rate_based_statement : {
      limit   = rate.limit
      seconds = rate.evaluation_window_sec
      by      = rate.aggregate_key_type
      header  = length(rate.forwarded_ip_config)
      some    = length(rate.scope_down_statement)
    }] if rule.name == "rate"] == [[{ limit = 3000, seconds = 300, by = "IP", header = 0, some = 0 }]]
    error_message = "The limit must count all requests by the connection's address, and trust no header."
  }

  assert {
    condition = { for rule in aws_wafv2_web_acl.this.rule : rule.name => rule.priority } == {
      rate                                  = 0
      AWSManagedRulesAmazonIpReputationList = 1
      AWSManagedRulesKnownBadInputsRuleSet  = 2
      AWSManagedRulesCommonRuleSet          = 3
    }
    error_message = "The firewall must have these rules, in this order."
  }

  assert {
    condition = alltrue([for rule in aws_wafv2_web_acl.this.rule :
      rule.name == "rate" ? length(rule.action[0].block) == 1 : length(rule.override_action[0].none) == 1 && length(rule.override_action[0].count) == 0
    ])
    error_message = "Each rule must refuse the requests that it matches, and not only count them."
  }

  assert {
    condition = { for rule in aws_wafv2_web_acl.this.rule : rule.name => toset(flatten([
      for group in rule.statement[0].managed_rule_group_statement : group.rule_action_override[*].name
      ])) if rule.name != "rate" } == {
      AWSManagedRulesAmazonIpReputationList = toset([])
      AWSManagedRulesKnownBadInputsRuleSet  = toset([])
      AWSManagedRulesCommonRuleSet          = toset(["GenericRFI_BODY", "SizeRestrictions_BODY"])
    }
    error_message = "Two of AWS's rules must only count, since bodies are long and contain URLs."
  }
}

run "before_the_api_behind_a_site" {
  command = plan

  variables {
    scope        = "REGIONAL"
    resource_arn = "arn:aws:apigateway:eu-central-1::/restapis/api1/stages/production"
    site         = { secret = "6f1c9a52" }
  }

  assert {
    condition = nonsensitive([for rule in aws_wafv2_web_acl.this.rule : [for rate in rule.statement[0].rate_based_statement : {
      by     = rate.aggregate_key_type
      header = length(rate.forwarded_ip_config)
      except = [for match in rate.scope_down_statement[0].not_statement[0].statement[0].byte_match_statement : {
        header = match.field_to_match[0].single_header[0].name
        value  = match.search_string
        how    = match.positional_constraint
        after  = [for transformation in match.text_transformation : transformation.type]
      }]
      }] if rule.name == "rate"]) == [[{
      by     = "IP"
      header = 0
      except = [{ header = output.header_of_site, value = "6f1c9a52", how = "EXACTLY", after = ["NONE"] }]
    }]]
    error_message = "The limit must count by the connection's address all requests but those with the site's secret, which the site's firewall counts."
  }
}

run "before_the_site" {
  command = plan

  variables {
    scope      = "CLOUDFRONT"
    rate_limit = 100
  }

  assert {
    condition     = length(aws_wafv2_web_acl_association.this) == 0 && aws_wafv2_web_acl.this.scope == "CLOUDFRONT" && output.web_acl_arn == aws_wafv2_web_acl.this.arn
    error_message = "A firewall of CloudFront must be attached to no stage: the distribution names it."
  }

  assert {
    condition     = aws_wafv2_web_acl.this.name == "service-production-cloudfront" && aws_cloudwatch_log_group.this.name == "aws-waf-logs-service-production-cloudfront"
    error_message = "The name must contain environment and scope."
  }

  assert {
    condition = [for rule in aws_wafv2_web_acl.this.rule : [for rate in rule.statement[0].rate_based_statement : {
      limit  = rate.limit
      by     = rate.aggregate_key_type
      header = length(rate.forwarded_ip_config)
    }] if rule.name == "rate"] == [[{ limit = 100, by = "IP", header = 0 }]]
    error_message = "CloudFront sees the client's address, so the limit must trust no header."
  }

  assert {
    condition = alltrue([for rule in aws_wafv2_web_acl.this.rule : alltrue(flatten([
      for group in rule.statement[0].managed_rule_group_statement : [for override in group.rule_action_override :
        length(override.action_to_use[0].count) == 1 ? contains(["GenericRFI_BODY", "SizeRestrictions_BODY"], override.name) : (
          override.action_to_use[0].block[0].custom_response[0].response_code == 403 &&
          override.action_to_use[0].block[0].custom_response[0].custom_response_body_key == "refused"
        )
      ]
    ])) if rule.name != "rate"])
    error_message = "Each named rule of AWS must block with a problem, but the two that only count."
  }

  assert {
    condition = { for rule in aws_wafv2_web_acl.this.rule : rule.name => length(flatten([
      for group in rule.statement[0].managed_rule_group_statement : group.rule_action_override[*].name
      ])) if rule.name != "rate" } == {
      AWSManagedRulesAmazonIpReputationList = 2
      AWSManagedRulesKnownBadInputsRuleSet  = 11
      AWSManagedRulesCommonRuleSet          = 22
    }
    error_message = "Each rule of AWS must be named, because CloudFront answers others with a page of HTML."
  }

  assert {
    condition = [for rule in aws_wafv2_web_acl.this.rule : [for answer in rule.action[0].block[0].custom_response : {
      status = answer.response_code
      body   = answer.custom_response_body_key
      after  = [for header in answer.response_header : "${header.name}: ${header.value}"]
    }] if rule.name == "rate"] == [[{ status = 429, body = "too_many", after = ["Retry-After: 300"] }]]
    error_message = "A client that sends too much must get a problem that says when to try again."
  }

  assert {
    condition = { for body in aws_wafv2_web_acl.this.custom_response_body : body.key => jsondecode(body.content).status } == {
      too_many = 429
      refused  = 403
    } && alltrue([for body in aws_wafv2_web_acl.this.custom_response_body : body.content_type == "APPLICATION_JSON"])
    error_message = "The firewall must have both problems."
  }
}

run "requests_are_logged_without_the_token" {
  command = plan

  variables { scope = "CLOUDFRONT" }

  assert {
    condition     = aws_cloudwatch_log_group.this.retention_in_days == 365 && aws_cloudwatch_log_group.this.kms_key_id == var.kms_key_arn
    error_message = "The log must be kept for the given days, and encrypted with the given key."
  }

  assert {
    condition     = toset([for field in aws_wafv2_web_acl_logging_configuration.this.redacted_fields : one(field.single_header).name]) == toset(["authorization", output.header_of_site])
    error_message = "Tokens and the site's secret must not be logged."
  }
}
