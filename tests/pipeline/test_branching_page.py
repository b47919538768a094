"""docs/branching.md: its commands that speak with Slipway, with the real service."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from devtools.issuer import token
from tests.support.checkout import ROOT
from tests.support.given import Given, an_artifact

PAGE = (ROOT / "docs" / "branching.md").read_text()
DEPLOY, HOTFIX = re.findall(r"^ *```\n(.*?)^ *```", PAGE, re.MULTILINE | re.DOTALL)

# What `make` does for these targets, without looking at the virtual environment first.
MAKE = f"""#!{sys.executable}
import os, sys
target, *words = sys.argv[1:]
os.environ.update(word.split("=", 1) for word in words)
os.execv(sys.executable, [sys.executable, "-m", "devtools.pipeline", target])
"""


@pytest.fixture
def run(tmp_path: Path, service: str, given: Given) -> Callable[[str, str], str]:
    """Run lines of the page as somebody with a role; what they print."""
    given.the_usual()
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "make").write_text(MAKE)
    (tmp_path / "bin" / "make").chmod(0o755)

    def run(lines: str, role: str) -> str:
        done = subprocess.run(
            ["bash", "-euc", lines.replace("https://slipway.example.org", service)],
            cwd=tmp_path,
            env={
                "PATH": f"{tmp_path / 'bin'}:{os.environ['PATH']}",
                "PYTHONPATH": str(ROOT),
                "SLIPWAY_URL": service,
                "SLIPWAY_SYSTEM": "azul",
                "SLIPWAY_TOKEN": token(role, ["azul"]),
                "ARTIFACT": an_artifact(),
            },
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    return run


def lines(*beginnings: str) -> str:
    return "\n".join(line for line in DEPLOY.splitlines() if line.startswith(beginnings))


def test_the_lines_of_a_deployment_record_it(run: Any, given: Given, tmp_path: Path) -> None:
    given.a_deployment(environment="preproduction")
    given.a_verification(environment="preproduction")
    (tmp_path / "report.json").write_text(json.dumps({"passed": 3, "failed": 0}))

    run(lines("make may-promote"), "viewer")
    said = run(lines("make record RECORD=deployment-open"), "pipeline")
    [deployment] = re.findall("^deployment=(.+)$", said, re.MULTILINE)
    assert "DEPLOYMENT=7" in lines("make record RECORD=deployment-status")
    run(lines("make record RECORD=deployment-status").replace("=7", f"={deployment}"), "pipeline")
    run(lines("make record RECORD=verification"), "pipeline")

    assert given.sql(f"SELECT state FROM deployments WHERE id = {deployment}") == [("succeeded",)]
    assert given.sql("SELECT trigger, outcome, passed FROM verifications WHERE passed IS NOT NULL") == [
        ("deployment", "success", 3)
    ]


def test_a_maintainer_opens_a_hotfix_as_the_page_says(run: Any, given: Given, tmp_path: Path) -> None:
    git = ["git", "-C", str(tmp_path), "-c", "user.name=Jane", "-c", "user.email=jane@example.org"]
    for command in (["init", "-q"], ["commit", "-q", "--allow-empty", "-m", "First"]):
        subprocess.run([*git, *command], check=True)
    sha = subprocess.run([*git, "rev-parse", "HEAD"], capture_output=True, text=True, check=True).stdout.strip()
    asked = HOTFIX.replace("git switch --detach origin/production", "").replace("SLIPWAY_TOKEN=…", "")
    assert asked.count("make record") == 1

    run(asked.replace("SLIPWAY_SYSTEM=slipway", "SLIPWAY_SYSTEM=azul"), "maintainer")

    [(kind, state, revision, reason, lease)] = given.sql(
        "SELECT kind, state, revision, override_reason, extract(epoch FROM lease_expires_at - started_at) "
        "FROM deployments"
    )
    assert (kind, state, revision) == ("hotfix", "in_progress", sha)
    assert reason == "Nobody can sign in since the certificate changed"
    assert lease == 14400
