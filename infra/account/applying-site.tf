# Permissions for the CDN in front of the site and the API, for routes, and for the domain.

locals {
  cloudfront = "arn:${local.partition}:cloudfront::${var.account_id}"

  site = { for key, applier in local.appliers : key => concat(
    local.distribution[key],
    local.distribution_parts[key],
    local.routes[key],
    local.domain[key],
  ) }

  # A debug workspace has no site.
  distribution = { for key, applier in local.appliers : key => [for statement in [
    {
      Sid       = "DistributionMade"
      Effect    = "Allow"
      Action    = ["cloudfront:CreateDistribution"]
      Resource  = ["*"]
      Condition = local.new[key]
    },
    {
      Sid       = "DistributionTagged"
      Effect    = "Allow"
      Action    = ["cloudfront:TagResource"]
      Resource  = ["${local.cloudfront}:distribution/*"]
      Condition = local.new_or_own[key]
    },
    {
      Sid       = "DistributionTaggedAgain"
      Effect    = "Allow"
      Action    = ["cloudfront:TagResource"]
      Resource  = ["${local.cloudfront}:distribution/*"]
      Condition = local.own_or_new[key]
    },
    {
      Sid       = "Distribution"
      Effect    = "Allow"
      Action    = ["cloudfront:CreateInvalidation", "cloudfront:DeleteDistribution", "cloudfront:UntagResource", "cloudfront:UpdateDistribution"]
      Resource  = ["${local.cloudfront}:distribution/*"]
      Condition = local.own[key]
    },
    {
      Sid      = "ViewerFunction"
      Effect   = "Allow"
      Action   = ["cloudfront:DeleteFunction", "cloudfront:PublishFunction", "cloudfront:UpdateFunction"]
      Resource = ["${local.cloudfront}:function/${local.names[key]}*"]
    },
    {
      # CloudFront gives ids to these parts, and no tags. It refuses to delete a part that a distribution or function
      # uses.
      Sid    = "PartsOfDistributionAreNumbers"
      Effect = "Allow"
      Action = [
        "cloudfront:CreateCachePolicy",
        "cloudfront:CreateFunction",
        "cloudfront:CreateKeyValueStore",
        "cloudfront:CreateOriginAccessControl",
        "cloudfront:CreateOriginRequestPolicy",
        "cloudfront:CreateResponseHeadersPolicy",
        "cloudfront:DeleteCachePolicy",
        "cloudfront:DeleteKeyValueStore",
        "cloudfront:DeleteOriginAccessControl",
        "cloudfront:DeleteOriginRequestPolicy",
        "cloudfront:DeleteResponseHeadersPolicy",
      ]
      Resource = ["*"]
    },
  ] : statement if applier.kind != "debug"] }

  # Only the environment's pipeline may change these parts. With another cache policy, for example, CloudFront would give
  # answers for one token to other clients. So a workspace must be created again to get a changed part.
  distribution_parts = { for key, applier in local.appliers : key => [for resource in ["${local.cloudfront}:*"] : {
    Sid    = "PartsOfDistributionChangedAreNumbers"
    Effect = "Allow"
    Action = [
      "cloudfront:UpdateCachePolicy",
      "cloudfront:UpdateKeyValueStore",
      "cloudfront:UpdateOriginAccessControl",
      "cloudfront:UpdateOriginRequestPolicy",
      "cloudfront:UpdateResponseHeadersPolicy",
    ]
    Resource = [resource]
  } if applier.kind == "environment"] }

  # The environment's key value store holds the routes to debug workspaces.
  routes = { for key, applier in local.appliers : key => [for store in ["${local.cloudfront}:key-value-store/*"] : {
    Sid      = "RoutesAreNumbers"
    Effect   = "Allow"
    Action   = ["cloudfront-keyvaluestore:DeleteKey", "cloudfront-keyvaluestore:DescribeKeyValueStore", "cloudfront-keyvaluestore:GetKey", "cloudfront-keyvaluestore:ListKeys", "cloudfront-keyvaluestore:PutKey"]
    Resource = [store]
  } if applier.kind == "debug"] }

  domain = { for key, applier in local.appliers : key => [for statement in flatten([for zone in compact([var.environments[applier.environment].hosted_zone_id]) : [
    {
      Sid      = "Domain"
      Effect   = "Allow"
      Action   = ["route53:ChangeResourceRecordSets", "route53:GetHostedZone", "route53:ListResourceRecordSets"]
      Resource = ["arn:${local.partition}:route53:::hostedzone/${zone}"]
    },
    {
      Sid      = "DomainChangesAreNumbers"
      Effect   = "Allow"
      Action   = ["route53:GetChange"]
      Resource = ["arn:${local.partition}:route53:::change/*"]
    },
  ]]) : statement if applier.kind == "environment"] }
}
