"""The emulated account writes each call into a file: who called, what, and the tags of the resources."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from botocore.config import Config

from tools.aws.emulator.account import emulated_client
from tools.local.emulation import ACCOUNT, REGION, access_key, environment

CALLER = access_key("reader", "deploy.yml: Apply, and wait")


@pytest.fixture
def signed(
    emulated_port: int, emulated_calls: Path, monkeypatch: pytest.MonkeyPatch
) -> tuple[Callable[..., Any], Callable[[], list[dict[str, Any]]]]:
    """Two functions: a client that signs as CALLER, and the calls that were logged for it during the test."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", CALLER)
    before = len(emulated_calls.read_text().splitlines())

    def calls() -> list[dict[str, Any]]:
        logged = map(json.loads, emulated_calls.read_text().splitlines()[before:])
        return [each for each in logged if each["caller"] == CALLER]

    return lambda service, **more: emulated_client(service, emulated_port, **more), calls


def test_a_call_names_its_caller_its_operation_and_its_parameters(signed: Any) -> None:
    client, calls = signed

    client("cloudwatch").put_metric_alarm(
        AlarmName="a", ComparisonOperator="GreaterThanThreshold", EvaluationPeriods=1, AlarmActions=["arn:a"]
    )

    [call] = calls()
    assert CALLER == "emulated.reader.deploy-yml-Apply-and-wait"
    assert (call["service"], call["region"], call["operation"]) == ("cloudwatch", REGION, "PutMetricAlarm")
    assert call["parameters"]["AlarmActions"] == ["arn:a"]


def test_a_change_shows_the_tags_that_its_resource_had(signed: Any) -> None:
    client, calls = signed
    ec2, cognito, gateway, keys = map(client, ("ec2", "cognito-idp", "apigateway", "kms"))
    tags = {"environment": "one"}
    vpc = ec2.create_vpc(
        CidrBlock="10.0.0.0/16",
        TagSpecifications=[{"ResourceType": "vpc", "Tags": [{"Key": "environment", "Value": "one"}]}],
    )["Vpc"]["VpcId"]
    pool = cognito.create_user_pool(PoolName="x", UserPoolTags=tags)["UserPool"]
    api = gateway.create_rest_api(name="x", tags=tags)["id"]
    key = keys.create_key(Tags=[{"TagKey": "environment", "TagValue": "one"}])["KeyMetadata"]
    made = len(calls())

    ec2.delete_vpc(VpcId=vpc)
    cognito.delete_user_pool(UserPoolId=pool["Id"])
    gateway.delete_rest_api(restApiId=api)
    keys.enable_key_rotation(KeyId=key["KeyId"])

    named = [vpc, pool["Arn"], f"arn:aws:apigateway:{REGION}::/restapis/{api}", key["Arn"]]
    assert [each["tags"] for each in calls()[made:]] == [{each: tags} for each in named]
    assert [each["http"] for each in calls()[made:]][2] == ["DELETE", f"/restapis/{api}"]


def test_a_call_of_a_service_is_named_as_botocore_names_it(signed: Any) -> None:
    client, calls = signed

    client("service-quotas").list_aws_default_service_quotas(ServiceCode="vpc")
    client("resourcegroupstaggingapi").get_resources()

    named = [(each["service"], each["operation"]) for each in calls()]
    assert named == [("service-quotas", "ListAWSDefaultServiceQuotas"), ("resourcegroupstaggingapi", "GetResources")]


def test_the_content_of_a_file_is_not_logged(signed: Any) -> None:
    client, calls = signed
    s3 = client("s3")
    s3.create_bucket(Bucket="files", CreateBucketConfiguration={"LocationConstraint": REGION})

    s3.put_object(Bucket="files", Key="a b", Body=b"content", IfNoneMatch="*")

    parameters = calls()[-1]["parameters"]
    assert (parameters["Key"], parameters["IfNoneMatch"], "Body" in parameters) == ("a b", "*", False)
    assert s3.get_object(Bucket="files", Key="a b")["Body"].read() == b"content"


def test_an_answer_that_moto_lacks_is_logged_too(signed: Any) -> None:
    client, calls = signed

    client("cloudfront").list_cache_policies()
    store = client("cloudfront").create_key_value_store(Name="calls")["KeyValueStore"]["ARN"]
    routes = client("cloudfront-keyvaluestore", config=Config(signature_version="v4a"))
    routes.meta.events.register(
        "before-send", lambda request, **_: setattr(request, "url", request.url.replace(f"//{ACCOUNT}.", "//"))
    )
    routes.list_keys(KvsARN=store)

    assert [each["operation"] for each in calls()] == ["ListCachePolicies", "CreateKeyValueStore", "ListKeys"]
    assert calls()[-1]["parameters"] == {"KvsARN": store}


@pytest.mark.parametrize("id_", ["AKIAIOSFODNN7EXAMPLE", "ASIAIOSFODNN7EXAMPLE", ""])
def test_an_access_key_that_could_be_real_is_never_sent(id_: str) -> None:
    assert environment({"AWS_ACCESS_KEY_ID": id_})["AWS_ACCESS_KEY_ID"] == "emulated"
