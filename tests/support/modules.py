"""Copies of infra/ to run Terraform's own tests in, and what those plan: one for all workers of a run."""

import os
import subprocess
from pathlib import Path
from typing import Any

from tools.aws.terraform import terraform
from tools.checks.policy import plans as mocked
from tools.checks.policy.plans import QUICKLY, Plan, Run

# So that there is one, whatever the service has: what a schedule is made like is to be tested.
SCHEDULE = """
@app.schedule("rate(1 hour)", name="clock")
def clock(event): ...
"""


def initialised(folder: str, stage: str = "production") -> Path:
    """`folder` of infra, where `terraform init` has run and the package is of `stage`."""
    copies = Path(os.environ["SLIPWAY_TEST_RUN"]) / "infra"
    mocked.package(copies, SCHEDULE)
    return mocked.initialised(copies, folder, stage)


def tests_of(folder: Path) -> list[str]:
    """The files of tests that a folder has; each is run by itself, so that two cores share the work."""
    return sorted(f"tests/{path.name}" for path in (folder / "tests").glob("*.tftest.hcl"))


def test(folder: Path, file: str) -> "subprocess.CompletedProcess[str]":
    return terraform(["test", "-no-color", f"-filter={file}"], folder, QUICKLY)


def plan(run: Run) -> Plan:
    """What a run of infra/*/tests plans: environments and workspaces. It has passed."""
    return mocked.plans(initialised(run.environment, run.environment), run.file, run.workspace)[run.run]


def arguments(run: Run) -> dict[str, dict[str, Any]]:
    """The arguments that a run plans, by address."""
    return {
        each["address"]: each["change"]["after"] for each in plan(run)["resource_changes"] if each["mode"] == "managed"
    }
