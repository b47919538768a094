"""Run the workflow of docs/registry/use-it-from-your-pipeline.md with the real service, and with the token of a run."""

import json
import os
import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, get_args

import pytest
from chalice.config import Config

from chalicelib import NAME
from chalicelib.promotions.model import BlockerCode
from chalicelib.settings import settings
from tests.support.actions import Job, Step
from tests.support.api import application
from tests.support.given import Given
from tests.support.issuer import RUNNERS_OWN, IssuerServer, serving, tokens_of_a_run
from tests.support.page import blocks, text
from tests.support.workflows import action, read_yaml
from tools.local.issuer import token
from tools.local.server import serving as serving_app
from tools.slipway_client.client import RegistryClient

PAGE = "registry/use-it-from-your-pipeline.md"
WORKFLOW, MATRIX = [read_yaml(block.text) for block in blocks(PAGE) if block.language == "yaml"]
JOB = WORKFLOW["jobs"]["deploy"]
ARTIFACT = JOB["env"]["ARTIFACT"]
# The audience of the actions' tokens, since the page names none.
AUDIENCE = action("record").content["inputs"]["audience"]["default"]

PUBLISHER = {
    "repository": "acme/shop",
    "repository_id": "74",
    "repository_owner_id": "65",
    "workflow": ".github/workflows/deploy.yml",
    "ref": "refs/heads/production",
    "environments": {"production": "production"},
}

REPORT = """#!/bin/sh
echo '{"passed": 3, "failed": FAILED, "skipped": 1}' > "$1"
exit FAILED
"""


@pytest.fixture
def issuer() -> Iterator[IssuerServer]:
    with serving() as issuer:
        yield issuer


@pytest.fixture
def github_service(stage: None, issuer: IssuerServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The URL of the service. The service trusts the test's issuer as the issuer of GitHub Actions."""
    local = [json.loads(os.environ["SLIPWAY_ISSUERS"])[0]]
    monkeypatch.setenv("SLIPWAY_ISSUERS", json.dumps([*local, issuer.settings("github-actions", audience=AUDIENCE)]))
    settings.cache_clear()
    config = Config(chalice_stage="local", config_from_disk={"app_name": NAME}, default_params={})
    with serving_app(application.app, config) as url:
        yield url
    settings.cache_clear()


@pytest.fixture
def run(tmp_path: Path, given: Given, issuer: IssuerServer, github_service: str) -> Iterator[Callable[..., list[Step]]]:
    """`run()` runs the page's job in a checkout of the shop, which has its own folder `tools`."""
    given.a_system("shop", repository="https://github.com/acme/shop")
    given.an_environment("preproduction", rank=1, system="shop")
    given.an_environment("production", rank=2, system="shop")
    # `given` checks requests against the OpenAPI document, which does not allow an issuer on loopback.
    maintainer = {
        "SLIPWAY_URL": github_service,
        "SLIPWAY_SYSTEM": "shop",
        "SLIPWAY_TOKEN": token("maintainer", ["shop"]),
    }
    RegistryClient(maintainer).post("publishers", PUBLISHER)
    (tmp_path / "tools" / "slipway_client").mkdir(parents=True)
    for package in ("tools", "tools/slipway_client"):
        (tmp_path / package / "__init__.py").write_text("")
    (tmp_path / "tools" / "slipway_client" / "client.py").write_text(
        "raise SystemExit('the wrong package tools was imported: set PYTHONSAFEPATH=1')"
    )
    git = ["git", "-C", str(tmp_path), "-c", "user.name=Jane", "-c", "user.email=jane@example.org"]
    for command in (["init", "-q"], ["commit", "-q", "--allow-empty", "-m", "First"]):
        subprocess.run([*git, *command], check=True)
    sha = subprocess.run([*git, "rev-parse", "HEAD"], capture_output=True, text=True, check=True).stdout.strip()

    with tokens_of_a_run(
        issuer, repository="acme/shop", ref="refs/heads/production", environment="production", sha=sha
    ) as url:

        def run(
            job: dict[str, Any] = JOB,
            *,
            deploys: bool = True,
            failed: int = 0,
            registry: str = github_service,
            **needs: dict[str, Any],
        ) -> list[Step]:
            script(tmp_path / "deploy.sh", f"#!/bin/sh\nexit {int(not deploys)}")
            script(tmp_path / "acceptance.sh", REPORT.replace("FAILED", str(failed)))
            environ = {
                "GITHUB_SHA": sha,
                "GITHUB_RUN_ID": "4711",
                "GITHUB_RUN_ATTEMPT": "1",
                "GITHUB_REPOSITORY": "acme/shop",
                "GITHUB_SERVER_URL": "https://github.com",
                "ACTIONS_ID_TOKEN_REQUEST_URL": url,
                "ACTIONS_ID_TOKEN_REQUEST_TOKEN": RUNNERS_OWN,
            }
            return Job(job, tmp_path, {"vars": {"SLIPWAY_URL": registry}, "needs": needs}, environ).run()

        yield run


def script(path: Path, text: str) -> None:
    path.write_text(text)
    path.chmod(0o755)


def outcomes(steps: list[Step]) -> list[str]:
    return [step.outcome for step in steps]


def promoted(given: Given) -> None:
    """Record that the artifact was deployed and verified in preproduction."""
    given.a_deployment(ARTIFACT, environment="preproduction", system="shop")
    given.a_verification(environment="preproduction", system="shop")


def recorded(given: Given) -> list[tuple[Any, ...]]:
    return [
        *given.sql("SELECT state FROM deployments WHERE run_id = '4711'"),
        *given.sql("SELECT outcome, passed, failed, skipped FROM verifications WHERE run_url IS NOT NULL"),
    ]


def test_a_successful_run_records_deployment_and_verification(run: Callable[..., list[Step]], given: Given) -> None:
    promoted(given)

    steps = run()

    assert outcomes(steps) == ["success"] * 7, steps
    assert recorded(given) == [("succeeded",), ("success", 3, 0, 1)]


def test_a_denial_ends_the_job_with_an_explanation(run: Callable[..., list[Step]], given: Given) -> None:
    steps = run()

    assert outcomes(steps)[1:3] == ["failure", "skipped"]
    assert "not-deployed in preproduction" in steps[1].said
    assert recorded(given) == []


def test_a_failed_deployment_is_recorded(run: Callable[..., list[Step]], given: Given) -> None:
    promoted(given)

    steps = run(deploys=False)

    assert outcomes(steps)[3:] == ["failure", "success", "skipped", "skipped"]
    assert recorded(given) == [("failed",)]


def test_failed_tests_are_recorded(run: Callable[..., list[Step]], given: Given) -> None:
    promoted(given)

    steps = run(failed=1)

    assert outcomes(steps)[5:] == ["failure", "success"]
    assert recorded(given) == [("succeeded",), ("failure", 3, 1, 1)]


@pytest.mark.parametrize(
    ("result", "state"), [("success", "succeeded"), ("failure", "failed"), ("cancelled", "cancelled")]
)
def test_one_job_records_the_end_after_all_legs(
    run: Callable[..., list[Step]], given: Given, result: str, state: str
) -> None:
    promoted(given)
    jobs = MATRIX["jobs"]
    assert outcomes(run(jobs["open"])) == ["success"]
    [(deployment,)] = given.sql("SELECT id::text FROM deployments WHERE state = 'in_progress'")

    steps = run(jobs["end"], open={"outputs": {"deployment": deployment}}, deploy={"result": result})

    assert (outcomes(steps), recorded(given)) == (["success"], [(state,)])
    # A leg that says something else later fails.
    other = "failure" if result == "success" else "success"
    [contradicting] = run(jobs["end"], open={"outputs": {"deployment": deployment}}, deploy={"result": other})
    assert contradicting.outcome == "failure"
    assert f"is recorded as {state}" in contradicting.said


def test_without_a_registry_nothing_is_promoted(run: Callable[..., list[Step]]) -> None:
    assert outcomes(run(registry=""))[1] == "failure"


def test_the_page_explains_every_blocker() -> None:
    assert set(re.findall(r"^\| `([a-z-]+)` \|", text(PAGE), re.MULTILINE)) == set(get_args(BlockerCode))
