"""Read IAM actions: from the log of Terraform's AWS provider, and from files of infra/account.

With TF_LOG_PROVIDER=DEBUG, the provider logs its requests.
"""

import re
from pathlib import Path

from tools.checkout import ROOT

PREFIXES = {
    "API Gateway": "apigateway",
    "CloudFront": "cloudfront",
    "CloudWatch": "cloudwatch",
    "CloudWatch Logs": "logs",
    "Cognito Identity Provider": "cognito-idp",
    "EC2": "ec2",
    "EventBridge": "events",
    "IAM": "iam",
    "KMS": "kms",
    "Lambda": "lambda",
    "RDS": "rds",
    "S3": "s3",
    "SNS": "sns",
    "Secrets Manager": "secretsmanager",
    "STS": "sts",
    "WAFV2": "wafv2",
}

# Operations of S3 whose IAM action has another name.
S3 = {
    "DeleteBucketEncryption": "PutEncryptionConfiguration",
    "DeleteBucketLifecycle": "PutLifecycleConfiguration",
    "DeleteBucketOwnershipControls": "PutBucketOwnershipControls",
    "DeleteObjects": "DeleteObject",
    "DeletePublicAccessBlock": "PutBucketPublicAccessBlock",
    "GetBucketEncryption": "GetEncryptionConfiguration",
    "GetBucketLifecycleConfiguration": "GetLifecycleConfiguration",
    "GetPublicAccessBlock": "GetBucketPublicAccessBlock",
    "HeadBucket": "ListBucket",
    "ListObjectVersions": "ListBucketVersions",
    "PutBucketEncryption": "PutEncryptionConfiguration",
}
API_GATEWAY = {"Create": "POST", "Delete": "DELETE", "Get": "GET", "Put": "PUT", "Update": "PATCH"}


def actions(log: Path) -> set[str]:
    """Return the IAM actions of the requests in the log, except sts:GetCallerIdentity, which needs no permission."""
    entries = re.split(r"\n(?=\d{4}-\d\d-\d\dT)", log.read_text())
    sent = [entry for entry in entries if "HTTP Request Sent" in entry]
    return {_action(entry) for entry in sent} - {"sts:GetCallerIdentity"}


def listed(file: str) -> set[str]:
    """Return the IAM actions that a file of infra/account names."""
    return set(re.findall(r'"([a-z0-9-]+:[A-Za-z]+)"', (ROOT / "infra" / "account" / file).read_text()))


def _action(entry: str) -> str:
    service = re.search(r'rpc\.service=(?:"([^"]+)"|(\S+))', entry)
    method = re.search(r"rpc\.method=(\w+)", entry)
    assert service, entry
    assert method, entry
    name = service[1] or service[2]
    if name == "API Gateway":
        return f"apigateway:{next(API_GATEWAY[verb] for verb in API_GATEWAY if method[1].startswith(verb))}"
    return f"{PREFIXES[name]}:{S3.get(method[1], method[1]) if name == 'S3' else method[1]}"
