"""The fixture for boto3 clients of the emulated account."""

from collections.abc import Callable
from typing import Any

import pytest

from tools.aws.emulator.account import emulated_client


@pytest.fixture
def client(emulated_port: int) -> Callable[[str], Any]:
    """`client("s3")` is boto3's client for the emulated account."""
    return lambda service: emulated_client(service, emulated_port)
