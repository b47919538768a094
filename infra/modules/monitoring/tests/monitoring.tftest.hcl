# tests/infra/test_alarms.py compares the plans of the environments with runbooks, metrics and pages of AWS. This file
# checks what the plans do not show: other objectives, and refusals.

mock_provider "aws" {
  source = "../mocks"
}

mock_provider "aws" {
  alias  = "us_east_1"
  source = "../mocks"
}

variables {
  name        = "service-production"
  system      = "service"
  environment = "production"
  kms_key_arn = "arn:aws:kms:eu-central-1:210987654321:key/1"
  notify      = ["ann@example.org", "bob@example.org"]
  api         = { name = "service-production", stage = "production" }
  functions   = { api = { name = "service-production-api", timeout_seconds = 20 }, sweep = { name = "service-production-sweep", timeout_seconds = 300 } }
  log_group   = "/aws/lambda/service-production-api"
  database    = { cluster_identifier = "service-production", max_connections = 2000, log_group = "/aws/rds/cluster/service-production/postgresql" }

  objectives = {
    calls                 = true
    availability          = 0.999
    latency               = { read = { milliseconds = 500, share = 0.99 }, write = { milliseconds = 1000, share = 0.95 } }
    verified_within_hours = 26
    reaped_within_hours   = 10
    swept_within_hours    = 3
    database_gigabytes    = 100
    failed_logins_an_hour = 20
    dollars_a_month       = 400
    silenced              = {}
  }

  firewall_of_api = "service-production-regional"
  site            = { distribution_id = "E1", firewall = "service-production-cloudfront", certificate_arn = "arn:aws:acm:us-east-1:210987654321:certificate/1", kms_key_arn = "arn:aws:kms:us-east-1:210987654321:key/2" }
}

run "only_the_composite_alarms_notify" {
  assert {
    condition     = alltrue([for alarm in concat(values(aws_cloudwatch_metric_alarm.this), values(aws_cloudwatch_metric_alarm.us_east_1)) : length(coalesce(alarm.alarm_actions, [])) + length(coalesce(alarm.ok_actions, [])) == 0])
    error_message = "A metric alarm must notify nobody itself."
  }

  assert {
    condition     = alltrue([for alarm in concat([aws_cloudwatch_composite_alarm.this], aws_cloudwatch_composite_alarm.us_east_1) : alarm.actions_enabled && length(alarm.alarm_actions) == 1 && length(alarm.ok_actions) == 1])
    error_message = "The composite alarms must notify when they begin and end."
  }

  assert {
    condition     = toset([for each in concat(values(aws_sns_topic_subscription.email), values(aws_sns_topic_subscription.us_east_1)) : "${each.protocol} ${each.endpoint}"]) == toset(["email ann@example.org", "email bob@example.org"]) && length(aws_sns_topic_subscription.us_east_1) == 2
    error_message = "Each given address must receive the alarms of both regions."
  }

  assert {
    condition     = aws_sns_topic.alarms.kms_master_key_id == var.kms_key_arn && aws_sns_topic.us_east_1[0].kms_master_key_id == var.site.kms_key_arn
    error_message = "Each topic must be encrypted with the environment's key of its region."
  }
}

run "errors_and_latency_burn_in_two_pairs_of_windows" {
  assert {
    condition     = { for window in ["1h", "5m", "6h", "30m"] : window => [for query in aws_cloudwatch_metric_alarm.this["errors-${window}"].metric_query : one(query.metric).period if query.id == "gateway_bad"][0] } == { "1h" = 3600, "5m" = 300, "6h" = 21600, "30m" = 1800 }
    error_message = "Each window must have its length."
  }

  assert {
    condition     = [for window in ["1h", "5m", "6h", "30m"] : aws_cloudwatch_metric_alarm.this["latency-write-${window}"].threshold] == [14.4, 14.4, 6, 6]
    error_message = "The fast pair must compare with 14.4, the slow one with 6."
  }

  assert {
    condition     = [for query in aws_cloudwatch_metric_alarm.this["latency-write-1h"].metric_query : query.expression if query.id == "value"] == ["IF(bad < 5, 0, bad / all / 0.05)"]
    error_message = "The burn rate must be relative to the share that the objective allows."
  }

  assert {
    condition     = strcontains(aws_cloudwatch_composite_alarm.this.alarm_rule, "(ALARM(\"service-production-errors-1h\") AND ALARM(\"service-production-errors-5m\")) OR (ALARM(\"service-production-errors-30m\") AND ALARM(\"service-production-errors-6h\"))")
    error_message = "A pair must notify only if both of its windows burn."
  }
}

run "a_silenced_kind_notifies_nobody" {
  command = plan

  variables {
    objectives = {
      calls                 = true
      availability          = 0.999
      latency               = { read = { milliseconds = 500, share = 0.99 }, write = { milliseconds = 1000, share = 0.95 } }
      verified_within_hours = 26
      reaped_within_hours   = 10
      swept_within_hours    = 3
      database_gigabytes    = 100
      failed_logins_an_hour = 20
      dollars_a_month       = 400
      silenced              = { latency = "Ann: until Friday, a new index comes", certificate = "Bob: the new one is ordered" }
    }
  }

  assert {
    condition     = !strcontains(aws_cloudwatch_composite_alarm.this.alarm_rule, "latency") && strcontains(aws_cloudwatch_composite_alarm.this.alarm_rule, "errors-1h") && contains(keys(aws_cloudwatch_metric_alarm.this), "latency-read-1h")
    error_message = "A silenced alarm must exist, but not notify."
  }

  assert {
    condition     = !strcontains(aws_cloudwatch_composite_alarm.us_east_1[0].alarm_rule, "certificate")
    error_message = "An alarm in us-east-1 must be silenced too."
  }
}

run "without_a_site_nothing_is_in_us_east_1" {
  command = plan

  variables {
    site            = null
    firewall_of_api = null
  }

  assert {
    condition     = length(concat(values(aws_cloudwatch_metric_alarm.us_east_1), aws_cloudwatch_composite_alarm.us_east_1, aws_sns_topic.us_east_1)) == 0 && !contains(keys(aws_cloudwatch_metric_alarm.this), "firewall")
    error_message = "Without a site and firewalls, nothing of them may be watched."
  }
}

run "development_calls_nobody" {
  command = plan

  variables {
    objectives = {
      calls                 = false
      availability          = 0.99
      latency               = { read = { milliseconds = 500, share = 0.99 }, write = { milliseconds = 1000, share = 0.99 } }
      verified_within_hours = 26
      reaped_within_hours   = 10
      swept_within_hours    = 26
      database_gigabytes    = 20
      failed_logins_an_hour = 20
      dollars_a_month       = 150
      silenced              = {}
    }
  }

  assert {
    condition     = !anytrue([for alarm in concat([aws_cloudwatch_composite_alarm.this], aws_cloudwatch_composite_alarm.us_east_1) : alarm.actions_enabled]) && length(aws_budgets_budget.this.notification) == 0
    error_message = "Without calls, nobody may be notified."
  }
}
