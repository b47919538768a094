"""Which IAM actions AWS asks for when an operation is called, and which parameters name the resources.

Most operations need the action of the same name on the resources that AWS's Service Authorization Reference lists for
it. These tables have the others, as of November 2026, for the operations that rehearsals call:
- S3: https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-with-s3-policy-actions.html
- tags of new resources, roles that are handed on, and secrets and keys of RDS: the page of each operation or service in
  the Service Authorization Reference, and
  https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/rds-secrets-manager.html
- API Gateway: https://docs.aws.amazon.com/apigateway/latest/developerguide/security_iam_service-with-iam.html
- firewalls: https://docs.aws.amazon.com/waf/latest/developerguide/logging-cw-logs.html, and what AWS answers to roles
  without the permissions: https://github.com/aws-samples/amazon-cloudfront-waf-secretsmanager/issues/3 and
  https://github.com/aws/aws-sdk-java/issues/2901
- budgets: https://docs.aws.amazon.com/cost-management/latest/userguide/billing-permissions-ref.html
- functions in a VPC: https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html
"""

# The prefix of actions, if it is not botocore's name of the service.
PREFIXES = {"resourcegroupstaggingapi": "tag", "service-quotas": "servicequotas"}
# Operations that need no permission.
FREE = {"sts:GetCallerIdentity"}

# Operations whose action has another name.
ACTIONS = {
    "budgets:CreateBudget": "budgets:ModifyBudget",
    "budgets:DeleteBudget": "budgets:ModifyBudget",
    "budgets:DescribeBudget": "budgets:ViewBudget",
    "budgets:DescribeNotificationsForBudget": "budgets:ViewBudget",
    "budgets:DescribeSubscribersForNotification": "budgets:ViewBudget",
    "budgets:UpdateBudget": "budgets:ModifyBudget",
    "cloudfront:CreateDistributionWithTags": "cloudfront:CreateDistribution",
    "lambda:Invoke": "lambda:InvokeFunction",
    "s3:CompleteMultipartUpload": "s3:PutObject",
    "s3:CreateMultipartUpload": "s3:PutObject",
    "s3:DeleteBucketEncryption": "s3:PutEncryptionConfiguration",
    "s3:DeleteBucketLifecycle": "s3:PutLifecycleConfiguration",
    "s3:DeleteBucketOwnershipControls": "s3:PutBucketOwnershipControls",
    "s3:DeleteBucketTagging": "s3:PutBucketTagging",
    "s3:DeleteObjects": "s3:DeleteObject",
    "s3:DeletePublicAccessBlock": "s3:PutBucketPublicAccessBlock",
    "s3:GetBucketAccelerateConfiguration": "s3:GetAccelerateConfiguration",
    "s3:GetBucketEncryption": "s3:GetEncryptionConfiguration",
    "s3:GetBucketLifecycleConfiguration": "s3:GetLifecycleConfiguration",
    "s3:GetBucketReplication": "s3:GetReplicationConfiguration",
    "s3:GetObjectLockConfiguration": "s3:GetBucketObjectLockConfiguration",
    "s3:GetPublicAccessBlock": "s3:GetBucketPublicAccessBlock",
    "s3:HeadBucket": "s3:ListBucket",
    "s3:HeadObject": "s3:GetObject",
    "s3:ListObjectVersions": "s3:ListBucketVersions",
    "s3:ListObjects": "s3:ListBucket",
    "s3:ListObjectsV2": "s3:ListBucket",
    "s3:PutBucketEncryption": "s3:PutEncryptionConfiguration",
    "s3:PutBucketLifecycleConfiguration": "s3:PutLifecycleConfiguration",
    "s3:PutPublicAccessBlock": "s3:PutBucketPublicAccessBlock",
    "s3:UploadPart": "s3:PutObject",
}

# The action that lets an operation of a service tag what it makes, and the type of the new resource if AWS names it.
TAGGING = {
    "budgets": ("TagResource", ""),
    "cloudfront": ("TagResource", "distribution"),
    "cloudwatch": ("TagResource", ""),
    "cognito-idp": ("TagResource", "userpool"),
    "ec2": ("CreateTags", ""),
    "events": ("TagResource", ""),
    "iam": ("TagRole", ""),
    "kms": ("TagResource", "key"),
    "lambda": ("TagResource", ""),
    "logs": ("TagResource", ""),
    "rds": ("AddTagsToResource", ""),
    "s3": ("PutObjectTagging", ""),
    "secretsmanager": ("TagResource", ""),
    "sns": ("TagResource", ""),
    "wafv2": ("TagResource", ""),
}

# Operations whose requests name no resource, although the reference lists a type: AWS asks about all of this type.
ON_ALL = {"cloudwatch:PutMetricData": "dataset/*"}

# Other actions, on all resources, that an operation needs too.
BESIDES = {
    "lambda:CreateFunction": ("ec2:DescribeSecurityGroups", "ec2:DescribeSubnets", "ec2:DescribeVpcs"),
    "wafv2:DeleteLoggingConfiguration": ("logs:DeleteLogDelivery",),
    "wafv2:PutLoggingConfiguration": (
        "logs:CreateLogDelivery",
        "logs:DescribeResourcePolicies",
        "logs:PutResourcePolicy",
    ),
}

# The service whose own role an operation makes if the account has none.
SERVICE_ROLES = {
    "apigateway:CreateRestApi": "ops.apigateway.amazonaws.com",
    "rds:CreateDBCluster": "rds.amazonaws.com",
    "wafv2:PutLoggingConfiguration": "wafv2.amazonaws.com",
}

# The service that gets the role that a request names.
PASSED_TO = {"ec2": "vpc-flow-logs.amazonaws.com", "lambda": "lambda.amazonaws.com"}

# The parameters that name a resource, by its type in the reference: in the order of the variables of its ARN. Several
# names for one variable are alternatives. Parameters that are ARNs need no entry.
NAMES: dict[str, dict[str, tuple[str, ...]]] = {
    "budgets": {"budget": ("BudgetName|Budget",)},
    "cloudfront": {
        "cache-policy": ("Id",),
        "distribution": ("Id|DistributionId",),
        "function": ("Name",),
        "key-value-store": ("Name",),
        "origin-access-control": ("Id",),
        "origin-request-policy": ("Id",),
        "response-headers-policy": ("Id",),
    },
    "cloudwatch": {"alarm": ("AlarmName|AlarmNames",), "dashboard": ("DashboardName|DashboardNames",)},
    "cognito-idp": {"userpool": ("UserPoolId",)},
    "events": {"rule-on-default-event-bus": ("Rule|Name",)},
    "iam": {"role": ("RoleName",)},
    "kms": {"alias": ("AliasName",), "key": ("KeyId|TargetKeyId",)},
    "lambda": {"function": ("FunctionName",)},
    "logs": {"log-group": ("logGroupName",)},
    "rds": {
        "cluster": ("DBClusterIdentifier",),
        "cluster-pg": ("DBClusterParameterGroupName",),
        "cluster-snapshot": ("FinalDBSnapshotIdentifier",),
        "db": ("DBInstanceIdentifier",),
        "subgrp": ("DBSubnetGroupName",),
    },
    "s3": {"bucket": ("Bucket",), "object": ("Bucket", "Key|Delete")},
    "secretsmanager": {"Secret": ("SecretId|Name",)},
    "sns": {"topic": ("Name",)},
    "wafv2": {"webacl": ("Scope", "Name", "Id")},
}

# The beginnings of EC2's ids, by type of resource.
IDS = {
    "elastic-ip": "eipalloc-",
    "internet-gateway": "igw-",
    "natgateway": "nat-",
    "network-interface": "eni-",
    "route-table": "rtb(assoc)?-",
    "security-group": "sg-",
    "security-group-rule": "sgr-",
    "subnet": "subnet-",
    "vpc": "vpc-",
    "vpc-flow-log": "fl-",
}

# Types that the reference calls required, and that a request need not name.
OPTIONAL = {"rds:DeleteDBCluster": "cluster-snapshot"}

# AWS's own groups, for which RDS asks if a request names none.
GROUPS = {"og": "default:aurora-postgresql-16", "pg": "default.aurora-postgresql16"}
