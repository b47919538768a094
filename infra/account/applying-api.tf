# Permissions for the API, its firewall, and the user pool that people sign in to.

locals {
  apigateway = "arn:${local.partition}:apigateway:${var.region}::"

  api = { for key, applier in local.appliers : key => concat(local.api_tags[key], [
    {
      Sid       = "ApiMade"
      Effect    = "Allow"
      Action    = ["apigateway:POST"]
      Resource  = ["${local.apigateway}/restapis"]
      Condition = { StringEquals = local.new[key] }
    },
    {
      # The parts of an API have the API's tags.
      Sid       = "Api"
      Effect    = "Allow"
      Action    = ["apigateway:DELETE", "apigateway:PATCH", "apigateway:POST", "apigateway:PUT", "apigateway:SetWebACL"]
      Resource  = ["${local.apigateway}/restapis/*"]
      Condition = { StringEquals = local.own[key] }
    },
    {
      Sid       = "PoolMade"
      Effect    = "Allow"
      Action    = ["cognito-idp:CreateUserPool"]
      Resource  = ["*"]
      Condition = { StringEquals = local.new[key] }
    },
    {
      Sid      = "PoolTagged"
      Effect   = "Allow"
      Action   = ["cognito-idp:TagResource"]
      Resource = ["arn:${local.partition}:cognito-idp:${local.arn_account}:userpool/*"]
      Condition = {
        StringEquals         = local.new[key]
        StringEqualsIfExists = local.own[key]
      }
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
      Resource  = ["arn:${local.partition}:cognito-idp:${local.arn_account}:userpool/*"]
      Condition = { StringEquals = local.own[key] }
    },
    {
      Sid    = "Firewall"
      Effect = "Allow"
      Action = [
        "wafv2:AssociateWebACL",
        "wafv2:CreateWebACL",
        "wafv2:DeleteLoggingConfiguration",
        "wafv2:DeleteWebACL",
        "wafv2:DisassociateWebACL",
        "wafv2:PutLoggingConfiguration",
        "wafv2:TagResource",
        "wafv2:UntagResource",
        "wafv2:UpdateWebACL",
      ]
      Resource = [
        "arn:${local.partition}:wafv2:${local.arn_account}:regional/webacl/${applier.prefix}*",
        "arn:${local.partition}:wafv2:us-east-1:${var.account_id}:global/webacl/${applier.prefix}*",
      ]
    },
    {
      Sid      = "FirewallRulesOfAws"
      Effect   = "Allow"
      Action   = ["wafv2:CreateWebACL", "wafv2:UpdateWebACL"]
      Resource = ["arn:${local.partition}:wafv2:*:*:*/managedruleset/*"]
    },
    {
      Sid       = "FirewallBeforeApi"
      Effect    = "Allow"
      Action    = ["wafv2:AssociateWebACL", "wafv2:DisassociateWebACL"]
      Resource  = ["${local.apigateway}/restapis/*/stages/*"]
      Condition = { StringEqualsIfExists = local.own[key] }
    },
    {
      # These actions let WAF and API Gateway write into log groups. Log deliveries belong to a region, not to an
      # environment.
      Sid      = "LogDeliveriesAreNumbers"
      Effect   = "Allow"
      Action   = ["logs:CreateLogDelivery", "logs:DeleteLogDelivery", "logs:GetLogDelivery", "logs:ListLogDeliveries", "logs:PutResourcePolicy", "logs:UpdateLogDelivery"]
      Resource = ["*"]
    },
  ]) }

  # This resource is the tags of an API, and has no tags itself. So the condition limits which tags a role sets, but not
  # on which API. A role could remove the tags of the environment's API and then destroy the API. So a role that only
  # destroys workspaces does not get this statement.
  api_tags = { for key, applier in local.appliers : key => [for resource in ["${local.apigateway}/tags/*"] : {
    Sid       = "ApiTagsAreNumbers"
    Effect    = "Allow"
    Action    = ["apigateway:DELETE", "apigateway:PUT"]
    Resource  = [resource]
    Condition = { StringEqualsIfExists = local.new[key] }
  } if !applier.destroys_only] }
}
