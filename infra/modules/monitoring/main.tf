# The alarms of an environment, whom they notify, and its dashboards. Everything derives from the environment's
# objectives.json: docs/objectives.md. Each kind of alarm has a runbook: docs/runbooks/<kind>.md.
#
#   burning.tf      errors and latency: how fast the environment uses up what its objectives allow
#   watched.tf      the parts: functions, database, firewall, and the jobs that must run
#   us_east_1.tf    the site: CloudFront, its firewall and its certificate, whose metrics are in us-east-1
#   notifying.tf    one composite alarm, which alone notifies; the topic; the budget
#   dashboards.tf   one for people on call, one for developers
#
# A metric alarm has no actions of its own. It is one value of `alarms` below:
#
#   kind        the runbook's name
#   means       what it means for users, in a sentence
#   metrics     the metrics, by the ids that expressions use
#   steps       expressions, by id. `value` is the one that the alarm compares
#   period      seconds; the alarm compares `periods` of them, of which `datapoints` must be beyond the threshold
#   missing     how a period without data counts

locals {
  minute = 60
  hour   = 60 * local.minute

  # The dimensions of our own metrics. The second are those of metrics that our tools put (docs/objectives.md).
  own      = { environment = var.environment, workspace = "default" }
  of_tools = { environment = var.environment }

  alarms           = merge(local.burning, local.watched)
  alarms_us_east_1 = local.watched_us_east_1
}

resource "aws_cloudwatch_metric_alarm" "this" {
  for_each = local.alarms

  alarm_name          = "${var.name}-${each.key}"
  alarm_description   = "${each.value.means} Runbook: docs/runbooks/${each.value.kind}.md"
  comparison_operator = each.value.comparison
  threshold           = each.value.threshold
  evaluation_periods  = each.value.periods
  datapoints_to_alarm = each.value.datapoints
  treat_missing_data  = each.value.missing

  dynamic "metric_query" {
    for_each = each.value.metrics

    content {
      id          = metric_query.key
      return_data = metric_query.key == "value"

      metric {
        namespace   = metric_query.value.namespace
        metric_name = metric_query.value.name
        dimensions  = metric_query.value.dimensions
        stat        = metric_query.value.statistic
        period      = each.value.period
      }
    }
  }

  dynamic "metric_query" {
    for_each = each.value.steps

    content {
      id          = metric_query.key
      expression  = metric_query.value
      label       = metric_query.key
      return_data = metric_query.key == "value"
    }
  }
}
