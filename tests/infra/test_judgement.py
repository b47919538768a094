"""The judgement of a rehearsal's calls to AWS finds each kind of missing permission, in made-up lines of a log."""

from collections.abc import Mapping
from typing import Any

import pytest

from chalicelib import NAME
from tests.rehearsal.calls import Call
from tests.rehearsal.judgement import judge
from tools.checks import npm
from tools.checks.walls.places import DEVELOPMENT, PRODUCTION
from tools.checks.walls.rendered import Policy, Rendered, Role
from tools.local.emulation import ACCOUNT, REGION, access_key

pytestmark = pytest.mark.skipif(npm.missing() is not None, reason=f"infrastructure: {npm.missing()}")

APPLY, ON_CALL = f"{NAME}-account-apply-development", f"{NAME}-account-on-call"
# The calls are in the emulated account, and the policies are about the account of the environment.
THERE = f"{REGION}:{DEVELOPMENT.account_id}"
BUCKET = "arn:aws:s3:::packages"
OWN, OTHER = {"environment": "development"}, {"environment": "production"}


def statement(action: list[str] | str, resource: str = "*", **more: Any) -> dict[str, Any]:
    return {"Sid": "One", "Effect": "Allow", "Action": action, "Resource": resource, **more}


def tagged(kind: str) -> dict[str, Any]:
    return {"Condition": {"StringEquals": {f"aws:{kind}Tag/environment": "development"}}}


def policies() -> Rendered:
    """Return the policies of two roles, and of a bucket whose objects are written once."""
    own = [
        statement(["lambda:UpdateFunctionCode", "lambda:CreateFunction"], f"arn:aws:lambda:{THERE}:function:{NAME}-*"),
        statement("iam:PassRole", Condition={"StringEquals": {"iam:PassedToService": "lambda.amazonaws.com"}}),
        statement(
            ["iam:CreateRole", "iam:PutRolePolicy"], Condition={"StringEquals": {"iam:PermissionsBoundary": "b"}}
        ),
        statement(["ec2:CreateVpc", "ec2:CreateTags"], **tagged("Request")),
        statement("ec2:DeleteVpc", **tagged("Resource")),
        statement(["apigateway:PATCH", "kms:EnableKeyRotation"], **tagged("Resource")),
        statement(["iam:CreateServiceLinkedRole", "ec2:Describe*"]),
        statement("budgets:ModifyBudget", f"arn:aws:budgets::{DEVELOPMENT.account_id}:budget/{NAME}-*"),
        statement("cloudwatch:PutMetricData", Condition={"StringEquals": {"cloudwatch:namespace": NAME}}),
        statement(["s3:PutObject", "s3:ListBucket", "s3:DeleteObject", "rds:CreateDBCluster"]),
    ]
    once = {
        **statement("s3:PutObject", f"{BUCKET}/*", Condition={"Null": {"s3:if-none-match": "true"}}),
        "Effect": "Deny",
        "Principal": "*",
    }
    state = statement("s3:PutObject", f"arn:aws:s3:::{NAME}-state-{PRODUCTION.account_id}/production/*")
    documents = {"own": ("identity", own), "on-call": ("identity", [state]), "bucket": ("resource", [once])}
    found = Rendered(
        {id_: Policy(kind, {"Version": "2012-10-17", "Statement": each}) for id_, (kind, each) in documents.items()}  # type: ignore[arg-type]
    )
    for target, name, id_ in ((DEVELOPMENT, APPLY, "own"), (PRODUCTION, ON_CALL, "on-call")):
        arn = f"arn:aws:iam::{target.account_id}:role/{name}"
        found.roles[arn] = Role(arn, "trust", (id_,), None)
    found.resources[BUCKET] = "bucket"
    return found


def call(
    service: str,
    operation: str,
    tags: Mapping[str, Mapping[str, str]] | None = None,
    role: str = APPLY,
    http: tuple[str, str] = ("POST", "/"),
    **parameters: Any,
) -> Call:
    return Call(access_key(role, "Apply it"), service, REGION, http, operation, parameters, tags or {})


def vpc(operation: str, tags: dict[str, str]) -> Call:
    if operation == "DeleteVpc":
        return call("ec2", operation, {"vpc-1": tags}, VpcId="vpc-1")
    given = [{"Key": key, "Value": value} for key, value in tags.items()]
    return call("ec2", operation, TagSpecifications=[{"ResourceType": "vpc", "Tags": given}])


def function(operation: str, name: str = f"{NAME}-api", **parameters: Any) -> Call:
    return call("lambda", operation, FunctionName=name, **parameters)


def api(tags: dict[str, str]) -> Call:
    arn = f"arn:aws:apigateway:{REGION}::/restapis/1"
    return call("apigateway", "UpdateStage", {arn: tags}, http=("PATCH", "/restapis/1/stages/live"))


def cluster(**parameters: Any) -> Call:
    groups = {"DBClusterParameterGroupName": "g", "DBSubnetGroupName": "s"}
    return call("rds", "CreateDBCluster", DBClusterIdentifier="c", **groups, **parameters)


KEY = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/1"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/r"
ALLOWED = [
    function("UpdateFunctionCode"),
    function("CreateFunction", Role=ROLE),
    call("iam", "CreateRole", RoleName="r", PermissionsBoundary="b"),
    call("iam", "PutRolePolicy", RoleName="r"),
    vpc("CreateVpc", OWN),
    vpc("DeleteVpc", OWN),
    api(OWN),
    call("kms", "EnableKeyRotation", {KEY: OWN}, KeyId="1"),
    call("s3", "ListObjectsV2", Bucket="packages"),
    call("s3", "PutObject", Bucket="packages", Key="a", IfNoneMatch="*"),
    call("s3", "DeleteObjects", Bucket="packages", Delete={"Objects": [{"Key": "a"}]}),
    call("s3", "PutObject", role=ON_CALL, Bucket=f"{NAME}-state-{ACCOUNT}", Key="development/d-1/a"),
    cluster(),
    call("budgets", "CreateBudget", Budget={"BudgetName": f"{NAME}-development"}),
    call("cloudwatch", "PutMetricData", Namespace=NAME),
    call("sts", "GetCallerIdentity"),
]
# Each call, and parts of the sentence about it.
REFUSED = [
    (
        function("PublishVersion"),
        f"{APPLY} called lambda PublishVersion in the step 'Apply-it'",
        f"lambda:PublishVersion on arn:aws:lambda:{THERE}:function:{NAME}-api: no statement allows it",
        "See infra/account/applying-functions.tf",
    ),
    (call("rds", "DescribeGlobalClusters"), "rds:DescribeGlobalClusters on any resource"),
    (function("UpdateFunctionCode", "other"), "lambda:UpdateFunctionCode on", "function:other"),
    (call("ec2", "CreateFlowLogs", DeliverLogsPermissionArn=ROLE, ResourceIds=["vpc-1"]), "iam:PassRole on", "role/r:"),
    (function("CreateFunction", Tags=OWN), "lambda:TagResource on"),
    (call("iam", "CreateRole", RoleName="free"), "iam:CreateRole on"),
    (call("iam", "PutRolePolicy", RoleName="free"), "iam:PutRolePolicy on"),
    (vpc("CreateVpc", OTHER), "ec2:CreateVpc on", "action: One", "'aws:RequestTag/environment': 'production'"),
    (vpc("DeleteVpc", OTHER), "ec2:DeleteVpc on", "vpc/vpc-1", "'aws:ResourceTag/environment': 'production'"),
    (api(OTHER), "apigateway:PATCH on", "/restapis/1/stages/live"),
    (call("kms", "EnableKeyRotation", KeyId="1"), "kms:EnableKeyRotation on", "key/1:"),
    (call("s3", "PutObject", Bucket="packages", Key="a"), "s3:PutObject on", "denied by One of bucket"),
    (
        call("s3", "DeleteObjects", Bucket="packages", Delete={"Objects": [{"Key": "a", "VersionId": "1"}]}),
        "s3:DeleteObjectVersion on arn:aws:s3:::packages/a",
    ),
    (
        call("s3", "PutObject", role=ON_CALL, Bucket=f"{NAME}-state-{ACCOUNT}", Key="preproduction/d-1/a"),
        f"state-{PRODUCTION.account_id}/preproduction/d-1/a",
    ),
    (cluster(KmsKeyId=KEY), "kms:CreateGrant on", "key/1:", "'kms:ViaService': 'rds."),
    (call("s3", "ListObjectsV2", role="nobody", Bucket="packages"), "nobody called s3 ListObjectsV2"),
    (call("budgets", "DeleteBudget", BudgetName="other"), "budgets:ModifyBudget on", "budget/other"),
    (call("cloudwatch", "PutMetricData", Namespace="AWS/RDS"), "cloudwatch:PutMetricData on", "AWS/RDS"),
    (call("lambda", "MakeCoffee"), "lambda MakeCoffee", "has no action", "operations.py"),
    (call("ec2", "DeleteVpc", Thing="x"), "ec2 DeleteVpc", "names no vpc", "NAMES"),
]


def test_calls_that_the_policies_allow_are_not_mentioned() -> None:
    assert judge(ALLOWED, policies()) == []


@pytest.fixture(scope="module")
def sentences() -> list[str]:
    """The sentences about all calls of REFUSED: the simulator answers all questions at once."""
    return judge([each for each, *_ in REFUSED], policies())


@pytest.mark.parametrize("parts", [parts for _, *parts in REFUSED], ids=lambda parts: parts[0][:60])
def test_a_call_that_aws_would_refuse_is_named(sentences: list[str], parts: list[str]) -> None:
    assert any(all(part in sentence for part in parts) for sentence in sentences), sentences
