"""Follow docs/give-a-pipeline-access.md exactly: create the page's publisher, then run its workflow step by step."""

import json
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from chalice.config import Config

from chalicelib import NAME
from chalicelib.settings import settings
from tests.support.api import application
from tests.support.given import Given
from tests.support.issuer import RUNNERS_OWN, IssuerServer, serving, tokens_of_a_run
from tests.support.page import blocks, script, sh
from tests.support.workflows import read_yaml
from tools.lifeline import MARK
from tools.local.issuer import token
from tools.local.server import serving as serving_app

URL = f"https://{NAME}.example.org"

PAGE = "give-a-pipeline-access.md"
[WORKFLOW] = [read_yaml(block.text) for block in blocks(PAGE) if block.language == "yaml"]
[JOB] = WORKFLOW["jobs"].values()


class Runner:
    """A stand-in for GitHub's runner, with a checkout, environment variables and tokens."""

    def __init__(self, folder: Path, service: str, issuer: IssuerServer) -> None:
        self._folder, self._service, self._issuer = folder, service, issuer
        self._env_file = folder / "env"
        self.checkout = folder / "checkout"
        self.checkout.mkdir()
        for name in ("deploy.sh", "acceptance.sh"):
            self.script(name, "exit 0")
        git = ["git", "-C", str(self.checkout), "-c", "user.name=Jane", "-c", "user.email=jane@example.org"]
        for command in (["init", "-q"], ["add", "-A"], ["commit", "-q", "-m", "First"]):
            subprocess.run([*git, *command], check=True)
        self.sha = subprocess.run(
            [*git, "rev-parse", "HEAD"], capture_output=True, text=True, check=True
        ).stdout.strip()
        self.claims: dict[str, Any] = {
            "repository": "acme/shop",
            "ref": f"refs/heads/{WORKFLOW['on']['push']['branches'][0]}",
            "environment": JOB["environment"],
            "sha": self.sha,
        }

    def script(self, name: str, text: str) -> None:
        (self.checkout / name).write_text(f"#!/bin/sh\n{text}\n")
        (self.checkout / name).chmod(0o755)

    def run(self) -> list[tuple[str, int, str]]:
        """Run the job; return each step's name, exit code and errors. After a failure, only `always()` steps run."""
        status, done = "success", []
        with tokens_of_a_run(self._issuer, **self.claims) as request_url:
            for step in (step for step in JOB["steps"] if "run" in step):
                if step.get("if", "success()") not in self._true(status):
                    continue
                result = self._step(step, status, request_url)
                done.append((step["name"], result.returncode, result.stderr))
                status = status if result.returncode == 0 else "failure"
        return done

    def _true(self, status: str) -> set[str]:
        """Return the page's conditions that are true before the next step."""
        return {
            *(["success()"] if status == "success" else []),
            *(["always() && env.DEPLOYMENT"] if "DEPLOYMENT" in self._written() else []),
        }

    def _written(self) -> dict[str, str]:
        """Return the variables that earlier steps have set for later steps."""
        lines = self._env_file.read_text().splitlines() if self._env_file.exists() else []
        return dict(line.split("=", 1) for line in lines)

    def _step(self, step: dict[str, Any], status: str, request_url: str) -> "subprocess.CompletedProcess[str]":
        given = {
            name: value.replace("${{ job.status }}", status).replace(URL, self._service)
            for name, value in {**JOB["env"], **step.get("env", {})}.items()
        }
        return subprocess.run(
            ["bash", "-e", "-c", step["run"]],
            cwd=self.checkout,
            env={
                **given,
                **self._written(),
                "PATH": os.environ["PATH"],
                MARK: os.environ[MARK],
                "RUNNER_TEMP": str(self._folder),
                "GITHUB_ENV": str(self._env_file),
                "GITHUB_SHA": self.sha,
                "GITHUB_REPOSITORY": "acme/shop",
                "GITHUB_SERVER_URL": "https://github.com",
                "GITHUB_RUN_ID": "4711",
                "GITHUB_RUN_ATTEMPT": "1",
                "ACTIONS_ID_TOKEN_REQUEST_URL": request_url,
                "ACTIONS_ID_TOKEN_REQUEST_TOKEN": RUNNERS_OWN,
            },
            capture_output=True,
            text=True,
            timeout=60,
        )


@pytest.fixture
def issuer() -> Iterator[IssuerServer]:
    with serving() as issuer:
        yield issuer


@pytest.fixture
def service(stage: None, issuer: IssuerServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The URL of the service with its real authorizer. The service trusts the test's issuer for the page's audience."""
    local = [json.loads(os.environ["SLIPWAY_ISSUERS"])[0]]
    trusted = issuer.settings("github-actions", audience=JOB["env"]["AUDIENCE"])
    monkeypatch.setenv("SLIPWAY_ISSUERS", json.dumps([*local, trusted]))
    settings.cache_clear()
    config = Config(chalice_stage="local", config_from_disk={"app_name": NAME}, default_params={})
    with serving_app(application.app, config) as url:
        yield url
    settings.cache_clear()


@pytest.fixture
def runner(tmp_path: Path, service: str, issuer: IssuerServer, given: Given) -> Runner:
    """A job of the page's workflow, after a maintainer has created the page's publisher."""
    given.a_system("shop", repository="https://github.com/acme/shop")
    given.an_environment("production", rank=1, system="shop")
    environ = {"PATH": os.environ["PATH"], "TOKEN": token("maintainer", ["shop"])}
    sh(script(PAGE, "1.", replacing={URL: service}), environ=environ)
    return Runner(tmp_path, service, issuer)


@pytest.fixture
def recorded(given: Given) -> Callable[[], list[tuple[Any, ...]]]:
    """`recorded()` returns the recorded deployments, followed by the outcomes of the verifications."""
    return lambda: [
        *given.sql("SELECT state, revision, run_id FROM deployments ORDER BY id"),
        *given.sql("SELECT outcome FROM verifications ORDER BY id"),
    ]


def test_a_workflow_records_its_deployment_and_verification(runner: Runner, recorded: Any) -> None:
    done = runner.run()

    assert [code for _, code, _ in done] == [0] * 5, done
    assert recorded() == [("succeeded", runner.sha, "4711"), ("success",)]


def test_a_failed_deployment_is_recorded_as_failed(runner: Runner, recorded: Any) -> None:
    runner.script("deploy.sh", "exit 1")

    runner.run()

    assert recorded() == [("failed", runner.sha, "4711")]


def test_failed_tests_are_recorded_and_fail_the_job(runner: Runner, recorded: Any) -> None:
    runner.script("acceptance.sh", "exit 1")

    assert runner.run()[-1][:2] == ("Verify", 1)

    assert recorded() == [("succeeded", runner.sha, "4711"), ("failure",)]


def test_a_repeated_run_records_one_deployment(runner: Runner, given: Given) -> None:
    runner.run()
    runner.run()

    assert given.sql("SELECT count(*) FROM deployments") == [(1,)]


@pytest.mark.parametrize(
    ("claims", "named"),
    [
        ({"ref": "refs/heads/other"}, "ref"),
        ({"event_name": "pull_request"}, "event_name"),
        ({"workflow": ".github/workflows/other.yml"}, "workflow_ref"),
        ({"environment": "development"}, "environment"),
    ],
    ids=str,
)
def test_an_untrusted_run_is_told_what_the_publisher_expects(
    runner: Runner, recorded: Any, claims: dict[str, str], named: str
) -> None:
    runner.claims |= claims

    *_, (_, code, said) = runner.run()

    assert code != 0
    assert json.loads(said[said.index("{") :])["status"] == 403
    assert named in said
    assert recorded() == []
