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
# The stage's throttling limits all requests together.

locals {
  # CloudFront replaces a header of this name that a client sends.
  header_of_site = "x-from-site"

  # AWS's groups of rules, the cheapest first.
  managed = ["AWSManagedRulesAmazonIpReputationList", "AWSManagedRulesKnownBadInputsRuleSet", "AWSManagedRulesCommonRuleSet"]
  # Only count the requests that these rules match: bodies may list thousands of commits and contain URLs of runs.
  counted = { AWSManagedRulesCommonRuleSet = ["SizeRestrictions_BODY", "GenericRFI_BODY"] }
}

resource "aws_wafv2_web_acl" "this" {
  name        = "${var.name}-${lower(var.scope)}"
  description = "Refuses attacks and floods before they reach ${var.name}"
  scope       = var.scope

  default_action {
    allow {}
  }

  rule {
    name     = "rate"
    priority = 0

    action {
      block {}
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
