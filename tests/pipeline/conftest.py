"""Fixtures that run commands as the steps of a pipeline."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws

from tests.pipeline.account import BUCKET, Account
from tests.pipeline.stub import Stub, serving
from tools.__main__ import main
from tools.aws import applying, environment, leftovers, workspace
from tools.aws.target import Target
from tools.checkout import ToolError
from tools.slipway_client import recording
from tools.slipway_client.client import RegistryClient
from tools.slipway_client.runner import fail


class Step:
    """`step("deployment-open", ENV="production")` runs a command like a job. `step.said` is the command's output."""

    def __init__(self, folder: Path, variables: dict[str, str], capsys: pytest.CaptureFixture[str]) -> None:
        self._output, self._summary = folder / "output", folder / "summary"
        self._capsys = capsys
        self.pauses: list[float] = []
        self.said = ""
        self.variables = {
            "GITHUB_ACTIONS": "true",
            "GITHUB_RUN_ID": "4711",
            "GITHUB_RUN_ATTEMPT": "1",
            "GITHUB_SERVER_URL": "https://github.com",
            "GITHUB_REPOSITORY": "acme/azul",
            "GITHUB_SHA": "1" * 40,
            "GITHUB_OUTPUT": str(self._output),
            "GITHUB_STEP_SUMMARY": str(self._summary),
            "SLIPWAY_SYSTEM": "azul",
            "ENV": "development",
            "ARTIFACT": f"tree:{'2' * 40}",
            **variables,
        }

    def __call__(self, command: str, **variables: str) -> int:
        self._output.write_text("")
        code = self._run(command, {**self.variables, **variables})
        self.said = self._capsys.readouterr().out
        return code

    def _run(self, command: str, environ: dict[str, str]) -> int:
        step = getattr(recording, command.replace("-", "_"))
        try:
            if step is recording.may_promote:
                step(RegistryClient(environ, self.pauses.append), environ)
            else:
                recording.recorded(step, environ, self.pauses.append)
        except ToolError as error:
            fail(environ, str(error))
            return error.exit_code
        return 0

    @property
    def outputs(self) -> dict[str, str]:
        return dict(line.split("=", 1) for line in self._output.read_text().splitlines())

    @property
    def output_lines(self) -> int:
        return len(self._output.read_text().splitlines())

    @property
    def summary(self) -> str:
        return self._summary.read_text() if self._summary.exists() else ""


@pytest.fixture
def a_step(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., Step]:
    def make(**variables: str) -> Step:
        return Step(tmp_path, variables, capsys)

    return make


@pytest.fixture
def start() -> Iterator[Callable[[], Stub]]:
    """`start()` starts a stand-in for a server. The server ends with the test."""
    with serving() as start:
        yield start


@pytest.fixture
def stub(start: Callable[[], Stub]) -> Stub:
    return start()


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A client of S3, which has the artifact bucket."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    with mock_aws():
        client = boto3.client("s3")
        client.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
        yield client


@pytest.fixture
def account(monkeypatch: pytest.MonkeyPatch) -> Account:
    """A stand-in for Terraform and AWS, for the commands that manage workspaces."""
    account = Account()
    for name in ("apply", "destroy", "outputs", "workspaces"):
        monkeypatch.setattr(environment, name, getattr(account, name))
    monkeypatch.setattr(leftovers, "tagged", account.tagged)
    monkeypatch.setattr(Target, "client", account.client)
    monkeypatch.setattr(Target, "states", account.states)
    for module in (applying, workspace):
        monkeypatch.setattr(module, "Routes", account.store)
    return account


@pytest.fixture
def run(account: Account, capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """`run("create")` runs the command for the workspace `fix`, and requires success; it returns the output."""

    def run(command: str, *, fails: bool = False, **variables: str) -> str:
        name = f"workspace-{command}" if command in ("create", "extend", "destroy") else command
        failed = main(["aws", name], {"ENV": "development", "WORKSPACE": "fix", **variables})
        out, err = capsys.readouterr()
        assert bool(failed) is fails, out + err
        return err if failed else out

    return run
