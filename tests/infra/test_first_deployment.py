"""docs/first-deployment.md from an empty account to a running environment, to the letter, in an emulated account.

What it tells GitHub, and records in the service, is in tests/local.
"""

import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.support import aws_cli
from tests.support.page import blocks, script, sh
from tools.aws.emulator.account import emulated_account, emulated_client
from tools.aws.terraform import missing
from tools.checkout import ROOT
from tools.local.emulation import STATE_BUCKET, environment

SECONDS = 900

pytestmark = pytest.mark.skipif(missing() is not None, reason=f"infrastructure: {missing()}")


class Account:
    """An emulated account without anything in it, and a shell whose `make` and `aws` speak to it."""

    def __init__(self, port: int, commands: Path) -> None:
        self._port = port
        self._commands = commands
        aws_cli.install(commands, ROOT)
        self.client("s3").delete_bucket(Bucket=STATE_BUCKET)

    def client(self, service: str) -> Any:
        return emulated_client(service, self._port)

    @property
    def environ(self) -> dict[str, str]:
        told = environment({**os.environ, "EMULATED": str(self._port), "TF_CLI_ARGS": "-no-color"}, self._port)
        return {**told, "PATH": f"{self._commands}:{os.environ['PATH']}"}

    def keys(self) -> set[str]:
        return {item["Key"] for item in self.client("s3").list_objects_v2(Bucket=STATE_BUCKET)["Contents"]}


@pytest.fixture
def account(tmp_path: Path) -> Iterator[Account]:
    with emulated_account() as port:
        yield Account(port, tmp_path)
    for folder in (ROOT / ".local").glob(f"*/*emulated-{port}"):
        shutil.rmtree(folder)


def test_the_page_makes_an_account_and_its_first_environment_and_lets_somebody_in(account: Account) -> None:
    for section in ("1.", "2.", "4.", "5."):
        sh(script("first-deployment.md", section), environ=account.environ, seconds=SECONDS)

    assert account.keys() == {"account.tfstate", "development.tfstate"}
    cognito = account.client("cognito-idp")
    [pool] = cognito.list_user_pools(MaxResults=60)["UserPools"]
    groups = cognito.admin_list_groups_for_user(UserPoolId=pool["Id"], Username="jane@example.org")["Groups"]
    assert [group["GroupName"] for group in groups] == ["admins"]

    # The roles of which GitHub is told are there.
    told = "".join(block.text for block in blocks("first-deployment.md") if block.needs == "GitHub")
    made = {role["RoleName"] for role in account.client("iam").list_roles()["Roles"]}
    assert {"slipway-account-plan", "slipway-account-artifacts"} <= made
    for name in ("development", "preproduction"):
        assert {f"slipway-account-{may}-{name}" for may in ("apply", "workspaces", "reap")} <= made
    assert re.search(r"role/slipway-account-plan\n", told)

    # Doing it again changes nothing.
    again = sh("make account", environ=account.environ, seconds=SECONDS)
    assert "No changes." in again
    assert "moves" not in again

    a_package_is_written_once(account.client("s3"))


def a_package_is_written_once(s3: Any) -> None:
    package = {"Bucket": STATE_BUCKET.replace("state", "artifacts"), "Key": "tree/package.zip"}
    with pytest.raises(ClientError, match="403"):
        s3.put_object(**package, Body=b"unconditional")
    s3.put_object(**package, Body=b"first", IfNoneMatch="*")
    with pytest.raises(ClientError, match="PreconditionFailed"):
        s3.put_object(**package, Body=b"second", IfNoneMatch="*")
    with pytest.raises(ClientError, match="403"):
        s3.delete_object(**package)
