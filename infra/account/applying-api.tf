# Permissions for the API, its firewall, and the user pool that people sign in to.

locals {
  apigateway = "arn:${local.partition}:apigateway:${var.region}::"

  api = { for key, applier in local.appliers : key => concat(
    [
      {
        Sid       = "ApiMade"
        Effect    = "Allow"
        Action    = ["apigateway:POST"]
        Resource  = ["${local.apigateway}/restapis"]
        Condition = local.new[key]
      },
      {
        # The parts of an API have the API's tags. API Gateway writes access logs with a role of the account, so an API
        # must not name another's log group.
        Sid      = "Api"
        Effect   = "Allow"
        Action   = ["apigateway:DELETE", "apigateway:PATCH", "apigateway:POST", "apigateway:SetWebACL"]
        Resource = ["${local.apigateway}/restapis/*"]
        Condition = merge(local.own[key], { StringLikeIfExists = {
          "apigateway:Request/AccessLoggingDestination" = "arn:${local.partition}:logs:${local.arn_account}:log-group:/aws/apigateway/${local.names[key]}*"
        } })
      },
      {
        Sid       = "ApiReplaced"
        Effect    = "Allow"
        Action    = ["apigateway:PUT"]
        Resource  = ["${local.apigateway}/restapis/*"]
        Condition = local.own[key]
      },
      {
        # The tags of an API are a resource without tags, so no condition can say whose API it is. But a request that
        # creates an API has no id yet: there AWS checks a literal star. In a policy, that is a star in braces. So a
        # role can't tag an existing API as its own, and then change it.
        Sid       = "ApiTaggedWhenMade"
        Effect    = "Allow"
        Action    = ["apigateway:PUT"]
        Resource  = [for made in ["", "*%2Fstages%2F"] : "${local.apigateway}/tags/${urlencode("arn:${local.partition}:apigateway:${var.region}::/restapis/")}${made}$${*}"]
        Condition = local.new[key]
      },
      {
        # No permission depends on these tags.
        Sid      = "ApiTaggedAgainIsNumbers"
        Effect   = "Allow"
        Action   = ["apigateway:PUT"]
        Resource = ["${local.apigateway}/tags/*"]
        Condition = {
          "ForAllValues:StringEquals" = { "aws:TagKeys" = ["Name", "owner"] }
          Null                        = { "aws:TagKeys" = "false" }
        }
      },
    ],
    local.pool[key],
    local.firewall[key],
  ) }

  # A debug workspace uses the pool of its environment.
  pool = { for key, applier in local.appliers : key => [for statement in [
    {
      Sid       = "PoolMade"
      Effect    = "Allow"
      Action    = ["cognito-idp:CreateUserPool"]
      Resource  = ["*"]
      Condition = local.new[key]
    },
    {
      Sid       = "PoolTagged"
      Effect    = "Allow"
      Action    = ["cognito-idp:TagResource"]
      Resource  = [local.pools]
      Condition = local.new_or_own[key]
    },
    {
      Sid       = "PoolTaggedAgain"
      Effect    = "Allow"
      Action    = ["cognito-idp:TagResource"]
      Resource  = [local.pools]
      Condition = local.own_or_new[key]
    },
    {
      # No pipeline may create or change a user.
      Sid    = "Pool"
      Effect = "Allow"
      Action = [
        "cognito-idp:CreateGroup",
        "cognito-idp:CreateUserPoolClient",
        "cognito-idp:CreateUserPoolDomain",
        "cognito-idp:DeleteGroup",
        "cognito-idp:DeleteUserPool",
        "cognito-idp:DeleteUserPoolClient",
        "cognito-idp:DeleteUserPoolDomain",
        "cognito-idp:SetUserPoolMfaConfig",
        "cognito-idp:UntagResource",
        "cognito-idp:UpdateGroup",
        "cognito-idp:UpdateUserPool",
        "cognito-idp:UpdateUserPoolClient",
      ]
      Resource  = [local.pools]
      Condition = local.own[key]
    },
  ] : statement if applier.kind != "debug"] }

  pools = "arn:${local.partition}:cognito-idp:${local.arn_account}:userpool/*"

  # Previews and personal workspaces have no firewall.
  firewall = { for key, applier in local.appliers : key => [for statement in [
    {
      Sid    = "Firewall"
      Effect = "Allow"
      Action = [
        "wafv2:AssociateWebACL",
        "wafv2:CreateWebACL",
        "wafv2:DeleteLoggingConfiguration",
        "wafv2:DeleteWebACL",
        "wafv2:PutLoggingConfiguration",
        "wafv2:TagResource",
        "wafv2:UntagResource",
        "wafv2:UpdateWebACL",
      ]
      Resource = [for scope in ["${var.region}:${var.account_id}:regional", "us-east-1:${var.account_id}:global"] :
        "arn:${local.partition}:wafv2:${scope}/webacl/${local.names[key]}*"
      ]
    },
    {
      Sid      = "FirewallRulesOfAws"
      Effect   = "Allow"
      Action   = ["wafv2:CreateWebACL", "wafv2:UpdateWebACL"]
      Resource = ["arn:${local.partition}:wafv2:*:*:*/managedruleset/*"]
    },
    {
      # WAF knows no tags of an API's stage. But API Gateway asks for SetWebACL too, which is limited by tags.
      Sid      = "FirewallBeforeApiIsNumbers"
      Effect   = "Allow"
      Action   = ["wafv2:AssociateWebACL", "wafv2:DisassociateWebACL"]
      Resource = ["${local.apigateway}/restapis/*/stages/*"]
    },
    {
      # With these actions, WAF writes into log groups. Log deliveries belong to a region, not to an environment.
      Sid      = "LogDeliveriesAreNumbers"
      Effect   = "Allow"
      Action   = ["logs:CreateLogDelivery", "logs:DeleteLogDelivery", "logs:GetLogDelivery", "logs:ListLogDeliveries", "logs:PutResourcePolicy", "logs:UpdateLogDelivery"]
      Resource = ["*"]
    },
  ] : statement if applier.kind != "workspaces"] }
}
