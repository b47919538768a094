# CloudFront, its firewall and its certificate have their metrics in us-east-1, wherever the environment is. A composite
# alarm can't combine alarms of two regions, so there is a second one, with a topic of its own.

locals {
  has_site = var.site != null

  of_distribution = { for id in var.site[*].distribution_id : "dimensions" => { DistributionId = id, Region = "Global" } }

  watched_us_east_1 = merge(
    { for name, dimensions in local.of_distribution : "cdn-errors" => {
      kind  = "cdn-errors"
      means = "CloudFront answers too many requests with 5xx: users of the site see errors."
      metrics = {
        percent  = { namespace = "AWS/CloudFront", name = "5xxErrorRate", statistic = "Average", dimensions = dimensions }
        requests = { namespace = "AWS/CloudFront", name = "Requests", statistic = "Sum", dimensions = dimensions }
      }
      steps      = { value = "IF(requests * percent / 100 < ${local.fewest_bad}, 0, percent)" }
      period     = 5 * local.minute
      comparison = "GreaterThanThreshold"
      # As fast as the fast pair of burning.tf.
      threshold  = tonumber(format("%.6g", 100 * 14.4 * (1 - var.objectives.availability)))
      periods    = 3
      datapoints = 3
      missing    = "notBreaching"
    } },
    { for metric in try(var.site.firewall[*], []) : "site-firewall" => merge(local.blocking, {
      metrics = {
        blocked = { namespace = "AWS/WAFV2", name = "BlockedRequests", statistic = "Sum", dimensions = { WebACL = metric, Rule = "ALL" } }
        allowed = { namespace = "AWS/WAFV2", name = "AllowedRequests", statistic = "Sum", dimensions = { WebACL = metric, Rule = "ALL" } }
      }
    }) },
    { for arn in try(var.site.certificate_arn[*], []) : "certificate" => {
      kind       = "certificate"
      means      = "The site's certificate expires in less than 30 days: after that, browsers refuse the site."
      metrics    = { value = { namespace = "AWS/CertificateManager", name = "DaysToExpiry", statistic = "Minimum", dimensions = { CertificateArn = arn } } }
      steps      = {}
      period     = 24 * local.hour
      comparison = "LessThanThreshold"
      threshold  = 30
      periods    = 1
      datapoints = 1
      missing    = "breaching" # an expired certificate has no metric
    } },
  )
}

# The same as in main.tf: a resource has one provider, so the alarms of another region need a resource of their own.
resource "aws_cloudwatch_metric_alarm" "us_east_1" {
  for_each = local.alarms_us_east_1
  provider = aws.us_east_1

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
