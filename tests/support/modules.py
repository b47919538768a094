"""Run the Terraform tests of infra/, and read their plans. All workers of a test run share copies of infra/."""

import atexit
import os
import subprocess
from contextlib import ExitStack
from functools import cache
from pathlib import Path
from typing import Any

from tools import lifeline
from tools.aws.terraform import terraform
from tools.checks import kept
from tools.checks.policy import plans as mocked
from tools.checks.policy.plans import Plan, Run

# Add a schedule, even if the service has none, so that the tests cover schedules.
SCHEDULE = """
@app.schedule("rate(1 hour)", name="clock")
def clock(event): ...
"""


def copied(folder: str, stage: str = "production") -> Path:
    """Return the path of a copy of infra's `folder`, with the package of `stage`."""
    copies = Path(os.environ["SLIPWAY_TEST_RUN"]) / "infra"
    mocked.package(copies, SCHEDULE)
    return mocked.copied(copies, folder, stage)


def tests_of(folder: Path) -> list[str]:
    """Return the paths of a folder's Terraform tests. Each file becomes a test case, so a failure names the file."""
    return sorted(f"tests/{path.name}" for path in (folder / "tests").glob("*.tftest.hcl"))


def passes(folder: Path, file: str) -> None:
    """Require that a Terraform test file passes without a warning, now or in an earlier run with the same sources."""

    def run() -> str:
        mocked.initialise(folder)
        answer = terraform(["test", "-no-color", f"-filter={file}"], folder, quickly(folder))
        assert answer.returncode == 0, answer.stdout + answer.stderr
        assert "Warning: " not in answer.stdout, answer.stdout
        return answer.stdout

    kept.once(run, kept.sources(folder, file))


def plan(run: Run) -> Plan:
    """Return the plan of a run in infra/*/tests, or raise ToolError unless the test passes without a warning."""
    return mocked.plan(copied(run.environment, run.environment), run, quickly)


def arguments(run: Run) -> dict[str, dict[str, Any]]:
    """Return the planned arguments of all managed resources, by the resource's address."""
    return {
        each["address"]: each["change"]["after"] for each in plan(run)["resource_changes"] if each["mode"] == "managed"
    }


def quickly(folder: Path) -> dict[str, str]:
    """Return variables that make Terraform use a running provider. Otherwise each run starts two providers."""
    [provider] = folder.glob(".terraform/providers/registry.terraform.io/hashicorp/aws/*/*/terraform-provider-aws_*")
    return {"TF_REATTACH_PROVIDERS": _served(provider.resolve())}


@cache
def _served(provider: Path) -> str:
    """Start the provider; return the value of TF_REATTACH_PROVIDERS.

    The provider keeps one configuration for all tests, so all tests must mock the provider.
    """
    kept = ExitStack()
    atexit.register(kept.close)
    process = kept.enter_context(
        lifeline.kept([str(provider), "-debug"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    )
    assert process.stdout
    address = next(line for line in process.stdout if "TF_REATTACH_PROVIDERS=" in line)
    return address.partition("=")[2].strip().strip("'")
