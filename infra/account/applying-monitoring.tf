# Permissions for alarms, dashboards and the budget. Only an environment has them, a workspace has none.

locals {
  # The site's alarms are in us-east-1.
  regions_of_alarms = distinct([var.region, "us-east-1"])

  own_topics = { for key in keys(local.appliers) : key => {
    "ForAllValues:StringLike" = { "cloudwatch:AlarmActions" = [
      for region in local.regions_of_alarms : "arn:${local.partition}:sns:${region}:${var.account_id}:${local.names[key]}*"
    ] }
  } }

  monitoring = { for key, applier in local.appliers : key => [for statement in [
    {
      Sid    = "AlarmsAndTopics"
      Effect = "Allow"
      Action = [
        "cloudwatch:DeleteAlarms",
        "cloudwatch:TagResource",
        "cloudwatch:UntagResource",
        "sns:CreateTopic",
        "sns:DeleteTopic",
        "sns:SetSubscriptionAttributes",
        "sns:SetTopicAttributes",
        "sns:Subscribe",
        "sns:TagResource",
        "sns:Unsubscribe",
        "sns:UntagResource",
      ]
      Resource = flatten([for region in local.regions_of_alarms : [
        "arn:${local.partition}:cloudwatch:${region}:${var.account_id}:alarm:${local.names[key]}*",
        "arn:${local.partition}:sns:${region}:${var.account_id}:${local.names[key]}*",
      ]])
    },
    {
      # An alarm notifies topics of its own target only, and starts nothing else. An alarm may have no actions.
      Sid       = "AlarmsNotify"
      Effect    = "Allow"
      Action    = ["cloudwatch:PutMetricAlarm"]
      Resource  = [for region in local.regions_of_alarms : "arn:${local.partition}:cloudwatch:${region}:${var.account_id}:alarm:${local.names[key]}*"]
      Condition = local.own_topics[key]
    },
    {
      # AWS asks either about all alarms, or about one alarm with its tags: see docs/infrastructure.md.
      Sid       = "CompositeAlarmsAreNumbers"
      Effect    = "Allow"
      Action    = ["cloudwatch:PutCompositeAlarm"]
      Resource  = "*"
      Condition = merge(local.own_topics[key], local.own_or_untagged[key])
    },
    {
      Sid    = "DashboardsFiltersAndBudget"
      Effect = "Allow"
      Action = [
        "budgets:ModifyBudget",
        "budgets:TagResource",
        "budgets:UntagResource",
        "cloudwatch:DeleteDashboards",
        "cloudwatch:PutDashboard",
        "logs:DeleteMetricFilter",
        "logs:PutMetricFilter",
      ]
      Resource = [
        "arn:${local.partition}:budgets::${var.account_id}:budget/${local.names[key]}*",
        "arn:${local.partition}:cloudwatch::${var.account_id}:dashboard/${local.names[key]}*",
        "arn:${local.partition}:logs:${local.arn_account}:log-group:/aws/rds/cluster/${local.names[key]}*",
      ]
    },
  ] : statement if applier.kind == "environment"] }
}
