"""Fixtures for tests of deployments."""

import boto3
import pytest
from moto import mock_aws

from chalicelib.database.roles import MIGRATOR
from tests.infra.functions import FUNCTIONS, Account, package
from tests.support.postgres import as_login
from tests.support.stage import local_stage
from tools.aws.deploy import ALIAS


@pytest.fixture
def account(database_url, monkeypatch):
    """An account after the first apply: every function has a version 1 and an alias that points to it."""
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    with local_stage(as_login(database_url, MIGRATOR)), mock_aws():
        role = boto3.client("iam").create_role(RoleName="function", AssumeRolePolicyDocument="{}")["Role"]["Arn"]
        client = boto3.client("lambda")
        for name in FUNCTIONS.values():
            client.create_function(
                FunctionName=name,
                Runtime="python3.13",
                Role=role,
                Handler="app.app",
                Code={"ZipFile": package("1")},
                Publish=True,
            )
            client.create_alias(FunctionName=name, Name=ALIAS, FunctionVersion="1")
        yield Account(client)
