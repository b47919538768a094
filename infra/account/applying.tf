# The permissions that a pipeline needs to apply an environment. Each statement is limited to the environment:
#   by name   if ARNs have names: <system>-<environment>…
#   by tag    if ARNs have ids: every resource gets the tag `environment` when it is created. A pipeline can add the tag
#             only to a resource without it. So a pipeline can't take over another environment's resources.
# If AWS can limit an action neither by name nor by tag, its statement is called …Numbers. A role for workspaces may do
# the same, except to the environment itself, whose resources have `default` in the tag `workspace`. A role that only
# destroys workspaces has only the actions of destroying.tf.

locals {
  # A policy has at most 6,144 characters, so each role has one policy per subject.
  subjects = ["functions", "network", "database", "api", "site"]
  policies = { for pair in setproduct(keys(local.appliers), local.subjects) : join("-", pair) => { applier = pair[0], subject = pair[1] } }

  applying = { for key, applier in local.appliers : key => {
    functions = concat(local.functions[key], local.deliveries[key])
    network   = local.network[key]
    database  = local.database[key]
    api       = local.api[key]
    site      = local.site[key]
  } }

  own = { for key, applier in local.appliers : key => { "aws:ResourceTag/environment" = applier.environment } }
  new = { for key, applier in local.appliers : key => { "aws:RequestTag/environment" = applier.environment } }

  # If AWS has no tags for a resource, the condition does not apply, and the resource's name decides.
  never_the_environment_itself = { for key, applier in local.appliers : key => {
    for operator, keys in { StringNotEqualsIfExists = {
      "aws:ResourceTag/workspace" = "default"
      "aws:RequestTag/workspace"  = "default"
    } } : operator => keys if applier.workspaces_only
  } }

  # Keep the actions that the role may use. All roles write Terraform's state, so keep the state's statements whole.
  allowed = { for key, subjects in local.applying : key => { for subject, statements in subjects : subject => [
    for statement in statements : merge(statement, { Action = [
      for action in statement.Action : action
      if !local.appliers[key].destroys_only || strcontains(statement.Sid, "State") || contains(local.destroying, action)
    ] })
  ] } }

  # Statements called Environment… may touch the environment itself: a clone, for example, reads its source. Leave out
  # statements without actions.
  bounded = { for key, subjects in local.allowed : key => { for subject, statements in subjects : subject => [
    for statement in statements : { for element, value in merge(statement, {
      Condition = merge(
        try(statement.Condition, {}),
        { for operator, keys in local.never_the_environment_itself[key] : operator => keys if !startswith(statement.Sid, "Environment") },
      )
    }) : element => value if element != "Condition" || length(value) > 0 } if length(statement.Action) > 0
  ] } }

  deliveries = { for key, applier in local.appliers : key => concat(
    [
      # The objects of the state have no tags, so their keys limit what a role for workspaces may write.
      {
        Sid      = "EnvironmentStateRead"
        Effect   = "Allow"
        Action   = ["s3:GetObject"]
        Resource = local.state_keys[applier.environment]
      },
      merge(local.list_states, { Sid = "EnvironmentStatesList" }),
      {
        Sid      = "StateWrite"
        Effect   = "Allow"
        Action   = ["s3:PutObject"]
        Resource = local.writable_states[key]
      },
      {
        Sid      = "StateLock"
        Effect   = "Allow"
        Action   = ["s3:DeleteObject", "s3:GetObject", "s3:PutObject"]
        Resource = [for arn in local.writable_states[key] : "${arn}.tflock"]
      },
      {
        Sid      = "StateOfWorkspacesDelete"
        Effect   = "Allow"
        Action   = ["s3:DeleteObject"]
        Resource = [for arn in local.writable_states[key] : arn if strcontains(arn, "*")]
      },
      local.read_artifacts,
    ],
    [for note in ["${local.artifact_bucket_arn}/*/deployed/${applier.environment}.json"] : {
      Sid      = "ArtifactsNoteDeployed"
      Effect   = "Allow"
      Action   = ["s3:PutObject"]
      Resource = [note]
    } if !applier.workspaces_only],
  ) }

  writable_states = { for key, applier in local.appliers : key => [
    for arn in local.state_keys[applier.environment] : arn if !applier.workspaces_only || strcontains(arn, "*")
  ] }
}

resource "aws_iam_policy" "applying" {
  for_each = local.policies

  name        = "${local.name}-${each.key}"
  description = "Permissions of ${local.name}-${each.value.applier}: ${each.value.subject}"
  policy      = jsonencode({ Version = "2012-10-17", Statement = local.bounded[each.value.applier][each.value.subject] })
}

resource "aws_iam_role_policy_attachment" "applying" {
  for_each = local.policies

  role       = aws_iam_role.apply[each.value.applier].name
  policy_arn = aws_iam_policy.applying[each.key].arn
}
