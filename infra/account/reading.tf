# The permissions to make a plan, for pull requests and pipelines: to read settings, but no data. AWS's own policy
# ReadOnlyAccess would allow every object, table and log of the account. A statement has the resource "*" if AWS can't
# limit most of its actions to resources.

locals {
  reading = {
    Version = "2012-10-17"
    Statement = [
      {
        Sid    = "Describe"
        Effect = "Allow"
        Action = [
          "cloudwatch:DescribeAlarms",
          "cognito-idp:DescribeUserPoolDomain",
          "cognito-idp:ListUserPools",
          "ec2:DescribeAccountAttributes",
          "ec2:DescribeAddresses",
          "ec2:DescribeAddressesAttribute",
          "ec2:DescribeAvailabilityZones",
          "ec2:DescribeFlowLogs",
          "ec2:DescribeInternetGateways",
          "ec2:DescribeNatGateways",
          "ec2:DescribeNetworkAcls",
          "ec2:DescribeNetworkInterfaces",
          "ec2:DescribeRouteTables",
          "ec2:DescribeSecurityGroupRules",
          "ec2:DescribeSecurityGroups",
          "ec2:DescribeSubnets",
          "ec2:DescribeTags",
          "ec2:DescribeVpcAttribute",
          "ec2:DescribeVpcs",
          "kms:ListAliases",
          "logs:DescribeLogGroups",
          "logs:DescribeMetricFilters",
          "logs:DescribeResourcePolicies",
          "rds:DescribeDBClusterParameterGroups",
          "rds:DescribeDBClusterParameters",
          "rds:DescribeDBClusters",
          "rds:DescribeDBEngineVersions",
          "rds:DescribeDBInstances",
          "rds:DescribeDBSubnetGroups",
          "rds:DescribeGlobalClusters",
          "sns:GetSubscriptionAttributes",
          "tag:GetResources",
        ]
        Resource = ["*"]
      },
      {
        Sid    = "ReadWhatIsNamed"
        Effect = "Allow"
        Action = [
          "budgets:ListTagsForResource",
          "budgets:ViewBudget",
          "cloudwatch:GetDashboard",
          "cloudwatch:ListTagsForResource",
          "events:DescribeRule",
          "events:ListTagsForResource",
          "events:ListTargetsByRule",
          "iam:GetRole",
          "iam:GetRolePolicy",
          "iam:ListAttachedRolePolicies",
          "iam:ListInstanceProfilesForRole",
          "iam:ListRolePolicies",
          "lambda:GetAlias",
          "lambda:GetFunction",
          "lambda:GetFunctionCodeSigningConfig",
          "lambda:GetFunctionConcurrency",
          "lambda:GetFunctionConfiguration",
          "lambda:GetPolicy",
          "lambda:ListAliases",
          "lambda:ListTags",
          "lambda:ListVersionsByFunction",
          "logs:ListTagsForResource",
          "logs:ListTagsLogGroup",
          "rds:ListTagsForResource",
          "secretsmanager:DescribeSecret",
          "secretsmanager:GetResourcePolicy",
          "sns:GetTopicAttributes",
          "sns:ListSubscriptionsByTopic",
          "sns:ListTagsForResource",
          "wafv2:GetLoggingConfiguration",
          "wafv2:GetWebACL",
          "wafv2:ListTagsForResource",
        ]
        Resource = [
          "arn:${local.partition}:budgets::${var.account_id}:budget/${var.system}-*",
          "arn:${local.partition}:cloudwatch::${var.account_id}:dashboard/${var.system}-*",
          "arn:${local.partition}:cloudwatch:*:${var.account_id}:alarm:${var.system}-*",
          "arn:${local.partition}:events:${local.arn_account}:rule/${var.system}-*",
          "arn:${local.partition}:iam::${var.account_id}:role/${var.system}-*",
          "arn:${local.partition}:lambda:${local.arn_account}:function:${var.system}-*",
          "arn:${local.partition}:logs:*:${var.account_id}:log-group:*${var.system}-*",
          "arn:${local.partition}:rds:${local.arn_account}:*:${var.system}-*",
          "arn:${local.partition}:secretsmanager:${local.arn_account}:secret:${var.system}-*",
          "arn:${local.partition}:sns:*:${var.account_id}:${var.system}-*",
          "arn:${local.partition}:wafv2:*:${var.account_id}:*/webacl/${var.system}-*",
        ]
      },
      {
        Sid    = "ReadWhatIsTagged"
        Effect = "Allow"
        Action = [
          "cloudfront:GetDistribution",
          "cloudfront:ListTagsForResource",
          "cognito-idp:DescribeUserPool",
          "cognito-idp:DescribeUserPoolClient",
          "cognito-idp:GetGroup",
          "cognito-idp:GetUserPoolMfaConfig",
          "cognito-idp:ListTagsForResource",
          "cognito-idp:ListUserPoolClients",
        ]
        Resource = [
          "arn:${local.partition}:cloudfront::${var.account_id}:distribution/*",
          "arn:${local.partition}:cognito-idp:${local.arn_account}:userpool/*",
        ]
        Condition = { StringEquals = { "aws:ResourceTag/system" = var.system } }
      },
      {
        # The provider reads a new key at once, and its tags may take five minutes to count ("ABAC for AWS KMS").
        Sid       = "ReadKeys"
        Effect    = "Allow"
        Action    = ["kms:DescribeKey", "kms:GetKeyPolicy", "kms:GetKeyRotationStatus", "kms:ListResourceTags"]
        Resource  = ["arn:${local.partition}:kms:*:${var.account_id}:key/*"]
        Condition = { StringEqualsIfExists = { "aws:ResourceTag/system" = var.system } }
      },
      {
        # Most of these resources have ids instead of names, and no tags.
        Sid    = "ReadWhatCloudFrontNumbers"
        Effect = "Allow"
        Action = [
          "cloudfront:DescribeFunction",
          "cloudfront:DescribeKeyValueStore",
          "cloudfront:GetCachePolicy",
          "cloudfront:GetFunction",
          "cloudfront:GetOriginAccessControl",
          "cloudfront:GetOriginRequestPolicy",
          "cloudfront:GetResponseHeadersPolicy",
        ]
        Resource = ["arn:${local.partition}:cloudfront::${var.account_id}:*"]
      },
      {
        Sid    = "ReadApis"
        Effect = "Allow"
        Action = ["apigateway:GET"]
        Resource = [
          "arn:${local.partition}:apigateway:${var.region}::/restapis",
          "arn:${local.partition}:apigateway:${var.region}::/restapis/*",
          "arn:${local.partition}:apigateway:${var.region}::/tags/*",
        ]
      },
      {
        Sid    = "ReadFirewallOfApis"
        Effect = "Allow"
        Action = ["wafv2:GetWebACLForResource"]
        Resource = [
          "arn:${local.partition}:apigateway:${var.region}::/restapis/*/stages/*",
          "arn:${local.partition}:wafv2:${local.arn_account}:regional/webacl/${var.system}-*",
        ]
      },
      {
        # Read a bucket's settings and the names of its objects, but no object.
        Sid    = "ReadBuckets"
        Effect = "Allow"
        Action = [
          "s3:GetAccelerateConfiguration",
          "s3:GetBucketAcl",
          "s3:GetBucketCORS",
          "s3:GetBucketLocation",
          "s3:GetBucketLogging",
          "s3:GetBucketObjectLockConfiguration",
          "s3:GetBucketOwnershipControls",
          "s3:GetBucketPolicy",
          "s3:GetBucketPublicAccessBlock",
          "s3:GetBucketRequestPayment",
          "s3:GetBucketTagging",
          "s3:GetBucketVersioning",
          "s3:GetBucketWebsite",
          "s3:GetEncryptionConfiguration",
          "s3:GetLifecycleConfiguration",
          "s3:GetReplicationConfiguration",
          "s3:ListBucket",
        ]
        Resource = [for name in keys(var.environments) : "arn:${local.partition}:s3:::${var.system}-${name}-*"]
      },
    ]
  }

  # The keys under which the backends store the states of an environment and of its workspaces.
  state_keys = { for target, each in local.targets : target => (
    each.kind == "environment"
    ? "${aws_s3_bucket.state.arn}/${each.environment}.tfstate"
    : "${aws_s3_bucket.state.arn}/${each.environment}/${each.tag}/${each.environment}.tfstate"
  ) }

  # The DNS records of environments with a domain. Records have no tags.
  hosted_zones = distinct([for environment in values(var.environments) : environment.hosted_zone_id if environment.hosted_zone_id != null])
  reading_domains = [for zones in [local.hosted_zones] : {
    Sid      = "ReadDomains"
    Effect   = "Allow"
    Action   = ["route53:GetHostedZone", "route53:ListResourceRecordSets", "route53:ListTagsForResource"]
    Resource = [for zone in zones : "arn:${local.partition}:route53:::hostedzone/${zone}"]
  } if length(zones) > 0]

  # Without ListBucket, S3 would answer 403 for a state that does not exist yet.
  list_states = {
    Sid      = "ListStates"
    Effect   = "Allow"
    Action   = ["s3:ListBucket"]
    Resource = [aws_s3_bucket.state.arn]
  }
}

resource "aws_iam_policy" "reading" {
  #checkov:skip=CKV_AWS_355: most services have no resources for listing and describing; the policy reads no data
  name        = "${local.name}-reading"
  description = "Reads the settings that a plan needs, and no data"
  policy      = jsonencode(local.reading)
}

# A plan takes no lock (`-lock=false`): a pull request that may write locks could stop every deployment.
resource "aws_iam_policy" "planning" {
  name        = "${local.name}-planning"
  description = "Reads the state of environments, and the files of their sites"

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat(local.reading_domains, [
      local.list_states,
      {
        Sid      = "ReadStates"
        Effect   = "Allow"
        Action   = ["s3:GetObject"]
        Resource = values(local.state_keys)
      },
    ])
  })
}

resource "aws_iam_role_policy_attachment" "plan" {
  for_each = { reading = aws_iam_policy.reading.arn, planning = aws_iam_policy.planning.arn }

  role       = aws_iam_role.plan.name
  policy_arn = each.value
}

resource "aws_iam_role_policy_attachment" "apply_reads" {
  for_each = local.appliers

  role       = aws_iam_role.apply[each.key].name
  policy_arn = aws_iam_policy.reading.arn
}
