# The roles of people. Nobody has permanent access: a person takes a role with a second factor, for hours. With IAM
# Identity Center, use the policies in permission sets instead. docs/security.md says how somebody gets a role.
#
#   developer      in the testing account: reads logs, metrics and data, and creates personal workspaces of development
#   on-call        in production's account: reads logs, metrics and data, and creates debug workspaces
#   administrator  everything in the account, above all `make account`

locals {
  developed   = "development"
  on_call_for = "production"

  # For each role: its members, the length of a session in hours, and the pipelines' role whose permissions it shares.
  roles_of_people = merge(
    { administrator = { members = var.people.administrator, hours = 2, as = null } },
    { for name in ["developer"] : name => { members = var.people.developer, hours = 8, as = "workspaces-${local.developed}" } if contains(keys(var.environments), local.developed) },
    { for name in ["on-call"] : name => { members = var.people.on_call, hours = 2, as = "debug-${local.on_call_for}" } if contains(keys(var.environments), local.on_call_for) },
  )
  taken = { for name, role in local.roles_of_people : name => role if length(role.members) > 0 }
  # The environments whose data a role reads.
  read_by = { for name, role in local.roles_of_people : name => keys(var.environments) if name != "administrator" }

  policies_of_people = flatten([for name, role in local.taken : concat(
    role.as == null ? [{ role = name, policy = "administrator", arn = "arn:${local.partition}:iam::aws:policy/AdministratorAccess" }] : [
      { role = name, policy = "reading", arn = aws_iam_policy.reading.arn },
      { role = name, policy = "watching", arn = aws_iam_policy.watching[name].arn },
    ],
    [for key, policy in local.policies : { role = name, policy = policy.subject, arn = aws_iam_policy.applying[key].arn } if policy.applier == role.as && contains(keys(aws_iam_policy.applying), key)],
  )])
}

resource "aws_iam_role" "people" {
  for_each = local.taken

  name                 = "${local.name}-${each.key}"
  description          = "People, with a second factor, for ${each.value.hours} hours"
  max_session_duration = each.value.hours * 60 * 60

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { AWS = each.value.members }
      Condition = {
        Bool            = { "aws:MultiFactorAuthPresent" = "true" }
        NumericLessThan = { "aws:MultiFactorAuthAge" = tostring(each.value.hours * 60 * 60) }
      }
    }]
  })
}

resource "aws_iam_role_policy_attachment" "people" {
  for_each = { for attached in local.policies_of_people : "${attached.role}-${attached.policy}" => attached }

  role       = aws_iam_role.people[each.value.role].name
  policy_arn = each.value.arn
}

# Logs, metrics, traces and data of the account's environments. `make db-shell` reads with the reader's password, and
# writes with the master's password, which only an administrator can read.
resource "aws_iam_policy" "watching" {
  #checkov:skip=CKV_AWS_355: metrics, traces and the results of queries can't be named as resources
  for_each = local.read_by

  name        = "${local.name}-${each.key}"
  description = "Reads logs, metrics and data"

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid    = "ReadLogs"
        Effect = "Allow"
        Action = [
          "logs:DescribeLogStreams",
          "logs:FilterLogEvents",
          "logs:GetLogEvents",
          "logs:StartLiveTail",
          "logs:StartQuery",
        ]
        Resource = flatten([for name in each.value : [for region in distinct([var.region, "us-east-1"]) : "arn:${local.partition}:logs:${region}:${var.account_id}:log-group:*${var.system}-${name}*"]])
      },
      {
        Sid    = "ReadMetricsAndTraces"
        Effect = "Allow"
        Action = [
          "cloudwatch:GetMetricData",
          "cloudwatch:GetMetricStatistics",
          "cloudwatch:ListDashboards",
          "cloudwatch:ListMetrics",
          "logs:GetQueryResults",
          "logs:StopQuery",
          "xray:BatchGetTraces",
          "xray:GetServiceGraph",
          "xray:GetTraceSummaries",
        ]
        Resource = ["*"]
      },
      local.list_states,
      {
        Sid      = "ReadStates"
        Effect   = "Allow"
        Action   = ["s3:GetObject"]
        Resource = values(local.state_keys)
      },
      {
        Sid      = "AskByDataApi"
        Effect   = "Allow"
        Action   = ["rds-data:BeginTransaction", "rds-data:CommitTransaction", "rds-data:ExecuteStatement", "rds-data:RollbackTransaction"]
        Resource = [for name in each.value : "arn:${local.partition}:rds:${local.arn_account}:cluster:${var.system}-${name}*"]
      },
      {
        Sid      = "ReadReadersPassword"
        Effect   = "Allow"
        Action   = ["secretsmanager:GetSecretValue"]
        Resource = [for name in each.value : "arn:${local.partition}:secretsmanager:${local.arn_account}:secret:${var.system}-${name}*-reader-??????"]
      },
      {
        Sid      = "DecryptReadersPassword"
        Effect   = "Allow"
        Action   = ["kms:Decrypt"]
        Resource = [local.keys_of_region]
        Condition = { StringEquals = {
          "aws:ResourceTag/system" = var.system
          "kms:ViaService"         = "secretsmanager.${var.region}.amazonaws.com"
        } }
      },
    ]
  })
}
