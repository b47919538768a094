"""Run the commands of docs/branching.md that call the registry, with the real service."""

import json
import os
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from chalicelib import NAME
from tests.service.deployments.records import an_artifact
from tests.support.checkout import ROOT
from tests.support.given import Given
from tests.support.page import script, sh
from tools.local.issuer import token

LINES = "Branches and environments"
TOOLS = ".local/venv/bin/python -m tools pipeline"


@pytest.fixture
def run(tmp_path: Path, service: str, given: Given) -> Callable[..., str]:
    """`run(role, heading)` runs the commands below a heading of the page; it returns their output."""
    given.the_usual()

    def run(role: str, heading: str, *beginnings: str, replacing: dict[str, str] | None = None) -> str:
        environ = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(ROOT),
            "SLIPWAY_URL": service,
            "SLIPWAY_SYSTEM": "azul",
            "SLIPWAY_TOKEN": token(role, ["azul"]),
            "ARTIFACT": an_artifact(),
        }
        return sh(script("branching.md", heading, *beginnings, replacing=replacing), tmp_path, environ)

    return run


def test_the_pages_lines_record_a_deployment(run: Any, service: str, given: Given, tmp_path: Path) -> None:
    given.a_deployment(environment="preproduction")
    given.a_verification(environment="preproduction")

    run("viewer", LINES, f"{TOOLS} may-promote")
    said = run("pipeline", LINES, f"{TOOLS} deployment-open")
    [deployment] = re.findall("^deployment=(.+)$", said, re.MULTILINE)
    opened = {"--deployment 7": f"--deployment {deployment}"}
    run("pipeline", LINES, f"{TOOLS} deployment-status", replacing=opened)
    run("admin", LINES, "make acceptance", replacing={f"https://{NAME}.example.org": service})
    run("pipeline", LINES, f"{TOOLS} verification", replacing=opened)

    assert given.sql(f"SELECT state FROM deployments WHERE id = {deployment}") == [("succeeded",)]
    report = json.loads((tmp_path / "report.json").read_text())
    assert report["passed"] > 60
    assert given.sql(f"SELECT trigger, outcome FROM verifications WHERE passed = {report['passed']}") == [
        ("deployment", "success")
    ]


def test_a_maintainer_opens_a_hotfix_as_the_page_says(run: Any, service: str, given: Given, tmp_path: Path) -> None:
    def git(*words: str) -> str:
        command = ["git", "-c", "user.name=Jane", "-c", "user.email=jane@example.org", *words]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True).stdout.strip()

    git("init", "-q", "-b", "production")
    git("commit", "-q", "--allow-empty", "-m", "First")
    git("remote", "add", "origin", str(tmp_path))
    git("fetch", "-q")
    git("commit", "-q", "--allow-empty", "-m", "Second, not pushed")

    here = {
        "https://registry.example.org": service,
        f"SLIPWAY_SYSTEM={NAME}": "SLIPWAY_SYSTEM=azul",
        "SLIPWAY_TOKEN=…": "SLIPWAY_TOKEN",
    }
    run("maintainer", "A hotfix", replacing=here)

    [(kind, state, revision, reason, lease)] = given.sql(
        "SELECT kind, state, revision, override_reason, extract(epoch FROM lease_expires_at - started_at) "
        "FROM deployments"
    )
    assert (kind, state, revision) == ("hotfix", "in_progress", git("rev-parse", "origin/production"))
    assert reason == "Nobody can sign in since the certificate changed"
    assert lease == 14400
