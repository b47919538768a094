# The permissions of the roles that apply an environment or its workspaces. Each statement is limited to the kind of
# targets that the role reaches (reach.tf):
#   by name   if ARNs have names: local.names
#   by tag    if ARNs have ids: local.own, local.new. A role can add the tags only to a resource without them. So a role
#             can't take over resources of another kind or environment.
# AWS can limit some actions by neither. Their statements are called …Numbers, and docs/security.md says what they mean.
# The reapers have only the actions of destroying.tf.

locals {
  # A policy has at most 6,144 characters, so each role has one policy per subject.
  subjects = ["functions", "network", "database", "api", "site", "monitoring"]
  policies = { for pair in setproduct(keys(local.appliers), local.subjects) : join("-", pair) => { applier = pair[0], subject = pair[1] } }

  applying = { for key, applier in local.appliers : key => {
    functions  = concat(local.functions[key], local.deliveries[key])
    network    = local.network[key]
    database   = local.database[key]
    api        = local.api[key]
    site       = local.site[key]
    monitoring = local.monitoring[key]
  } }

  # Keep the actions that the role may use, and leave out statements without actions. A reaper writes Terraform's state
  # like the other roles, so keep the state's statements whole.
  allowed = { for key, subjects in local.applying : key => { for subject, statements in subjects : subject => [
    for statement in [for statement in statements : merge(statement, { Action = [
      for action in statement.Action : action
      if !startswith(key, "reap-") || strcontains(statement.Sid, "State") || contains(local.destroying, action)
    ] })] : statement if length(statement.Action) > 0
  ] } }

  deliveries = { for key, applier in local.appliers : key => concat(
    [
      # The routes to debug workspaces are in a store of the environment. Its state has the store's address.
      {
        Sid      = "StateRead"
        Effect   = "Allow"
        Action   = ["s3:GetObject"]
        Resource = concat(applier.kind == "debug" ? [local.state_keys["${applier.environment}-environment"]] : [], [local.states[key]])
      },
      merge(local.list_states, { Sid = "StatesList" }),
      {
        Sid      = "StateWrite"
        Effect   = "Allow"
        Action   = ["s3:PutObject"]
        Resource = [local.states[key]]
      },
      {
        Sid      = "StateLock"
        Effect   = "Allow"
        Action   = ["s3:DeleteObject", "s3:GetObject", "s3:PutObject"]
        Resource = ["${local.states[key]}.tflock"]
      },
    ],
    [for states in [local.states[key]] : {
      Sid      = "StateOfWorkspacesDelete"
      Effect   = "Allow"
      Action   = ["s3:DeleteObject"]
      Resource = [states]
    } if applier.kind != "environment"],
    [for statement in [
      local.read_artifacts,
      {
        Sid      = "ArtifactsNoteDeployed"
        Effect   = "Allow"
        Action   = ["s3:PutObject"]
        Resource = ["${local.artifact_bucket_arn}/*/deployed/${applier.environment}.json"]
      },
    ] : statement if applier.kind == "environment"],
  ) }

  states = { for key, applier in local.appliers : key => local.state_keys["${applier.environment}-${applier.kind}"] }
}

resource "aws_iam_policy" "applying" {
  for_each = { for key, policy in local.policies : key => policy if length(local.allowed[policy.applier][policy.subject]) > 0 }

  name        = "${local.name}-${each.key}"
  description = "Permissions of ${local.name}-${each.value.applier}: ${each.value.subject}"
  policy      = jsonencode({ Version = "2012-10-17", Statement = local.allowed[each.value.applier][each.value.subject] })
}

resource "aws_iam_role_policy_attachment" "applying" {
  for_each = aws_iam_policy.applying

  role       = aws_iam_role.apply[local.policies[each.key].applier].name
  policy_arn = each.value.arn
}
