# The alarms, and the topic that they notify. An alarm's description says what to look at.

locals {
  actions = [aws_sns_topic.alarms.arn]
  minute  = 60
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

resource "aws_cloudwatch_metric_alarm" "server_errors" {
  alarm_name          = "${var.name}-5xx"
  alarm_description   = "More than 1 % of requests get a 5xx answer. Look at the API's access log, then at the function's log by request id."
  actions_enabled     = var.notifications_enabled
  alarm_actions       = local.actions
  ok_actions          = local.actions
  comparison_operator = "GreaterThanThreshold"
  threshold           = 0.01
  evaluation_periods  = 5
  datapoints_to_alarm = 3
  namespace           = "AWS/ApiGateway"
  metric_name         = "5XXError"
  statistic           = "Average"
  period              = local.minute
  dimensions          = { ApiName = var.api_name, Stage = var.api_stage }
  treat_missing_data  = "notBreaching"
}

resource "aws_cloudwatch_metric_alarm" "latency" {
  alarm_name          = "${var.name}-latency"
  alarm_description   = "One request in a hundred takes longer than ${var.latency_ms} ms. Look at performance insights, then at traces."
  actions_enabled     = var.notifications_enabled
  alarm_actions       = local.actions
  ok_actions          = local.actions
  comparison_operator = "GreaterThanThreshold"
  threshold           = var.latency_ms
  evaluation_periods  = 10
  datapoints_to_alarm = 5
  namespace           = "AWS/ApiGateway"
  metric_name         = "Latency"
  extended_statistic  = "p99"
  period              = local.minute
  dimensions          = { ApiName = var.api_name, Stage = var.api_stage }
  treat_missing_data  = "notBreaching"
}

resource "aws_cloudwatch_metric_alarm" "throttles" {
  for_each = var.function_names

  alarm_name          = "${var.name}-${each.key}-throttles"
  alarm_description   = "Calls of ${each.value} are throttled: the function's reserved concurrency or the account's limit is used up. Look for slow requests before raising a limit."
  actions_enabled     = var.notifications_enabled
  alarm_actions       = local.actions
  ok_actions          = local.actions
  comparison_operator = "GreaterThanThreshold"
  threshold           = 0
  evaluation_periods  = 1
  namespace           = "AWS/Lambda"
  metric_name         = "Throttles"
  statistic           = "Sum"
  period              = 5 * local.minute
  dimensions          = { FunctionName = each.value }
  treat_missing_data  = "notBreaching"
}

resource "aws_cloudwatch_metric_alarm" "database_capacity" {
  alarm_name          = "${var.name}-database-capacity"
  alarm_description   = "The database uses more than 90 % of its maximum capacity. Look for a slow statement before raising max_capacity."
  actions_enabled     = var.notifications_enabled
  alarm_actions       = local.actions
  ok_actions          = local.actions
  comparison_operator = "GreaterThanThreshold"
  threshold           = 90
  evaluation_periods  = 15
  namespace           = "AWS/RDS"
  metric_name         = "ACUUtilization"
  statistic           = "Average"
  period              = local.minute
  dimensions          = { DBClusterIdentifier = var.database_cluster_identifier }
  treat_missing_data  = "notBreaching"
}

resource "aws_cloudwatch_metric_alarm" "database_connections" {
  alarm_name          = "${var.name}-database-connections"
  alarm_description   = "More than 80 % of the database's connections, about ${var.database_max_connections}, are in use. Lower the functions' concurrency or raise max_capacity."
  actions_enabled     = var.notifications_enabled
  alarm_actions       = local.actions
  ok_actions          = local.actions
  comparison_operator = "GreaterThanThreshold"
  threshold           = floor(var.database_max_connections * 0.8)
  evaluation_periods  = 5
  namespace           = "AWS/RDS"
  metric_name         = "DatabaseConnections"
  statistic           = "Maximum"
  period              = local.minute
  dimensions          = { DBClusterIdentifier = var.database_cluster_identifier }
  treat_missing_data  = "notBreaching"
}
