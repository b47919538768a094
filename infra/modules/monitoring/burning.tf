# An objective allows a small share of bad requests, for example 0.1 %. An alarm on errors or latency watches how many
# times faster than allowed the bad requests come: the burn rate. It takes a long and a short window. The long one says
# that the loss matters, the short one that it goes on.
# https://sre.google/workbook/alerting-on-slos/ (6: multiwindow, multi-burn-rate alerts)

locals {
  # fast: 2 % of a month's budget in an hour. slow: 5 % in six hours.
  windows = {
    "1h"  = { pair = "fast", burn = 14.4, period = local.hour }
    "5m"  = { pair = "fast", burn = 14.4, period = 5 * local.minute }
    "6h"  = { pair = "slow", burn = 6, period = 6 * local.hour }
    "30m" = { pair = "slow", burn = 6, period = 30 * local.minute }
  }

  # Fewer bad requests than this in a window wake nobody: with little traffic, one would be a large share.
  fewest_bad = 5

  promises = merge(
    { errors = {
      kind    = "errors"
      means   = "Too many requests get a 5xx answer: users see errors."
      allowed = 1 - var.objectives.availability
      # API Gateway counts all answers, also those without a function. Our own count also works if its metrics are late.
      metrics = {
        gateway_bad = { namespace = "AWS/ApiGateway", name = "5XXError", statistic = "Sum", dimensions = local.of_api }
        gateway_all = { namespace = "AWS/ApiGateway", name = "Count", statistic = "SampleCount", dimensions = local.of_api }
        service_bad = { namespace = var.system, name = "server_errors", statistic = "Sum", dimensions = local.own }
        service_all = { namespace = var.system, name = "requests", statistic = "Sum", dimensions = local.own }
      }
      bad = "MAX([FILL(gateway_bad, 0), FILL(service_bad, 0)])"
      all = "MAX([FILL(gateway_all, 0), FILL(service_all, 0)])"
    } },
    { for class, promise in var.objectives.latency : "latency-${class}" => {
      kind    = "latency"
      means   = "Too many requests that ${class} take longer than ${promise.milliseconds} ms: users wait."
      allowed = 1 - promise.share
      metrics = {
        # The number of values above the promise, and of all values.
        slow  = { namespace = var.system, name = "latency", statistic = "TC(${promise.milliseconds}:)", dimensions = merge(local.own, { class = class }) }
        total = { namespace = var.system, name = "latency", statistic = "SampleCount", dimensions = merge(local.own, { class = class }) }
      }
      bad = "FILL(slow, 0)"
      all = "FILL(total, 0)"
    } },
  )

  of_api = { ApiName = var.api.name, Stage = var.api.stage }

  burning = merge([for name, promise in local.promises : {
    for window, each in local.windows : "${name}-${window}" => {
      kind    = promise.kind
      means   = promise.means
      metrics = promise.metrics
      steps = {
        bad   = promise.bad
        all   = promise.all
        value = "IF(bad < ${local.fewest_bad}, 0, bad / all / ${format("%.6g", promise.allowed)})"
      }
      period     = each.period
      comparison = "GreaterThanThreshold"
      threshold  = each.burn
      periods    = 1
      datapoints = 1
      missing    = "notBreaching"
    }
  }]...)
}
