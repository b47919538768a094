# The permissions of a role that only destroys workspaces of one kind: the actions of applying*.tf that a destroy needs.
# The role writes Terraform's state like any role for workspaces. It can't copy an environment's data or change what runs.
# So its jobs need no reviewer. tests/rehearsal compares this list with the calls of a destroy.

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
    "secretsmanager:DeleteSecret",
    "wafv2:DeleteLoggingConfiguration",
    "wafv2:DeleteWebACL",
    "wafv2:DisassociateWebACL",
  ]

  # A destroy also needs these actions, whose names do not say that they remove something.
  on_the_way = [
    # Find the routes that lead to the workspace.
    "cloudfront-keyvaluestore:DescribeKeyValueStore",
    "cloudfront-keyvaluestore:ListKeys",
    # Switch a distribution off before deleting it.
    "cloudfront:UpdateDistribution",
    # Remove a stage's settings and its firewall.
    "apigateway:PATCH",
    "apigateway:SetWebACL",
    # Read a log delivery before deleting it.
    "logs:GetLogDelivery",
    "logs:ListLogDeliveries",
    # List all versions of a bucket's objects, to delete them. Reset the bucket's settings: AWS asks for the permissions
    # to set them.
    "s3:ListBucketVersions",
    "s3:PutBucketOwnershipControls",
    "s3:PutBucketPublicAccessBlock",
    "s3:PutBucketVersioning",
    "s3:PutEncryptionConfiguration",
    "s3:PutLifecycleConfiguration",
  ]
}
