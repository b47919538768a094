"""The coverage gate refuses untested lines. Each test runs the gate in a copy of this checkout."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.checkout import ROOT

NEEDED = [
    "app.py",
    "pyproject.toml",
    "chalicelib",
    "tools",
    ".chalice/config.json",
    "tests/__init__.py",
    "tests/conftest.py",
]
NEEDED += ["tests/support", "tests/unit/rest/test_types.py"]

CHANGED = "chalicelib/rest/types.py"
UNUSED = "chalicelib/rest/unused.py"
CHANGE = """

def twice(number: int) -> int:
    return 2 * number
"""
TEST = """
from chalicelib.rest.types import twice


def test_twice() -> None:
    assert twice(2) == 4
"""


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout on a new branch `change`. The gate compares `change` with the branch `base`."""
    for name in NEEDED:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / name, tmp_path / name)
    git(tmp_path, "init", "-q", "-b", "base")
    commit(tmp_path)
    git(tmp_path, "checkout", "-q", "-b", "change")
    return tmp_path


def git(checkout: Path, *arguments: str) -> None:
    identity = ("-c", "user.name=Jane", "-c", "user.email=jane@example.org")
    subprocess.run(["git", *identity, *arguments], cwd=checkout, check=True)


def commit(checkout: Path) -> None:
    git(checkout, "add", "-A")
    git(checkout, "commit", "-q", "-m", "A change")


def gate(checkout: Path, **variables: str) -> "subprocess.CompletedProcess[str]":
    outer = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST", "SLIPWAY", "COV"))}
    return subprocess.run(
        [sys.executable, "-m", "tools", "checks", "coverage"],
        cwd=checkout,
        env={**outer, "BASE": "base", "TESTS": "tests/unit/rest", "PROCESSES": "0", **variables},
        capture_output=True,
        text=True,
        timeout=120,
    )


def append(path: Path, text: str) -> None:
    path.write_text((path.read_text() if path.exists() else "") + text)


def test_untested_changes_and_new_files_that_nothing_imports_fail(checkout: Path) -> None:
    append(checkout / CHANGED, CHANGE)
    append(checkout / UNUSED, CHANGE.lstrip())
    commit(checkout)

    answer = gate(checkout)

    said = answer.stdout + answer.stderr
    assert answer.returncode != 0
    assert "Failure. Coverage is below 95%" in said
    for path in (CHANGED, UNUSED):
        assert re.search(rf"^{path} \(\d+\.\d+%\): Missing lines", said, re.MULTILINE), said


@pytest.mark.slow
def test_a_changed_line_with_a_test_passes(checkout: Path) -> None:
    append(checkout / CHANGED, CHANGE)
    append(checkout / "tests/unit/rest/test_twice.py", TEST)
    commit(checkout)

    answer = gate(checkout)

    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert "100%" in answer.stdout


@pytest.mark.slow
def test_failing_tests_fail_the_gate(checkout: Path) -> None:
    append(checkout / "tests/unit/rest/test_twice.py", "def test_twice() -> None:\n    assert False\n")
    commit(checkout)

    answer = gate(checkout)

    assert answer.returncode != 0
    assert "1 failed" in answer.stdout
    assert "Diff Coverage" not in answer.stdout


def test_a_missing_base_is_named(checkout: Path) -> None:
    answer = gate(checkout, BASE="origin/nothing")

    assert answer.returncode == 2
    assert "The repository has no commit origin/nothing" in answer.stderr
