"""Run the job for a workspace step by step. Check what reviewers see, and which commit is checked out."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support.actions import Job, Step
from tests.support.workflows import workflow

COMMIT = "1" * 40
DEBUG = {
    "action": "create",
    "environment": "production",
    "workspace": "fix-1",
    "purpose": "debug",
    "database": "live",
    "ref": "debug/fix-1",
}
PERSONAL = {**DEBUG, "environment": "development", "workspace": "ann", "purpose": "personal", "database": "empty"}

# This stand-in for `make` prints its target and the variables that the target needs.
MAKE = """#!/bin/sh
echo "$1 ENV=$ENV WORKSPACE=$WORKSPACE PURPOSE=$PURPOSE DATABASE=$DATABASE OWNER=$OWNER"
"""


class Run:
    """A run of the job with inputs: its steps, and the commits that it checked out."""

    def __init__(self, folder: Path, inputs: dict[str, str], chosen_in: str = "1") -> None:
        commands = folder / "bin"
        commands.mkdir()
        (commands / "make").write_text(MAKE)
        (commands / "make").chmod(0o755)
        self.commits: list[str] = []
        definition = workflow("workspace")
        job = Job(
            definition.jobs["workspace"],
            folder,
            {
                "github": {"actor": "jane", "run_attempt": "1"},
                "inputs": inputs,
                "needs": {"ref": {"outputs": {"commit": COMMIT, "attempt": chosen_in}}},
            },
            {"PATH": f"{commands}:/usr/bin:/bin"},
            definition.content["env"],
            actions={"actions/checkout": lambda given: self.commits.append(given["ref"])},
        )
        self.steps: list[Step] = job.run()

    @property
    def said(self) -> str:
        return "".join(step.said for step in self.steps)

    @property
    def failed(self) -> list[str]:
        return [step.name for step in self.steps if step.outcome == "failure"]


@pytest.fixture
def run(tmp_path: Path) -> Callable[..., Run]:
    return lambda inputs, **more: Run(tmp_path, inputs, **more)


def shown(name: str, **context: Any) -> str:
    return Job({}, Path(), context).fill(workflow(name).content["run-name"])


@pytest.mark.parametrize(
    ("inputs", "expected"),
    [
        (DEBUG, "create fix-1 of production (debug, live data) from debug/fix-1"),
        ({**DEBUG, "ref": ""}, "create fix-1 of production (debug, live data) from production"),
        ({**DEBUG, "action": "destroy"}, "destroy fix-1 of production (debug)"),
        (PERSONAL, "create ann of development (personal, empty data) from debug/fix-1"),
    ],
)
def test_the_name_of_a_workspace_s_run_shows_target_data_and_ref(inputs: dict[str, str], expected: str) -> None:
    assert shown("workspace", inputs=inputs) == expected


@pytest.mark.parametrize(
    ("inputs", "expected"),
    [
        ({}, f"Deploy {COMMIT} to production"),
        ({"deployment": "7"}, f"Deploy {COMMIT} to production as deployment 7"),
        (
            {"override-reason": "Nobody can sign in"},
            f"Deploy {COMMIT} to production despite the order of branches: Nobody can sign in",
        ),
    ],
)
def test_the_name_of_a_deployment_s_run_shows_target_commit_and_override(inputs: dict[str, str], expected: str) -> None:
    assert shown("deploy", inputs=inputs, github={"sha": COMMIT, "ref_name": "production"}) == expected


def test_the_name_of_the_waiting_job_shows_the_commit() -> None:
    context = {"inputs": DEBUG, "needs": {"ref": {"outputs": {"commit": COMMIT}}}}

    name = Job({}, Path(), context).fill(workflow("workspace").jobs["workspace"]["name"])

    assert name == f"create fix-1 of production at {COMMIT}"


@pytest.mark.parametrize(
    ("purpose", "expected"),
    [("debug", "production-debug"), ("personal", "production-workspaces"), ("preview", "production-workspaces")],
)
def test_the_purpose_decides_the_role(purpose: str, expected: str) -> None:
    environment = workflow("workspace").jobs["workspace"]["environment"]

    assert Job({}, Path(), {"inputs": {**DEBUG, "purpose": purpose}}).fill(environment) == expected


def test_the_chosen_commit_is_checked_out(run: Callable[..., Run]) -> None:
    done = run(DEBUG)

    assert done.failed == []
    assert done.commits == [COMMIT]
    assert done.said == "workspace-create ENV=production WORKSPACE=fix-1 PURPOSE=debug DATABASE=live OWNER=jane\n"


@pytest.mark.parametrize("action", ["extend", "destroy"])
def test_only_a_new_workspace_gets_a_database(run: Callable[..., Run], action: str) -> None:
    done = run({**DEBUG, "action": action})

    assert done.said == f"workspace-{action} ENV=production WORKSPACE=fix-1 PURPOSE=debug DATABASE= OWNER=jane\n"


def test_a_preview_is_owned_by_its_pull_request(run: Callable[..., Run]) -> None:
    done = run({**PERSONAL, "workspace": "pr-12", "purpose": "preview"})

    assert "OWNER=pr-12" in done.said


def test_a_commit_of_an_earlier_attempt_is_not_checked_out(run: Callable[..., Run]) -> None:
    done = run(DEBUG, chosen_in="0")

    assert done.failed == ["Require that the commit was chosen in this attempt"]
    assert done.commits == []
    assert "Re-run all jobs" in done.said


def test_the_commit_is_chosen_by_the_workflow_s_own_commit_without_a_role() -> None:
    choosing = workflow("workspace").jobs["ref"]

    [checkout] = [step for step in choosing["steps"] if "actions/checkout@" in step.get("uses", "")]
    assert "ref" not in checkout["with"]
    assert "environment" not in choosing
    assert set(choosing["permissions"].values()) == {"read"}
