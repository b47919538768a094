# Two dashboards. `on-call` asks: is it us, since when, where? `developers` asks: which operation, which statement?
# Each alarm has a graph on the first, with its threshold. Each metric of our own is on one of the two.

locals {
  on_call    = "${var.name}-on-call"
  developers = "${var.name}-developers"
  region     = data.aws_region.this.name

  # The graph of each alarm, with its threshold. An alarm about a burn rate shows its shortest window.
  graphs = merge(
    { for name, promise in local.promises : name => {
      title = "${name}: times faster than allowed"
      alarm = local.burning["${name}-5m"]
      lines = [for window in ["5m", "30m"] : { label = local.windows[window].pair, value = local.windows[window].burn }]
    } },
    { for name, alarm in local.watched : name => { title = name, alarm = alarm, lines = [{ label = "alarm", value = alarm.threshold }] } },
  )
  graphs_us_east_1 = { for name, alarm in local.watched_us_east_1 : name => { title = name, alarm = alarm, lines = [{ label = "alarm", value = alarm.threshold }] } }

  widgets_of_alarms = { for name, each in merge(local.graphs, local.graphs_us_east_1) : name => {
    type = "metric"
    properties = {
      title       = "${each.title} (${each.alarm.kind}.md)"
      region      = contains(keys(local.graphs_us_east_1), name) ? "us-east-1" : local.region
      view        = "timeSeries"
      period      = each.alarm.period
      annotations = { horizontal = each.lines }
      metrics = concat(
        [for id, metric in each.alarm.metrics : concat(
          [metric.namespace, metric.name],
          flatten([for dimension, value in metric.dimensions : [dimension, value]]),
          [{ id = id, stat = metric.statistic, label = id == "value" ? metric.name : id, visible = id == "value" }],
        )],
        [for id, expression in each.alarm.steps : [{ id = id, expression = expression, label = id == "value" ? each.title : id, visible = id == "value" }]],
      )
    }
  } }

  # The sections of the first dashboard, by the kinds of their alarms. What no section names comes last.
  sections = {
    "Is it us? Errors and waiting that users see" = ["errors", "latency", "cdn-errors", "firewall"]
    "Where? The database and the functions"       = ["database-failures", "database-capacity", "database-connections", "database-storage", "failed-logins", "throttles", "duration"]
    "The jobs that must run, and what is due"     = ["verification-overdue", "sweep-overdue", "reaper-overdue", "orphans", "certificate"]
  }

  widgets_on_call = concat(
    [
      {
        type       = "text"
        width      = 24
        height     = 3
        properties = { markdown = "# ${var.environment}: on call\nRed is what began. Its graph shows **since when**. A peak of cold starts is a deployment. Each graph names its runbook in docs/runbooks. Which operation it is: [${local.developers}](#dashboards/dashboard/${local.developers})" }
      },
      {
        type       = "alarm"
        width      = 24
        height     = 4
        properties = { title = "What is red, since when", alarms = concat(values(aws_cloudwatch_metric_alarm.this)[*].arn, values(aws_cloudwatch_metric_alarm.us_east_1)[*].arn) }
      },
      local.searched["requests"],
      local.searched["errors of our own code"],
      local.counted["cold_starts"],
    ],
    flatten([for title, kinds in local.sections : concat(
      [{ type = "text", width = 24, height = 1, properties = { markdown = "## ${title}" } }],
      [for name, each in merge(local.graphs, local.graphs_us_east_1) : local.widgets_of_alarms[name] if contains(kinds, each.alarm.kind)],
    )]),
  )

  widgets_developers = concat(
    [
      {
        type       = "text"
        width      = 24
        height     = 2
        properties = { markdown = "# ${var.environment}: developers\nWhich operation is slow or fails, and which statement. A request's id leads to its logs (`make logs ENV=${var.environment} REQUEST_ID=…`), and its trace id to its statements in X-Ray." }
      },
    ],
    [for title in ["requests", "errors of our own code", "latency, p99", "latency, median", "time of statements, p99", "time of statements, sum"] : local.searched[title]],
    # The fields of a line are in chalicelib/telemetry/logs.py.
    [for title, query in {
      "Failed requests, by operation"          = "filter message = 'request' and level = 'ERROR' | stats count(*) as requests by operation, problem | sort requests desc | limit 20"
      "Statements of slow and failed requests" = "filter message = 'request' and ispresent(statement) | stats count(*) as requests, max(statements_time) as milliseconds by operation, statement | sort requests desc | limit 20"
      "The latest failed requests"             = "filter message = 'request' and level = 'ERROR' | fields @timestamp, operation, request_id, deployment, reason, exception | sort @timestamp desc | limit 20"
      } : {
      type       = "log"
      width      = 24
      properties = { title = title, region = local.region, view = "table", query = "SOURCE '${var.log_group}' | ${query}" }
    }],
    local.of_resources,
  )

  # A graph for each metric that has an operation, with a line for each operation.
  searched = { for title, each in {
    "requests"                = { metric = "requests", statistic = "Sum" }
    "errors of our own code"  = { metric = "server_errors", statistic = "Sum" }
    "latency, p99"            = { metric = "latency", statistic = "p99" }
    "latency, median"         = { metric = "latency", statistic = "p50" }
    "time of statements, p99" = { metric = "statements_time", statistic = "p99" }
    "time of statements, sum" = { metric = "statements_time", statistic = "Sum" }
  } : title => { type = "metric", properties = { title = title, region = local.region, view = "timeSeries", metrics = [[{ expression = format(local.search, "operation", each.metric, each.statistic) }]] } } }

  # Metrics without a further dimension.
  counted = { for metric in ["cold_starts"] : metric => {
    type       = "metric"
    properties = { title = metric, region = local.region, view = "timeSeries", stat = "Sum", metrics = [concat([var.system, metric], flatten([for dimension, value in local.own : [dimension, value]]))] }
  } }

  search = "SEARCH('{${var.system},environment,workspace,%s} MetricName=\"%s\" environment=\"${var.environment}\" workspace=\"default\"', '%s', 300)"

  # The metrics of the API's resources, by their own dimension.
  of_resources = concat(
    [],
    # registry
    [for metric, dimension in { denials = "blocker", promotions = "decision", deployments = "end" } : {
      type                              = "metric"
      properties                        = { title = metric, region = local.region, view = "timeSeries", metrics = [[{ expression = format(local.search, dimension, metric, "Sum") }]] }
    }],
    [{
      type       = "metric"
      properties = { title = "lease_expiries", region = local.region, view = "timeSeries", stat = "Sum", metrics = [concat([var.system, "lease_expiries"], flatten([for dimension, value in local.own : [dimension, value]]))] }
    }],
    # /registry
  )
}

# CloudWatch places a widget without coordinates behind the one before.
resource "aws_cloudwatch_dashboard" "on_call" {
  dashboard_name = local.on_call
  dashboard_body = jsonencode({ start = "-PT3H", widgets = [for each in local.widgets_on_call : merge({ width = 8, height = 6 }, each)] })
}

resource "aws_cloudwatch_dashboard" "developers" {
  dashboard_name = local.developers
  dashboard_body = jsonencode({ start = "-PT3H", widgets = [for each in local.widgets_developers : merge({ width = 8, height = 6 }, each)] })
}
