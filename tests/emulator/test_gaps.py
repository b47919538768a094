"""The emulated account answers calls of Terraform that moto does not support."""

import io
import json
import uuid
import zipfile
from urllib.error import HTTPError
from urllib.parse import quote
from urllib.request import Request, urlopen

import pytest
from botocore.exceptions import ClientError

from tools.aws.deploy import enable_data_api
from tools.local.emulation import ACCOUNT, STATE_BUCKET

POLICIES = {
    "cache_policy": {"Name": "calls", "MinTTL": 0},
    "response_headers_policy": {"Name": "headers", "Comment": "a < b"},
    "origin_request_policy": {
        "Name": "viewer",
        "HeadersConfig": {"HeaderBehavior": "none"},
        "CookiesConfig": {"CookieBehavior": "none"},
        "QueryStringsConfig": {"QueryStringBehavior": "all"},
    },
}


def test_the_bucket_of_terraforms_state_exists_and_keeps_versions(client):
    assert client("s3").get_bucket_versioning(Bucket=STATE_BUCKET)["Status"] == "Enabled"


def test_policies_managed_by_aws_can_be_attached(client):
    policy = client("iam").get_policy(PolicyArn="arn:aws:iam::aws:policy/ReadOnlyAccess")

    assert policy["Policy"]["PolicyName"] == "ReadOnlyAccess"


def test_a_policy_keeps_its_encoded_characters(client):
    iam = client("iam")
    statement = {
        "Effect": "Allow",
        "Action": "apigateway:PUT",
        "Resource": "arn:aws:apigateway:eu-central-1::/tags/a%2Fb",
    }
    document = {"Version": "2012-10-17", "Statement": [statement]}

    made = iam.create_policy(PolicyName="encoded", PolicyDocument=json.dumps(document))["Policy"]

    assert iam.get_policy_version(PolicyArn=made["Arn"], VersionId="v1")["PolicyVersion"]["Document"] == document


@pytest.mark.parametrize("kind", POLICIES)
def test_a_cloudfront_policy_is_created_read_changed_and_deleted(client, kind):
    cloudfront = client("cloudfront")
    name = "".join(part.title() for part in kind.split("_"))
    config = POLICIES[kind]
    key = f"{name}Config"

    made = getattr(cloudfront, f"create_{kind}")(**{key: config})
    identifier = made[name]["Id"]
    read = getattr(cloudfront, f"get_{kind}")(Id=identifier)

    assert read[name][key] == config
    assert getattr(cloudfront, f"get_{kind}_config")(Id=identifier)[key] == config

    changed = {**config, "Name": "changed"}
    with pytest.raises(ClientError, match="PreconditionFailed"):
        getattr(cloudfront, f"update_{kind}")(Id=identifier, IfMatch="stale", **{key: changed})
    updated = getattr(cloudfront, f"update_{kind}")(Id=identifier, IfMatch=made["ETag"], **{key: changed})
    assert updated[name][key] == changed

    getattr(cloudfront, f"delete_{kind}")(Id=identifier, IfMatch=updated["ETag"])
    with pytest.raises(ClientError, match=f"NoSuch{name}"):
        getattr(cloudfront, f"get_{kind}")(Id=identifier)


def test_a_cloudfront_function_is_published(client):
    cloudfront = client("cloudfront")
    config = {"Comment": "routes & more", "Runtime": "cloudfront-js-2.0"}
    made = cloudfront.create_function(Name="route", FunctionConfig=config, FunctionCode=b"function handler() {}")

    published = cloudfront.publish_function(Name="route", IfMatch=made["ETag"])

    assert published["FunctionSummary"]["FunctionMetadata"]["Stage"] == "LIVE"
    assert published["FunctionSummary"]["FunctionConfig"] == config


@pytest.mark.parametrize(("calls", "made"), [("aa", 1), ("ab", 2)], ids=["the same call again", "another call"])
def test_a_call_that_the_sdk_retries_has_one_effect(client, calls, made):
    cloudfront, names = client("cloudfront"), iter(calls)

    def call(request, **_):
        request.headers["amz-sdk-invocation-id"] = f"{calls}-{next(names)}"

    cloudfront.meta.events.register("before-send", call)
    config = POLICIES["cache_policy"]
    ids = {cloudfront.create_cache_policy(CachePolicyConfig=config)["CachePolicy"]["Id"] for _ in calls}

    assert len(ids) == made


def test_a_retry_of_a_failed_call_is_carried_out(client):
    cloudfront = client("cloudfront")

    def call(request, **_):
        request.headers["amz-sdk-invocation-id"] = "failed"

    cloudfront.meta.events.register("before-send", call)
    with pytest.raises(ClientError, match="NoSuchCachePolicy"):
        cloudfront.update_cache_policy(Id="none", CachePolicyConfig=POLICIES["cache_policy"])

    assert cloudfront.create_cache_policy(CachePolicyConfig=POLICIES["cache_policy"])["CachePolicy"]["Id"]


def test_a_distribution_keeps_its_configuration(client):
    cloudfront = client("cloudfront")
    origin = {"Id": "o", "DomainName": "example.org", "OriginAccessControlId": "E1"}
    protocol = {"HTTPPort": 80, "HTTPSPort": 443, "OriginProtocolPolicy": "https-only"}
    function = {"FunctionARN": "arn:aws:cloudfront::1:function/viewer", "EventType": "viewer-request"}
    config = {
        "CallerReference": "once",
        "Comment": "calls & more",
        "Enabled": True,
        "Origins": {"Quantity": 1, "Items": [{**origin, "CustomOriginConfig": protocol}]},
        "DefaultCacheBehavior": {
            "TargetOriginId": "o",
            "ViewerProtocolPolicy": "https-only",
            "CachePolicyId": "c",
            "FunctionAssociations": {"Quantity": 1, "Items": [function]},
        },
    }

    made = cloudfront.create_distribution(DistributionConfig=config)["Distribution"]
    read = cloudfront.get_distribution_config(Id=made["Id"])
    changed = {**config, "Comment": "changed"}
    cloudfront.update_distribution(Id=made["Id"], IfMatch=read["ETag"], DistributionConfig=changed)

    for told, comment in (
        (made["DistributionConfig"], "calls & more"),
        (read["DistributionConfig"], "calls & more"),
        (cloudfront.get_distribution(Id=made["Id"])["Distribution"]["DistributionConfig"], "changed"),
    ):
        behavior = told["DefaultCacheBehavior"]
        assert told["Comment"] == comment
        assert told["Origins"]["Items"][0].items() >= origin.items()
        assert behavior["FunctionAssociations"]["Items"] == [function]
        # AWS adds default members to a configuration, but only inside members that the caller sent.
        assert "ViewerCertificate" in told
        assert "ForwardedValues" not in behavior


def test_a_cognito_resource_server_is_deleted_once(client):
    cognito = client("cognito-idp")
    pool = cognito.create_user_pool(PoolName="people")["UserPool"]["Id"]
    server = {"UserPoolId": pool, "Identifier": "service"}
    cognito.create_resource_server(**server, Name="Service")

    cognito.delete_resource_server(**server)

    with pytest.raises(ClientError, match="ResourceNotFound"):
        cognito.describe_resource_server(**server)
    with pytest.raises(ClientError, match="ResourceNotFound"):
        cognito.delete_resource_server(**server)


def test_a_key_value_store_keeps_keys(client, emulated):
    """Call the store over HTTP, because boto3 would need an extra library to sign these calls."""
    arn = client("cloudfront").create_key_value_store(Name="routes")["KeyValueStore"]["ARN"]
    address = f"{emulated['AWS_ENDPOINT_URL']}/key-value-stores/{quote(arn, safe='')}"

    def ask(path="", method="GET", body=None, etag=""):
        data = None if body is None else json.dumps(body).encode()
        request = Request(address + path, data, {"If-Match": etag}, method=method)  # noqa: S310
        with urlopen(request, timeout=10) as answer:  # noqa: S310
            return json.load(answer), answer.headers["ETag"]

    store, etag = ask()
    assert store["ItemCount"] == 0
    with pytest.raises(HTTPError, match="409"):
        ask("/keys/somebody", "PUT", {"Value": "debug"}, "stale")
    _, etag = ask("/keys/somebody", "PUT", {"Value": "debug"}, etag)
    assert ask("/keys/somebody")[0]["Value"] == "debug"
    assert [item["Key"] for item in ask("/keys")[0]["Items"]] == ["somebody"]
    ask("/keys/somebody", "DELETE", etag=etag)
    assert ask()[0]["ItemCount"] == 0


@pytest.fixture
def bucket(client):
    """`bucket("Deny", "s3:PutObject", Condition={…})` makes a bucket with this policy and returns the bucket's name."""
    s3 = client("s3")

    def make(effect, action, **condition):
        name = f"policy-{uuid.uuid4()}"
        s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
        arn = f"arn:aws:s3:::{name}"
        statement = {"Effect": effect, "Principal": "*", "Action": action, "Resource": [arn, f"{arn}/*"]}
        policy = {"Version": "2012-10-17", "Statement": [{**statement, **condition}]}
        s3.put_bucket_policy(Bucket=name, Policy=json.dumps(policy))
        return name

    return make


def test_a_bucket_that_requires_tls_can_be_used(client, bucket):
    name = bucket("Deny", "s3:*", Condition={"Bool": {"aws:SecureTransport": "false"}})

    client("s3").put_object(Bucket=name, Key="state", Body=b"{}")

    assert client("s3").head_object(Bucket=name, Key="state")["ContentLength"] == 2


def test_a_bucket_that_requires_conditional_writes_refuses_others(client, bucket):
    unconditional = {"Null": {"s3:if-none-match": "true"}, "Bool": {"s3:ObjectCreationOperation": "true"}}
    name = bucket("Deny", "s3:PutObject", Condition=unconditional)
    once = {"Bucket": name, "Key": "package", "IfNoneMatch": "*"}

    with pytest.raises(ClientError, match="403"):
        client("s3").put_object(Bucket=name, Key="package", Body=b"first")
    client("s3").put_object(**once, Body=b"first")
    with pytest.raises(ClientError, match="PreconditionFailed"):
        client("s3").put_object(**once, Body=b"second")


def test_an_unconditional_deny_of_a_bucket_always_holds(client, bucket):
    name = bucket("Deny", "s3:DeleteObject")
    client("s3").put_object(Bucket=name, Key="package", Body=b"")

    with pytest.raises(ClientError, match="403"):
        client("s3").delete_object(Bucket=name, Key="package")


def test_calls_that_moto_answers_are_left_to_moto(client):
    client("ssm").put_parameter(Name="left", Value="alone", Type="String")

    assert client("ssm").get_parameter(Name="left")["Parameter"]["Value"] == "alone"


def test_a_serverless_v2_cluster_has_the_data_api_and_no_v1_scaling_configuration(client):
    made = client("rds").create_db_cluster(
        DBClusterIdentifier="gaps",
        Engine="aurora-postgresql",
        MasterUsername="owner",
        ManageMasterUserPassword=True,
        EnableHttpEndpoint=True,
    )["DBCluster"]

    assert made["HttpEndpointEnabled"]
    assert "ScalingConfigurationInfo" not in made


def test_a_restored_cluster_has_no_data_api_until_it_is_enabled(client):
    rds = client("rds")
    rds.create_db_cluster(
        DBClusterIdentifier="gaps-source",
        Engine="aurora-postgresql",
        MasterUsername="owner",
        ManageMasterUserPassword=True,
        EnableHttpEndpoint=True,
    )
    rds.restore_db_cluster_to_point_in_time(
        DBClusterIdentifier="gaps-clone",
        SourceDBClusterIdentifier="gaps-source",
        RestoreType="copy-on-write",
        UseLatestRestorableTime=True,
    )

    def has_data_api():
        return [
            rds.describe_db_clusters(DBClusterIdentifier=name)["DBClusters"][0]["HttpEndpointEnabled"]
            for name in ("gaps-source", "gaps-clone")
        ]

    before = has_data_api()
    for _ in range(2):
        enable_data_api(rds, "gaps-clone")

    assert (before, has_data_api()) == ([True, False], [True, True])


def test_a_database_instance_has_an_aws_certificate_and_keeps_its_insights_settings(client):
    client("rds").create_db_cluster(
        DBClusterIdentifier="gaps-2", Engine="aurora-postgresql", MasterUsername="owner", ManageMasterUserPassword=True
    )
    made = client("rds").create_db_instance(
        DBInstanceIdentifier="gaps-1",
        DBInstanceClass="db.serverless",
        Engine="aurora-postgresql",
        DBClusterIdentifier="gaps-2",
        EnablePerformanceInsights=True,
        PerformanceInsightsRetentionPeriod=7,
    )["DBInstance"]

    assert made["CACertificateIdentifier"] == "rds-ca-rsa2048-g1"
    assert (made["PerformanceInsightsEnabled"], made["PerformanceInsightsRetentionPeriod"]) == (True, 7)


def test_an_api_with_a_mock_integration_is_created_from_a_document(client):
    gateway = client("apigateway")
    api = gateway.create_rest_api(name="gaps")["id"]
    integration = {"type": "mock", "requestTemplates": {"application/json": '{"statusCode": 404}'}, "responses": {}}
    document = {
        "openapi": "3.0.1",
        "info": {"title": "gaps", "version": "1"},
        "paths": {"/{proxy+}": {"get": {"responses": {}, "x-amazon-apigateway-integration": integration}}},
    }

    gateway.put_rest_api(restApiId=api, mode="overwrite", body=json.dumps(document).encode())

    resource = next(each for each in gateway.get_resources(restApiId=api)["items"] if each["path"] == "/{proxy+}")
    assert gateway.get_integration(restApiId=api, resourceId=resource["id"], httpMethod="GET")["type"] == "mock"


def test_invoking_a_function_succeeds_without_running_it_and_it_keeps_its_log_group(client):
    role = client("iam").create_role(RoleName="gaps", AssumeRolePolicyDocument="{}")["Role"]["Arn"]
    code = io.BytesIO()
    with zipfile.ZipFile(code, "w") as archive:
        archive.writestr("app.py", "")
    client("lambda").create_function(
        FunctionName="gaps",
        Runtime="python3.13",
        Role=role,
        Handler="app.app",
        Code={"ZipFile": code.getvalue()},
        LoggingConfig={"LogGroup": "/elsewhere"},
    )

    assert "FunctionError" not in client("lambda").invoke(FunctionName="gaps", Payload=b"{}")
    logging = {"LogFormat": "Text", "LogGroup": "/elsewhere"}
    assert client("lambda").get_function_configuration(FunctionName="gaps")["LoggingConfig"] == logging
    client("lambda").update_function_configuration(FunctionName="gaps", LoggingConfig={"LogFormat": "JSON"})
    logging = {"LogFormat": "JSON", "LogGroup": "/aws/lambda/gaps"}
    assert client("lambda").get_function_configuration(FunctionName="gaps")["LoggingConfig"] == logging


def test_a_composite_alarm_and_the_tags_of_a_budget_are_kept(client):
    client("cloudwatch").put_composite_alarm(AlarmName="gaps", AlarmRule="FALSE")
    limit = {"Amount": "1", "Unit": "USD"}
    budget = {"BudgetName": "gaps", "BudgetType": "COST", "TimeUnit": "MONTHLY", "BudgetLimit": limit}
    tags = [{"Key": "workspace", "Value": "default"}]
    client("budgets").create_budget(AccountId=ACCOUNT, Budget=budget, ResourceTags=tags)

    [alarm] = client("cloudwatch").describe_alarms(AlarmNames=["gaps"], AlarmTypes=["CompositeAlarm"])[
        "CompositeAlarms"
    ]
    arn = f"arn:aws:budgets::{ACCOUNT}:budget/gaps"
    assert alarm["AlarmRule"] == "FALSE"
    assert client("budgets").list_tags_for_resource(ResourceARN=arn)["ResourceTags"] == tags
