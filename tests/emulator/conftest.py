"""An emulated account of a worker's own, on a port that was free."""

import boto3
import pytest

from devtools.emulator import environment
from tests.support.emulated import emulated_account


@pytest.fixture(scope="session")
def emulated():
    """The environment variables with which to speak to the account."""
    with emulated_account() as port:
        yield environment({}, port)


@pytest.fixture
def client(emulated):
    """`client("s3")`: boto3's client, in the emulated account."""

    def make(service):
        return boto3.client(
            service,
            endpoint_url=emulated["AWS_ENDPOINT_URL"],
            region_name=emulated["AWS_REGION"],
            aws_access_key_id=emulated["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=emulated["AWS_SECRET_ACCESS_KEY"],
        )

    return make
