"""Run a temporary emulated account, and make boto3 clients for emulated accounts."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

from tools import lifeline
from tools.checkout import ROOT, ToolError
from tools.local.emulation import REGION, environment


@contextmanager
def emulated_account(calls: Path | None = None) -> Iterator[int]:
    """Serve an emulated account until the end of the block, and yield its port. Raise ToolError if it can't start.

    `calls` is a file, to which the account adds a line for each call.
    """
    command = [sys.executable, "-m", "tools", "aws", "emulator", "--port=0", f"--calls={calls or ''}"]
    with lifeline.kept(command, cwd=ROOT, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        found = re.search(r":(\d+),", process.stdout.readline())
        if found is None:
            raise ToolError("The emulated account did not start: run `make emulator` to see why")
        yield int(found[1])


def emulated_client(service: str, port: int, region: str = REGION, config: Config | None = None) -> Any:
    """Return a boto3 client for a service in the emulated account on `port`."""
    settings = environment(os.environ, port)
    return boto3.client(
        service,
        config=config,
        endpoint_url=settings["AWS_ENDPOINT_URL"],
        region_name=region,
        aws_access_key_id=settings["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=settings["AWS_SECRET_ACCESS_KEY"],
    )
