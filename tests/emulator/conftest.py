"""An emulated account of a worker's own, on a port that was free."""

import pytest

from tools.aws.emulator.account import emulated_account, emulated_client
from tools.local.emulation import environment


@pytest.fixture(scope="session")
def emulated():
    """The environment variables with which to speak to the account."""
    with emulated_account() as port:
        yield environment({}, port)


@pytest.fixture
def client(emulated):
    """`client("s3")`: boto3's client, in the emulated account."""
    port = int(emulated["AWS_ENDPOINT_URL"].rpartition(":")[2])
    return lambda service: emulated_client(service, port)
