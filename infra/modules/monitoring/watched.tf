# Alarms on the parts of an environment, and on the jobs that must run.

locals {
  of_database = { DBClusterIdentifier = var.database.cluster_identifier }

  watched = merge(
    {
      throttles = {
        kind       = "throttles"
        means      = "AWS refuses calls of functions, because too many run at once: some users get errors."
        metrics    = { for name, each in var.functions : name => { namespace = "AWS/Lambda", name = "Throttles", statistic = "Sum", dimensions = { FunctionName = each.name } } }
        steps      = { value = "SUM([${join(", ", keys(var.functions))}])" }
        period     = 5 * local.minute
        comparison = "GreaterThanThreshold"
        threshold  = 0
        periods    = 1
        datapoints = 1
        missing    = "notBreaching"
      }
      duration = {
        kind       = "duration"
        means      = "A call of a function took more than 80 % of the function's timeout: soon such calls fail."
        metrics    = { for name, each in var.functions : name => { namespace = "AWS/Lambda", name = "Duration", statistic = "Maximum", dimensions = { FunctionName = each.name } } }
        steps      = { value = "MAX([${join(", ", [for name, each in var.functions : "FILL(${name}, 0) / ${each.timeout_seconds * 10}"])}])" }
        period     = 5 * local.minute
        comparison = "GreaterThanThreshold"
        threshold  = 80
        periods    = 1
        datapoints = 1
        missing    = "notBreaching"
      }
      database-capacity = {
        kind       = "database-capacity"
        means      = "The database has used more than 90 % of its maximum capacity for 15 minutes: requests get slow."
        metrics    = { value = { namespace = "AWS/RDS", name = "ACUUtilization", statistic = "Average", dimensions = local.of_database } }
        steps      = {}
        period     = local.minute
        comparison = "GreaterThanThreshold"
        threshold  = 90
        periods    = 15
        datapoints = 15
        missing    = "notBreaching"
      }
      database-connections = {
        kind       = "database-connections"
        means      = "More than 80 % of the database's connections are in use: soon requests fail."
        metrics    = { value = { namespace = "AWS/RDS", name = "DatabaseConnections", statistic = "Maximum", dimensions = local.of_database } }
        steps      = {}
        period     = local.minute
        comparison = "GreaterThanThreshold"
        threshold  = floor(var.database.max_connections * 0.8)
        periods    = 5
        datapoints = 5
        missing    = "notBreaching"
      }
      database-storage = {
        kind       = "database-storage"
        means      = "The database stores more than ${var.objectives.database_gigabytes} GB: users notice nothing yet, but the costs grow."
        metrics    = { value = { namespace = "AWS/RDS", name = "VolumeBytesUsed", statistic = "Average", dimensions = local.of_database } }
        steps      = {}
        period     = local.hour
        comparison = "GreaterThanThreshold"
        threshold  = var.objectives.database_gigabytes * 1000 * 1000 * 1000
        periods    = 1
        datapoints = 1
        missing    = "notBreaching"
      }
      database-failures = {
        kind       = "database-failures"
        means      = "The functions can't reach the database, or it ends their statements: users get errors."
        metrics    = { value = { namespace = var.system, name = "database_failures", statistic = "Sum", dimensions = local.own } }
        steps      = {}
        period     = local.minute
        comparison = "GreaterThanThreshold"
        threshold  = 0
        periods    = 5
        datapoints = 3
        missing    = "notBreaching"
      }
      failed-logins = {
        kind       = "failed-logins"
        means      = "The database refused more than ${var.objectives.failed_logins_an_hour} logins in an hour: somebody guesses passwords, or a function has a wrong role."
        metrics    = { value = { namespace = var.name, name = local.failed_logins, statistic = "Sum", dimensions = {} } }
        steps      = {}
        period     = local.hour
        comparison = "GreaterThanThreshold"
        threshold  = var.objectives.failed_logins_an_hour
        periods    = 1
        datapoints = 1
        missing    = "notBreaching"
      }
      orphans = {
        kind       = "orphans"
        means      = "Resources of a workspace are left over: users notice nothing, but they cost money and may hold data."
        metrics    = { for purpose in local.purposes : purpose => { namespace = var.system, name = "orphans", statistic = "Maximum", dimensions = merge(local.of_tools, { purpose = purpose }) } }
        steps      = { value = "SUM([${join(", ", [for purpose in local.purposes : "FILL(${purpose}, 0)"])}])" }
        period     = 6 * local.hour
        comparison = "GreaterThanThreshold"
        threshold  = 0
        periods    = 1
        datapoints = 1
        missing    = "notBreaching"
      }
    },
    # Jobs that must run: their metrics count each run that ended well.
    { for name, job in merge({
      sweep-overdue = {
        kind       = "sweep-overdue"
        means      = "The function sweep has not ended well for ${var.objectives.swept_within_hours} hours: what has expired is not ended."
        metric     = "sweeps"
        dimensions = local.own
        hours      = var.objectives.swept_within_hours
      }
      verification-overdue = {
        kind       = "verification-overdue"
        means      = "The acceptance tests have not ended well for ${var.objectives.verified_within_hours} hours: nobody knows whether the environment works."
        metric     = "verifications"
        dimensions = local.of_tools
        hours      = var.objectives.verified_within_hours
      }
      }, { for purpose in local.purposes : "reaper-overdue-${purpose}" => {
        kind       = "reaper-overdue"
        means      = "`make reap PURPOSE=${purpose}` has not ended well for ${var.objectives.reaped_within_hours} hours: expired workspaces go on."
        metric     = "reaps"
        dimensions = merge(local.of_tools, { purpose = purpose })
        hours      = var.objectives.reaped_within_hours
      } }) : name => {
      kind       = job.kind
      means      = job.means
      metrics    = { value = { namespace = var.system, name = job.metric, statistic = "Sum", dimensions = job.dimensions } }
      steps      = {}
      period     = local.hour
      comparison = "LessThanThreshold"
      threshold  = 1
      periods    = job.hours
      datapoints = job.hours
      missing    = "breaching"
    } },
    # Most requests that a firewall blocks are attacks, which need nobody. A large share of all is a flood, or a rule
    # that blocks users.
    { for metric in var.firewall_of_api[*] : "firewall" => merge(local.blocking, {
      metrics = {
        blocked = { namespace = "AWS/WAFV2", name = "BlockedRequests", statistic = "Sum", dimensions = { WebACL = metric, Region = data.aws_region.this.name, Rule = "ALL" } }
        allowed = { namespace = "AWS/WAFV2", name = "AllowedRequests", statistic = "Sum", dimensions = { WebACL = metric, Region = data.aws_region.this.name, Rule = "ALL" } }
      }
    }) },
  )

  blocking = {
    kind       = "firewall"
    means      = "A firewall blocks more than a fifth of the requests: a flood, or a rule that blocks users."
    steps      = { value = "IF(FILL(blocked, 0) < 100, 0, 100 * blocked / SUM([blocked, FILL(allowed, 0)]))" }
    period     = 5 * local.minute
    comparison = "GreaterThanThreshold"
    threshold  = 20
    periods    = 3
    datapoints = 3
    missing    = "notBreaching"
  }

  failed_logins = "failed_logins"

  # The two reapers: personal also means previews.
  purposes = ["personal", "debug"]
}

data "aws_region" "this" {}

# Aurora PostgreSQL has no metric of refused logins, but logs each of them.
resource "aws_cloudwatch_log_metric_filter" "failed_logins" {
  name           = "${var.name}-failed-logins"
  log_group_name = var.database.log_group
  pattern        = "\"FATAL\" \"authentication failed\""

  metric_transformation {
    namespace = var.name
    name      = local.failed_logins
    value     = "1"
  }
}
