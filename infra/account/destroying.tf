# What a role may do that only destroys: of each statement of applying*.tf the actions that a destroy of a workspace
# makes, and no other; the state it keeps as any role for workspaces does. So no reviewer has to stand before it: with it
# nobody makes a copy of an environment's data, nor changes what runs. tests/rehearsal compares it with what a destroy
# asked for.

locals {
  destroying = toset(concat(local.taking_away, local.on_the_way))

  taking_away = [
    "apigateway:DELETE",
    "cloudfront-keyvaluestore:DeleteKey",
    "cloudfront:DeleteCachePolicy",
    "cloudfront:DeleteDistribution",
    "cloudfront:DeleteFunction",
    "cloudfront:DeleteKeyValueStore",
    "cloudfront:DeleteOriginAccessControl",
    "cloudfront:DeleteOriginRequestPolicy",
    "cloudfront:DeleteResponseHeadersPolicy",
    "cloudwatch:DeleteAlarms",
    "cognito-idp:DeleteGroup",
    "cognito-idp:DeleteUserPool",
    "cognito-idp:DeleteUserPoolClient",
    "cognito-idp:DeleteUserPoolDomain",
    "ec2:DeleteFlowLogs",
    "ec2:DeleteInternetGateway",
    "ec2:DeleteNatGateway",
    "ec2:DeleteNetworkInterface",
    "ec2:DeleteRoute",
    "ec2:DeleteRouteTable",
    "ec2:DeleteSecurityGroup",
    "ec2:DeleteSubnet",
    "ec2:DeleteVpc",
    "ec2:DetachInternetGateway",
    "ec2:DetachNetworkInterface",
    "ec2:DisassociateAddress",
    "ec2:DisassociateRouteTable",
    "ec2:ReleaseAddress",
    "ec2:RevokeSecurityGroupEgress",
    "ec2:RevokeSecurityGroupIngress",
    "events:DeleteRule",
    "events:RemoveTargets",
    "iam:DeleteRole",
    "iam:DeleteRolePolicy",
    "kms:DeleteAlias",
    "kms:ScheduleKeyDeletion",
    "lambda:DeleteAlias",
    "lambda:DeleteFunction",
    "lambda:RemovePermission",
    "logs:DeleteLogDelivery",
    "logs:DeleteLogGroup",
    "rds:DeleteDBCluster",
    "rds:DeleteDBClusterParameterGroup",
    "rds:DeleteDBInstance",
    "rds:DeleteDBSubnetGroup",
    "s3:DeleteBucket",
    "s3:DeleteBucketPolicy",
    "s3:DeleteObject",
    "s3:DeleteObjectVersion",
    "sns:DeleteTopic",
    "wafv2:DeleteLoggingConfiguration",
    "wafv2:DeleteWebACL",
    "wafv2:DisassociateWebACL",
  ]

  # What a destroy does besides, or AWS calls by another name.
  on_the_way = [
    # Routes that end are looked for.
    "cloudfront-keyvaluestore:DescribeKeyValueStore",
    "cloudfront-keyvaluestore:ListKeys",
    # A distribution is switched off before it is deleted.
    "cloudfront:UpdateDistribution",
    # A stage loses its settings and its firewall.
    "apigateway:PATCH",
    "apigateway:SetWebACL",
    # What a log delivery is before it goes.
    "logs:GetLogDelivery",
    "logs:ListLogDeliveries",
    # A bucket's settings are taken back by the permissions that set them; its objects' versions are emptied out.
    "s3:ListBucketVersions",
    "s3:PutBucketOwnershipControls",
    "s3:PutBucketPublicAccessBlock",
    "s3:PutBucketVersioning",
    "s3:PutEncryptionConfiguration",
    "s3:PutLifecycleConfiguration",
  ]
}
