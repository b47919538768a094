"""Fixtures that run commands as the steps of a pipeline."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from chalice.config import Config

from chalicelib import NAME
from tests.service.deployments.records import a_revision, an_artifact
from tests.support.api import application
from tests.support.given import Records as Given
from tools.checkout import ToolError
from tools.local.issuer import token
from tools.local.server import serving
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
            "GITHUB_SHA": a_revision(),
            "GITHUB_OUTPUT": str(self._output),
            "GITHUB_STEP_SUMMARY": str(self._summary),
            "SLIPWAY_SYSTEM": "azul",
            "ENV": "development",
            "ARTIFACT": an_artifact(),
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
def service(stage: None) -> Iterator[str]:
    """The URL of the running service."""
    config = Config(chalice_stage="local", config_from_disk={"app_name": NAME}, default_params={})
    with serving(application.app, config) as url:
        yield url


@pytest.fixture
def step(service: str, given: Given, a_step: Callable[..., Step]) -> Any:
    """A step of a pipeline of the system azul, which has development, preproduction and production."""
    given.the_usual()
    return a_step(SLIPWAY_URL=service, SLIPWAY_TOKEN=token("pipeline", ["azul"]))
