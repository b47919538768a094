mock_provider "aws" {
  source = "../mocks"
}

variables {
  name                        = "service-production"
  kms_key_arn                 = "arn:aws:kms:eu-central-1:210987654321:key/1"
  notify                      = ["ann@example.org", "bob@example.org"]
  api_name                    = "service-production"
  api_stage                   = "production"
  function_names              = { api = "service-production-api", migrate = "service-production-migrate" }
  database_cluster_identifier = "service-production"
  database_max_connections    = 2000
}

run "every_alarm_notifies_the_topic" {
  assert {
    condition     = toset(values(aws_sns_topic_subscription.email)[*].endpoint) == toset(var.notify) && alltrue([for each in aws_sns_topic_subscription.email : each.protocol == "email" && each.topic_arn == aws_sns_topic.alarms.arn])
    error_message = "Each given address must receive alarms."
  }

  assert {
    condition     = aws_sns_topic.alarms.name == "service-production-alarms" && aws_sns_topic.alarms.kms_master_key_id == var.kms_key_arn && output.topic_arn == aws_sns_topic.alarms.arn
    error_message = "The topic must have the environment's name, and be encrypted with its key."
  }

  assert {
    condition = alltrue([for alarm in concat(
      [aws_cloudwatch_metric_alarm.server_errors, aws_cloudwatch_metric_alarm.latency],
      [aws_cloudwatch_metric_alarm.database_capacity, aws_cloudwatch_metric_alarm.database_connections],
      values(aws_cloudwatch_metric_alarm.throttles),
      ) : (
      alarm.actions_enabled && alarm.alarm_actions == toset([aws_sns_topic.alarms.arn]) && alarm.ok_actions == toset([aws_sns_topic.alarms.arn]) &&
      startswith(alarm.alarm_name, "service-production-") && length(alarm.alarm_description) > 40 && alarm.treat_missing_data == "notBreaching"
    )])
    error_message = "Each alarm must notify when it begins and ends, have the environment's name and a description, and stay quiet without traffic."
  }
}

run "the_api_the_functions_and_the_database_are_watched" {
  assert {
    condition = [for alarm in [aws_cloudwatch_metric_alarm.server_errors, aws_cloudwatch_metric_alarm.latency] : [alarm.metric_name, alarm.dimensions.ApiName, alarm.dimensions.Stage]] == [
      ["5XXError", "service-production", "production"],
      ["Latency", "service-production", "production"],
    ]
    error_message = "The API's alarms must watch its name and stage."
  }

  assert {
    condition = (
      aws_cloudwatch_metric_alarm.server_errors.threshold == 0.01 && aws_cloudwatch_metric_alarm.server_errors.statistic == "Average" &&
      aws_cloudwatch_metric_alarm.latency.threshold == 1000 && aws_cloudwatch_metric_alarm.latency.extended_statistic == "p99"
    )
    error_message = "An alarm must start if more than 1 % of requests fail, or if one in a hundred takes longer than a second."
  }

  assert {
    condition     = tomap({ for name, alarm in aws_cloudwatch_metric_alarm.throttles : name => alarm.dimensions.FunctionName }) == var.function_names && values(aws_cloudwatch_metric_alarm.throttles)[*].threshold == [0, 0]
    error_message = "Each function must have an alarm that starts at the first throttled call."
  }

  assert {
    condition = [for alarm in [aws_cloudwatch_metric_alarm.database_capacity, aws_cloudwatch_metric_alarm.database_connections] : [alarm.metric_name, alarm.dimensions.DBClusterIdentifier, tostring(alarm.threshold)]] == [
      ["ACUUtilization", "service-production", "90"],
      ["DatabaseConnections", "service-production", "1600"],
    ]
    error_message = "The database must have alarms above 90 % of its capacity and above 80 % of its connections."
  }
}

run "alarms_of_a_workspace_notify_nobody" {
  command = plan

  variables {
    notifications_enabled = false
    notify                = []
    latency_ms            = 250
  }

  assert {
    condition = length(aws_sns_topic_subscription.email) == 0 && !anytrue([for alarm in concat(
      [aws_cloudwatch_metric_alarm.server_errors, aws_cloudwatch_metric_alarm.latency],
      [aws_cloudwatch_metric_alarm.database_capacity, aws_cloudwatch_metric_alarm.database_connections],
      values(aws_cloudwatch_metric_alarm.throttles),
    ) : alarm.actions_enabled])
    error_message = "No alarm of a workspace may notify anybody."
  }

  assert {
    condition     = aws_cloudwatch_metric_alarm.latency.threshold == 250
    error_message = "The alarm must use the given latency."
  }
}

run "a_wrong_address_a_latency_of_0_and_no_connections_are_refused" {
  command = plan

  variables {
    notify                   = ["ann@example.org", "bob"]
    latency_ms               = 0
    database_max_connections = 0
  }

  expect_failures = [var.notify, var.latency_ms, var.database_max_connections]
}
