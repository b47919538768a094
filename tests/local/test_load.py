"""`make load` succeeds if a service meets its objectives, and fails if it is slow, answers errors, or has users."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from chalicelib import NAME
from chalicelib.configuration import endpoints as configuration
from chalicelib.settings import settings
from tests.support.given import Given
from tests.support.issuer import RUNNERS_OWN, serving, tokens_of_a_run
from tests.support.page import script, sh
from tests.support.stage import ISSUERS
from tools.__main__ import main
from tools.local import issuer, server
from tools.local.load import run

# A service that meets these objectives answers, at any speed: the machine may be busy.
AT_ANY_SPEED = {"availability": 1, "latency": {"read": {"milliseconds": 60_000, "share": 1}}}
# No service is as fast as this.
AT_NO_SPEED = {"availability": 0.999, "latency": {"read": {"milliseconds": 0, "share": 0.99}}}


class Ended(NamedTuple):
    """A finished run: its exit code, its output, its report, and the files that it wrote."""

    code: int
    said: str
    report: Any
    files: dict[str, str]


@pytest.fixture
def load(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Callable[..., Ended]:
    """`load("--seconds", "1")` runs the command of `make load` for the service in this process."""
    monkeypatch.setattr(run, "REPORTS", tmp_path / "load")

    def load(*words: str, **environ: str) -> Ended:
        report = tmp_path / "report.json"
        code = main(["local", "load", "--url", url, "--report", str(report), *words], environ)
        said = "".join(capfd.readouterr())
        files = {path.name: path.read_text() for path in tmp_path.glob("load/*/*")}
        return Ended(code, said, json.loads(report.read_text()), files)

    return load


def changed_answers(patch: pytest.MonkeyPatch, change: Callable[[str, str, Any], Any]) -> None:
    """Send what `change(method, path, answer)` makes of each answer."""
    handle = server.Gateway.handle_request

    def handled(gateway: server.Gateway, method: str, path: str, *rest: Any) -> Any:
        return change(method, path, handle(gateway, method, path, *rest))

    patch.setattr(server.Gateway, "handle_request", handled)


@pytest.mark.slow
def test_a_service_that_meets_its_objectives_passes(
    load: Callable[..., Ended], given: Given, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run, "objectives", lambda environment: AT_ANY_SPEED)
    token = issuer.token("admin")

    ended = load("--seconds", "1", "--token", token)

    assert (ended.code, ended.report["outcome"], ended.report["failed"]) == (0, "success", 0), ended.said
    assert given.sql("SELECT key FROM systems ORDER BY key") == [("load-1",), ("load-2",), ("load-3",)]
    assert "<html" in ended.files["report.html"]
    assert "list_systems" in ended.files["requests.csv"]
    assert token not in "".join([ended.said, *ended.files.values()])


def test_a_service_that_is_slow_and_answers_errors_fails(
    load: Callable[..., Ended], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(method: str, path: str, answer: Any) -> Any:
        return {**answer, "statusCode": 500} if method == "PATCH" else answer

    changed_answers(monkeypatch, broken)
    monkeypatch.setattr(run, "objectives", lambda environment: AT_NO_SPEED)

    ended = load("--seconds", "1")

    assert (ended.code, ended.report["outcome"]) == (1, "failure"), ended.said
    failures = "\n".join(ended.report["failures"])
    assert "requests succeeded" in failures
    assert "reads took at most 0 ms" in failures
    assert "change_system: " in ended.said


@pytest.mark.slow
def test_a_workflow_may_send_the_load_with_tokens_that_it_gets_itself(
    load: Callable[..., Ended], url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run, "objectives", lambda environment: AT_ANY_SPEED)
    commands = script("first-deployment.md", "6.") + script("first-deployment.md", "7.")
    deploying = {
        "repository": f"acme/{NAME}",
        "ref": "refs/heads/preproduction",
        "environment": "preproduction",
        "workflow": ".github/workflows/deploy.yml",
    }
    with serving() as github, tokens_of_a_run(github, **deploying) as tokens:
        trusted = [*(each for each in ISSUERS if each["kind"] == "local"), github.settings(audience="service")]
        monkeypatch.setenv("SLIPWAY_ISSUERS", json.dumps(trusted))
        settings.cache_clear()
        sh(commands, environ={"PATH": os.environ["PATH"], "URL": url, "TOKEN": issuer.token("admin")})
        job = {"ACTIONS_ID_TOKEN_REQUEST_URL": tokens, "ACTIONS_ID_TOKEN_REQUEST_TOKEN": RUNNERS_OWN}

        ended = load("--seconds", "1", SLIPWAY_AUDIENCE="service", **job)

    settings.cache_clear()
    assert ended.code == 0, ended.said
    assert "list_systems" in ended.files["requests.csv"]
    assert "change_system" not in ended.files["requests.csv"]  # a pipeline may not


def test_production_is_refused_until_it_is_named_twice(
    load: Callable[..., Ended], monkeypatch: pytest.MonkeyPatch, given: Given
) -> None:
    monkeypatch.setattr(configuration, "settings", _Production)

    ended = load("--production")

    assert (ended.code, ended.report["outcome"], ended.files) == (2, "error", {})
    assert "CONFIRM=127.0.0.1" in ended.said
    assert given.sql("SELECT count(*) FROM systems") == [(0,)]


class _Production:
    stage = "production"
    sign_in = None
