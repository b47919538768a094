# AWS's rules against known attacks, and a limit on the requests of one address.
#
# The limit counts by the address of the connection, which nobody can forge. The header X-Forwarded-For is no alternative:
# WAF counts by the first address in it, which the client writes, and does not apply the rule at all without the header.
# So a client could use up the limit of another, or have none:
# https://docs.aws.amazon.com/waf/latest/developerguide/waf-rule-statement-forwarded-ip-address.html
#
# - In front of the site, the connection's address is the client's.
# - In front of the API, it is the client's too if the client calls the API directly. Through the site, it is an address
#   of CloudFront, which many clients share. Their requests were counted in front of the site already, so the API's
#   firewall does not count them again. It knows them by a header with a secret that only the distribution sends.
#
# The stage's throttling limits the requests of all addresses to a method, as well as API Gateway can.
#
# Blocked requests get problems. API Gateway makes them for its firewall (WAF_FILTERED). CloudFront would answer with a
# page of HTML, so its firewall brings them. WAF sets their type: it does not let rules set the header Content-Type.
# https://docs.aws.amazon.com/waf/latest/developerguide/customizing-the-response-for-blocked-requests.html

locals {
  problems = var.scope == "REGIONAL" ? {} : {
    too_many = {
      type   = "/problems/throttled"
      title  = "Too many requests"
      status = 429
      detail = "There are too many requests from this address: try again in five minutes"
    }
    refused = {
      type   = "/problems/forbidden"
      title  = "Not allowed"
      status = 403
      detail = "The firewall refuses this request: change its content or its address"
    }
  }

  # CloudFront replaces a header of this name that a client sends.
  header_of_site = "x-from-site"

  # AWS's groups of rules, the cheapest first.
  managed = ["AWSManagedRulesAmazonIpReputationList", "AWSManagedRulesKnownBadInputsRuleSet", "AWSManagedRulesCommonRuleSet"]
  # Only count the requests that these rules match: bodies may list thousands of commits and contain URLs of runs.
  counted = { AWSManagedRulesCommonRuleSet = ["SizeRestrictions_BODY", "GenericRFI_BODY"] }
  # A rule of AWS answers with a problem only if it is named here. WAF ignores the name of a rule that does not exist. A
  # rule that AWS adds later still blocks, with CloudFront's own page.
  # https://docs.aws.amazon.com/waf/latest/APIReference/API_RuleActionOverride.html
  blocked = var.scope == "REGIONAL" ? {} : {
    AWSManagedRulesAmazonIpReputationList = ["AWSManagedIPReputationList", "AWSManagedReconnaissanceList"]
    AWSManagedRulesKnownBadInputsRuleSet = [
      "ExploitablePaths_URIPATH", "Host_localhost_HEADER", "JavaDeserializationRCE_BODY",
      "JavaDeserializationRCE_HEADER", "JavaDeserializationRCE_QUERYSTRING", "JavaDeserializationRCE_URIPATH",
      "Log4JRCE_BODY", "Log4JRCE_HEADER", "Log4JRCE_QUERYSTRING", "Log4JRCE_URIPATH", "PROPFIND_METHOD",
    ]
    AWSManagedRulesCommonRuleSet = [
      "CrossSiteScripting_BODY", "CrossSiteScripting_COOKIE", "CrossSiteScripting_QUERYARGUMENTS",
      "CrossSiteScripting_URIPATH", "EC2MetaDataSSRF_BODY", "EC2MetaDataSSRF_COOKIE", "EC2MetaDataSSRF_QUERYARGUMENTS",
      "EC2MetaDataSSRF_URIPATH", "GenericLFI_BODY", "GenericLFI_QUERYARGUMENTS", "GenericLFI_URIPATH",
      "GenericRFI_QUERYARGUMENTS", "GenericRFI_URIPATH", "NoUserAgent_HEADER", "RestrictedExtensions_QUERYARGUMENTS",
      "RestrictedExtensions_URIPATH", "SizeRestrictions_Cookie_HEADER", "SizeRestrictions_QUERYSTRING",
      "SizeRestrictions_URIPATH", "UserAgent_BadBots_HEADER",
    ]
  }
}

resource "aws_wafv2_web_acl" "this" {
  name        = "${var.name}-${lower(var.scope)}"
  description = "Refuses attacks and floods before they reach ${var.name}"
  scope       = var.scope

  default_action {
    allow {}
  }

  dynamic "custom_response_body" {
    for_each = local.problems

    content {
      key          = custom_response_body.key
      content      = jsonencode(custom_response_body.value)
      content_type = "APPLICATION_JSON"
    }
  }

  rule {
    name     = "rate"
    priority = 0

    action {
      block {
        dynamic "custom_response" {
          for_each = { for key, problem in local.problems : key => problem if key == "too_many" }

          content {
            response_code            = custom_response.value.status
            custom_response_body_key = custom_response.key

            response_header {
              name  = "Retry-After"
              value = "300"
            }
          }
        }
      }
    }

    statement {
      rate_based_statement {
        limit                 = var.rate_limit
        evaluation_window_sec = 300
        aggregate_key_type    = "IP"

        dynamic "scope_down_statement" {
          for_each = nonsensitive(var.site == null) ? [] : ["other requests than those of the site"]

          content {
            not_statement {
              statement {
                byte_match_statement {
                  positional_constraint = "EXACTLY"
                  search_string         = var.site.secret

                  field_to_match {
                    single_header {
                      name = local.header_of_site
                    }
                  }

                  text_transformation {
                    priority = 0
                    type     = "NONE"
                  }
                }
              }
            }
          }
        }
      }
    }

    visibility_config {
      metric_name                = "${var.name}-rate"
      cloudwatch_metrics_enabled = true
      sampled_requests_enabled   = true
    }
  }

  dynamic "rule" {
    for_each = local.managed

    content {
      name     = rule.value
      priority = rule.key + 1

      override_action {
        none {}
      }

      statement {
        managed_rule_group_statement {
          name        = rule.value
          vendor_name = "AWS"

          dynamic "rule_action_override" {
            for_each = lookup(local.counted, rule.value, [])

            content {
              name = rule_action_override.value

              action_to_use {
                count {}
              }
            }
          }

          dynamic "rule_action_override" {
            for_each = lookup(local.blocked, rule.value, [])

            content {
              name = rule_action_override.value

              action_to_use {
                block {
                  custom_response {
                    response_code            = local.problems.refused.status
                    custom_response_body_key = "refused"
                  }
                }
              }
            }
          }
        }
      }

      visibility_config {
        metric_name                = "${var.name}-${rule.value}"
        cloudwatch_metrics_enabled = true
        sampled_requests_enabled   = true
      }
    }
  }

  visibility_config {
    metric_name                = "${var.name}-${lower(var.scope)}"
    cloudwatch_metrics_enabled = true
    sampled_requests_enabled   = true
  }
}

resource "aws_wafv2_web_acl_association" "this" {
  count = var.scope == "REGIONAL" ? 1 : 0

  web_acl_arn  = aws_wafv2_web_acl.this.arn
  resource_arn = var.resource_arn
}

resource "aws_cloudwatch_log_group" "this" {
  #checkov:skip=CKV_AWS_338: each environment chooses how long it keeps logs
  name              = "aws-waf-logs-${var.name}-${lower(var.scope)}" # WAF requires this prefix
  retention_in_days = var.log_retention_days
  kms_key_id        = var.kms_key_arn
}

resource "aws_wafv2_web_acl_logging_configuration" "this" {
  resource_arn            = aws_wafv2_web_acl.this.arn
  log_destination_configs = [aws_cloudwatch_log_group.this.arn]

  dynamic "redacted_fields" {
    for_each = ["authorization", local.header_of_site]

    content {
      single_header {
        name = redacted_fields.value
      }
    }
  }
}
