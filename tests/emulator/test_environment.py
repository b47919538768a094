"""The emulated account's variables send every AWS call to it, even in a shell that names another account."""

import os
import subprocess
import sys

import pytest

from tools.local.emulation import STATE_BUCKET, environment

LIST_BUCKETS = "import boto3; print(*(bucket['Name'] for bucket in boto3.client('s3').list_buckets()['Buckets']))"


@pytest.mark.parametrize(
    "shell",
    [
        {},
        {"AWS_PROFILE": "production"},
        {"AWS_ENDPOINT_URL_S3": "http://127.0.0.1:1"},
        {"AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true"},
    ],
)
def test_a_client_with_default_settings_calls_the_emulated_account(emulated_port, shell):
    answer = subprocess.run(
        [sys.executable, "-c", LIST_BUCKETS],
        env=environment({**os.environ, **shell}, emulated_port),
        capture_output=True,
        text=True,
        timeout=30,
    )

    assert STATE_BUCKET in answer.stdout.split(), answer.stderr
