# Permissions for the CDN in front of the site and the API, and for the domain.

locals {
  cloudfront = "arn:${local.partition}:cloudfront::${var.account_id}"

  site = { for key, applier in local.appliers : key => concat(
    [
      {
        Sid       = "DistributionMade"
        Effect    = "Allow"
        Action    = ["cloudfront:CreateDistribution", "cloudfront:TagResource"]
        Resource  = ["${local.cloudfront}:distribution/*"]
        Condition = { StringEquals = local.new[key], StringEqualsIfExists = local.own[key] }
      },
      {
        Sid       = "Distribution"
        Effect    = "Allow"
        Action    = ["cloudfront:CreateInvalidation", "cloudfront:DeleteDistribution", "cloudfront:UntagResource", "cloudfront:UpdateDistribution"]
        Resource  = ["${local.cloudfront}:distribution/*"]
        Condition = { StringEquals = local.own[key] }
      },
      {
        Sid      = "ViewerFunction"
        Effect   = "Allow"
        Action   = ["cloudfront:CreateFunction", "cloudfront:DeleteFunction", "cloudfront:PublishFunction", "cloudfront:UpdateFunction"]
        Resource = ["${local.cloudfront}:function/${applier.viewer}"]
      },
      {
        Sid    = "PartsOfDistributionAreNumbers"
        Effect = "Allow"
        Action = [
          "cloudfront:CreateCachePolicy",
          "cloudfront:CreateKeyValueStore",
          "cloudfront:CreateOriginAccessControl",
          "cloudfront:CreateOriginRequestPolicy",
          "cloudfront:CreateResponseHeadersPolicy",
          "cloudfront:DeleteCachePolicy",
          "cloudfront:DeleteKeyValueStore",
          "cloudfront:DeleteOriginAccessControl",
          "cloudfront:DeleteOriginRequestPolicy",
          "cloudfront:DeleteResponseHeadersPolicy",
          "cloudfront:UpdateCachePolicy",
          "cloudfront:UpdateKeyValueStore",
          "cloudfront:UpdateOriginAccessControl",
          "cloudfront:UpdateOriginRequestPolicy",
          "cloudfront:UpdateResponseHeadersPolicy",
        ]
        Resource = ["${local.cloudfront}:*"]
      },
      {
        # The environment's key value store holds the routes to debug workspaces.
        Sid      = "EnvironmentRoutesAreNumbers"
        Effect   = "Allow"
        Action   = ["cloudfront-keyvaluestore:DeleteKey", "cloudfront-keyvaluestore:DescribeKeyValueStore", "cloudfront-keyvaluestore:GetKey", "cloudfront-keyvaluestore:ListKeys", "cloudfront-keyvaluestore:PutKey"]
        Resource = ["${local.cloudfront}:key-value-store/*"]
      },
    ],
    [for zone in compact([var.environments[applier.environment].hosted_zone_id]) : {
      Sid      = "Domain"
      Effect   = "Allow"
      Action   = ["route53:ChangeResourceRecordSets", "route53:GetHostedZone", "route53:ListResourceRecordSets"]
      Resource = ["arn:${local.partition}:route53:::hostedzone/${zone}"]
    } if !applier.workspaces_only],
    [for zone in compact([var.environments[applier.environment].hosted_zone_id]) : {
      Sid      = "DomainChangesAreNumbers"
      Effect   = "Allow"
      Action   = ["route53:GetChange"]
      Resource = ["arn:${local.partition}:route53:::change/*"]
    } if !applier.workspaces_only],
  ) }
}
