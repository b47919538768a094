"""Follow docs/first-deployment.md exactly, from an empty emulated account to an environment with a user.

`make test` applies only this environment, so all tests of an applied environment are here. tests/rehearsal applies
several environments.
"""

import base64
import hashlib
import json
import os
import re
import shutil
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import brotli
import pytest
from botocore.exceptions import ClientError

from chalicelib import NAME
from tests.support import aws_cli
from tests.support.page import blocks, script, sh, started
from tests.support.plans import changes
from tools.aws.emulator.account import emulated_client
from tools.aws.target import Target
from tools.aws.terraform import missing
from tools.checkout import ROOT
from tools.local.emulation import STATE_BUCKET, environment

SECONDS = 900

pytestmark = [
    pytest.mark.slow,  # it takes five minutes
    pytest.mark.skipif(missing() is not None, reason=f"infrastructure: {missing()}"),
]


class Account:
    """An empty emulated account, and a shell whose `make` and `aws` use it."""

    def __init__(self, port: int, commands: Path) -> None:
        self.port = port
        self._commands = commands
        aws_cli.install(commands, ROOT)
        self.client("s3").delete_bucket(Bucket=STATE_BUCKET)

    def client(self, service: str) -> Any:
        return emulated_client(service, self.port)

    @property
    def environ(self) -> dict[str, str]:
        told = environment({**os.environ, "EMULATED": str(self.port), "TF_CLI_ARGS": "-no-color"}, self.port)
        return {**told, "PATH": f"{self._commands}:{os.environ['PATH']}"}

    def keys(self) -> set[str]:
        return {item["Key"] for item in self.client("s3").list_objects_v2(Bucket=STATE_BUCKET)["Contents"]}


@pytest.fixture
def account(tmp_path: Path) -> Iterator[Account]:
    with started("make emulator PORT=0", until="Ctrl-C") as said:
        found = re.search(r":(\d+),", said)
        assert found
        yield Account(int(found[1]), tmp_path)
    for folder in (ROOT / ".local").glob(f"*/*emulated-{found[1]}"):
        shutil.rmtree(folder)


def test_the_page_makes_an_account_and_its_first_environment_and_adds_a_user(account: Account, tmp_path: Path) -> None:
    # tests/local tests the page's calls of GitHub and of the service.
    for section in ("1.", "2.", "4.", "5."):
        sh(script("first-deployment.md", section), environ=account.environ, seconds=SECONDS)

    assert account.keys() == {"account.tfstate", "development.tfstate"}
    cognito = account.client("cognito-idp")
    [pool] = cognito.list_user_pools(MaxResults=60)["UserPools"]
    groups = cognito.admin_list_groups_for_user(UserPoolId=pool["Id"], Username="jane@example.org")["Groups"]
    assert [group["GroupName"] for group in groups] == ["admins"]
    the_roles_of_which_github_is_told_are_there(account.client("iam"))
    a_package_is_written_once(account.client("s3"))
    the_page_is_uploaded(account.client("s3"))

    with ThreadPoolExecutor() as at_once:
        again = at_once.submit(sh, "make account", environ=account.environ, seconds=SECONDS)
        package = another_package(Target("development", emulated=account.port), tmp_path / "package")
        sh(
            f"make plan ENV=development EMULATED={account.port}",
            environ={**account.environ, "PACKAGE": str(package)},
            seconds=SECONDS,
        )
        assert "No changes." in again.result()
        assert "moves" not in again.result()

    # The apply publishes the new code as a version. A deployment moves the aliases, after the migrations.
    assert {address.partition("[")[0]: actions for address, actions in changes(ROOT, "development").items()} == {
        "module.main.module.api.aws_lambda_function.this": ["update"]
    }
    the_commands_of_the_runbooks_run(account)


def the_roles_of_which_github_is_told_are_there(iam: Any) -> None:
    told = "".join(block.text for block in blocks("first-deployment.md") if block.needs == "GitHub")
    made = {role["RoleName"] for role in iam.list_roles()["Roles"]}
    assert {f"{NAME}-account-plan", f"{NAME}-account-artifacts"} <= made
    for name in ("development", "preproduction"):
        assert {
            f"{NAME}-account-{may}-{name}" for may in ("apply", "workspaces", "debug", "reap", "reap-debug", "verify")
        } <= made
    assert re.search(rf"role/{NAME}-account-plan\n", told)


def the_commands_of_the_runbooks_run(account: Account) -> None:
    """Run the commands that only read, and the reaper. Other tests run the rest on the local service."""
    written = "".join(
        block.text
        for path in sorted((ROOT / "docs" / "runbooks").glob("*.md"))
        for block in blocks(f"runbooks/{path.name}")
        if block.language == "sh"
    )
    here = re.sub(r"ENV=\w+", f"ENV=development EMULATED={account.port} YES=1", written)
    commands = sorted(set(re.findall(r"^make (?:logs|reap) .*$", here, re.MULTILINE)))
    assert len(commands) >= 3
    for command in commands:
        sh(command.replace(" YES=1", "") if "logs" in command else command, environ=account.environ, seconds=SECONDS)
    put = account.client("cloudwatch").list_metrics(Namespace=NAME)["Metrics"]
    assert {each["MetricName"] for each in put} >= {"orphans", "reaps"}


def the_page_is_uploaded(s3: Any) -> None:
    [bucket] = [
        each["Name"] for each in s3.list_buckets()["Buckets"] if each["Name"].startswith(f"{NAME}-development-")
    ]
    files = {str(path.relative_to(ROOT / "web")) for path in (ROOT / "web").rglob("*") if path.is_file()}
    keys = {each["Key"] for each in s3.list_objects_v2(Bucket=bucket)["Contents"]}
    [digest] = {key.partition("/")[0] for key in keys - {"index.html"}}
    assert keys == {"index.html"} | {f"{digest}/{file}" for file in files}

    page = s3.get_object(Bucket=bucket, Key="index.html")
    script = s3.get_object(Bucket=bucket, Key=f"{digest}/js/main.js")
    assert f'"/{digest}/js/main.js"' in page["Body"].read().decode()
    assert (page["CacheControl"], page["ContentType"]) == ("no-cache", "text/html; charset=utf-8")
    assert script["CacheControl"] == "public, max-age=31536000, immutable"
    assert script["ContentEncoding"] == "br"
    assert brotli.decompress(script["Body"].read()) == (ROOT / "web" / "js" / "main.js").read_bytes()


def a_package_is_written_once(s3: Any) -> None:
    package = {"Bucket": STATE_BUCKET.replace("state", "artifacts"), "Key": "tree/package.zip"}
    with pytest.raises(ClientError, match="403"):
        s3.put_object(**package, Body=b"unconditional")
    s3.put_object(**package, Body=b"first", IfNoneMatch="*")
    with pytest.raises(ClientError, match="PreconditionFailed"):
        s3.put_object(**package, Body=b"second", IfNoneMatch="*")
    with pytest.raises(ClientError, match="403"):
        s3.delete_object(**package)


def another_package(deployed: Target, folder: Path) -> Path:
    """Copy the package that a target was applied with, and add a comment to the zip; return the copy's folder."""
    folder.mkdir()
    code, generated = folder / "deployment.zip", folder / "generated.tf.json"
    for file in (code, generated):
        shutil.copy(deployed.folder / "modules" / "api" / file.name, file)
    with zipfile.ZipFile(code, "a") as archive:
        archive.comment = b"Another package"
    digest = hashlib.sha256(code.read_bytes())
    composed = json.loads(generated.read_text())
    composed["locals"]["package"] |= {
        "digest": digest.hexdigest(),
        "source_code_hash": base64.b64encode(digest.digest()).decode(),
    }
    generated.write_text(json.dumps(composed))
    return folder
