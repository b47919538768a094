# One composite alarm notifies, whatever begins. Its message names the alarm that began, and each alarm names its
# runbook. While the composite alarm lasts, it sends no second message. So an alarm that has to wait is silenced in
# objectives.json: then it is still on the dashboard.

locals {
  console = "https://${data.aws_region.this.name}.console.aws.amazon.com/cloudwatch/home?region=${data.aws_region.this.name}#dashboards/dashboard"
  look_at = "Look at ${local.console}/${local.on_call}, then follow docs/runbooks/<alarm>.md."

  # The conditions of the composite alarms, by kind. A burning promise needs both windows of a pair.
  begun           = { for name, alarm in aws_cloudwatch_metric_alarm.this : name => format("ALARM(%q)", alarm.alarm_name) }
  begun_us_east_1 = { for name, alarm in aws_cloudwatch_metric_alarm.us_east_1 : name => format("ALARM(%q)", alarm.alarm_name) }
  windows_of      = { for pair in ["fast", "slow"] : pair => [for window, each in local.windows : window if each.pair == pair] }
  burn_conditions = flatten([for name, promise in local.promises : [for windows in values(local.windows_of) : {
    kind = promise.kind
    rule = format("(%s)", join(" AND ", [for window in windows : local.begun[format("%s-%s", name, window)]]))
  }]])
  conditions           = concat(local.burn_conditions, [for name, each in local.watched : { kind = each.kind, rule = local.begun[name] }])
  conditions_us_east_1 = [for name, each in local.watched_us_east_1 : { kind = each.kind, rule = local.begun_us_east_1[name] }]

  rule           = [for each in local.conditions : each.rule if !contains(keys(var.objectives.silenced), each.kind)]
  rule_us_east_1 = [for each in local.conditions_us_east_1 : each.rule if !contains(keys(var.objectives.silenced), each.kind)]
}

resource "aws_cloudwatch_composite_alarm" "this" {
  alarm_name        = var.name
  alarm_description = "Something is wrong in ${var.environment}. ${local.look_at}"
  alarm_rule        = length(local.rule) == 0 ? "FALSE" : join(" OR ", local.rule)
  actions_enabled   = var.objectives.calls
  alarm_actions     = [aws_sns_topic.alarms.arn]
  ok_actions        = [aws_sns_topic.alarms.arn]
}

resource "aws_cloudwatch_composite_alarm" "us_east_1" {
  count    = local.has_site ? 1 : 0
  provider = aws.us_east_1

  alarm_name        = "${var.name}-site"
  alarm_description = "Something is wrong with the site of ${var.environment}. ${local.look_at}"
  alarm_rule        = length(local.rule_us_east_1) == 0 ? "FALSE" : join(" OR ", local.rule_us_east_1)
  actions_enabled   = var.objectives.calls
  alarm_actions     = [aws_sns_topic.us_east_1[0].arn]
  ok_actions        = [aws_sns_topic.us_east_1[0].arn]
}

resource "aws_sns_topic" "alarms" {
  name              = "${var.name}-alarms"
  kms_master_key_id = var.kms_key_arn
}

resource "aws_sns_topic_subscription" "email" {
  for_each = toset(var.notify)

  topic_arn = aws_sns_topic.alarms.arn
  protocol  = "email"
  endpoint  = each.value
}

resource "aws_sns_topic" "us_east_1" {
  count    = local.has_site ? 1 : 0
  provider = aws.us_east_1

  name              = "${var.name}-site-alarms"
  kms_master_key_id = var.site.kms_key_arn
}

resource "aws_sns_topic_subscription" "us_east_1" {
  for_each = toset(local.has_site ? var.notify : [])
  provider = aws.us_east_1

  topic_arn = aws_sns_topic.us_east_1[0].arn
  protocol  = "email"
  endpoint  = each.value
}

# AWS counts only what has the tag `environment`, after an administrator has activated this tag for cost
# allocation. Runbook: docs/runbooks/budget.md
resource "aws_budgets_budget" "this" {
  name         = var.name
  budget_type  = "COST"
  time_unit    = "MONTHLY"
  limit_amount = tostring(var.objectives.dollars_a_month)
  limit_unit   = "USD"

  cost_filter {
    name   = "TagKeyValue"
    values = [format("user:environment$%s", var.environment)]
  }

  dynamic "notification" {
    for_each = var.objectives.calls && length(var.notify) > 0 ? { ACTUAL = 80, FORECASTED = 100 } : {}

    content {
      comparison_operator        = "GREATER_THAN"
      notification_type          = notification.key
      threshold                  = notification.value
      threshold_type             = "PERCENTAGE"
      subscriber_email_addresses = var.notify
    }
  }
}
