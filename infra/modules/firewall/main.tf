# AWS's rules for what is never meant well, and a bound on how much one address may ask.

locals {
  # In order of their cost: what many can be refused by goes first.
  managed = ["AWSManagedRulesAmazonIpReputationList", "AWSManagedRulesKnownBadInputsRuleSet", "AWSManagedRulesCommonRuleSet"]
  # Deployments list thousands of commits, and records name the URLs of their runs: both are legitimate in a body.
  counted = { AWSManagedRulesCommonRuleSet = ["SizeRestrictions_BODY", "GenericRFI_BODY"] }
}

resource "aws_wafv2_web_acl" "this" {
  name        = "${var.name}-${lower(var.scope)}"
  description = "What ${var.name} refuses before it is asked"
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
        aggregate_key_type    = var.scope == "CLOUDFRONT" ? "IP" : "FORWARDED_IP"

        # The API sees CloudFront's addresses. What a forged header evades, the stage's throttling bounds.
        dynamic "forwarded_ip_config" {
          for_each = var.scope == "CLOUDFRONT" ? [] : ["X-Forwarded-For"]

          content {
            header_name       = forwarded_ip_config.value
            fallback_behavior = "MATCH"
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
  #checkov:skip=CKV_AWS_338: how long logs are kept is the environment's to say
  name              = "aws-waf-logs-${var.name}-${lower(var.scope)}" # WAF asks for the prefix
  retention_in_days = var.log_retention_days
  kms_key_id        = var.kms_key_arn
}

resource "aws_wafv2_web_acl_logging_configuration" "this" {
  resource_arn            = aws_wafv2_web_acl.this.arn
  log_destination_configs = [aws_cloudwatch_log_group.this.arn]

  redacted_fields {
    single_header {
      name = "authorization"
    }
  }
}
