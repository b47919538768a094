"""Copies of infra/ to run Terraform's own tests in, and what those plan: one for all workers of a run."""

import atexit
import os
import subprocess
from contextlib import ExitStack
from functools import cache
from pathlib import Path
from typing import Any

from tools import lifeline
from tools.aws.terraform import terraform
from tools.checks.policy import plans as mocked
from tools.checks.policy.plans import Plan, Run

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


def passes(folder: Path, file: str) -> None:
    """Require that a file of tests passes, without a warning."""
    answer = terraform(["test", "-no-color", f"-filter={file}"], folder, quickly(folder))
    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert "Warning: " not in answer.stdout, answer.stdout


def plan(run: Run) -> Plan:
    """What a run of infra/*/tests plans: environments and workspaces. It has passed, without a warning."""
    folder = initialised(run.environment, run.environment)
    return mocked.plans(folder, run.file, run.workspace, quickly(folder))[run.run]


def arguments(run: Run) -> dict[str, dict[str, Any]]:
    """The arguments that a run plans, by address."""
    return {
        each["address"]: each["change"]["after"] for each in plan(run)["resource_changes"] if each["mode"] == "managed"
    }


def quickly(folder: Path) -> dict[str, str]:
    """Variables with which Terraform uses one provider that is served, where it else starts two for each run."""
    [provider] = folder.glob(".terraform/providers/registry.terraform.io/hashicorp/aws/*/*/terraform-provider-aws_*")
    return {"TF_REATTACH_PROVIDERS": _served(provider.resolve())}


@cache
def _served(provider: Path) -> str:
    """Start the provider and return how Terraform finds it. Only tests that mock it may share its one configuration."""
    kept = ExitStack()
    atexit.register(kept.close)
    process = kept.enter_context(
        lifeline.kept([str(provider), "-debug"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    )
    assert process.stdout
    address = next(line for line in process.stdout if "TF_REATTACH_PROVIDERS=" in line)
    return address.partition("=")[2].strip().strip("'")
