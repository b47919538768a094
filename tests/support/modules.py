"""Run the Terraform tests of infra/, and read their plans. All workers of a test run share copies of infra/."""

import atexit
import json
import os
import re
import shutil
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


# A file whose runs all violate the rules of variables.
REFUSALS = "tests/refusals.tftest.hcl"
_MOCKED_PROVIDER = re.compile(r"^mock_provider .*\{\n(?:.*\n)*?\}\n", re.MULTILINE)


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
        tested = _with_variables_alone(folder, file) if file == REFUSALS else folder
        mocked.initialise(tested)
        answer = terraform(
            ["test", "-no-color", f"-filter={file}"], tested, {} if tested != folder else quickly(folder)
        )
        assert answer.returncode == 0, answer.stdout + answer.stderr
        assert "Warning: " not in answer.stdout, answer.stdout
        return answer.stdout

    kept.once(run, kept.sources(folder, file))


def _with_variables_alone(folder: Path, file: str) -> Path:
    """Return a copy of a folder that has the variables and what their rules read, and a test that mocks no provider.

    Without a provider, a run takes milliseconds instead of seconds: Terraform reads the provider's schema in each run.
    """
    copy = folder.with_name(f"{folder.name}-variables")
    (copy / file).parent.mkdir(parents=True, exist_ok=True)
    for path in (*folder.glob("variables.tf"), *folder.glob("limits.tf"), *folder.glob("*.tfvars.json")):
        shutil.copy(path, copy)
    for generated in folder.glob("generated.tf.json"):
        values = json.loads(generated.read_text())["locals"]
        constants = {name: value for name, value in values.items() if "${" not in json.dumps(value)}
        (copy / generated.name).write_text(json.dumps({"locals": constants}))
    (copy / file).write_text(_MOCKED_PROVIDER.sub("", (folder / file).read_text()))
    return copy


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
