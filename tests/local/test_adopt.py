"""`make adopt` makes a working service of a copy of this checkout, with every file that was added to the checkout.

If a file breaks the copy, `make adopt` or a test here names it. docs/copy-it.md has the rules that files follow.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.checkout import ROOT
from tools.adopt.trial import MAKE, adopted_copy


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An adopted copy of this checkout, with a name that is as long as a name can be."""
    folder = tmp_path_factory.mktemp("adopt") / "copy"
    adopted_copy(folder, "long-distance-orders")
    # With the cache of this checkout, mypy reads only the files that adoption changed.
    if (ROOT / ".local" / "cache" / "mypy").exists():
        shutil.copytree(ROOT / ".local" / "cache" / "mypy", folder / ".local" / "cache" / "mypy")
    return folder


def succeeds(folder: Path, *command: str) -> str:
    """Run a command in the folder; return its output. A command that fails fails the test."""
    # A `make` that runs these tests would make another `make` print the names of folders.
    environ = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    done = subprocess.run(command, cwd=folder, env=environ, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, f"{done.stdout[-5000:]}\n{done.stderr[-5000:]}"
    return done.stdout


@pytest.mark.slow
def test_the_copy_passes_lint(copy: Path) -> None:
    succeeds(copy, *MAKE, "lint")


@pytest.mark.slow
def test_the_copy_passes_types(copy: Path) -> None:
    succeeds(copy, *MAKE, "types")


def test_the_copy_has_only_the_sample_resources(copy: Path) -> None:
    routes = succeeds(copy, sys.executable, "-c", "import app; print(*sorted(app.app.routes))").split()

    resources = {route.split("/")[2] for route in routes if route.startswith("/v1/")}
    assert resources == {"audit-events", "configuration", "health", "me", "openapi.json", "ready", "systems"}


@pytest.mark.slow
def test_the_copy_has_the_shell_of_the_page_with_the_sample_resource(copy: Path) -> None:
    assert not (copy / "web" / "js" / "registry").exists()
    succeeds(
        copy, sys.executable, "-m", "pytest", "-q", "-n", "0", "tests/page/test_files.py", "tests/page/test_systems.py"
    )


def test_the_copy_names_its_template_and_can_not_be_adopted_again(copy: Path) -> None:
    record = json.loads((copy / ".template.json").read_text())

    assert (record["name"], len(record["commit"]), len(record["tree"])) == ("long-distance-orders", 40, 40)
    assert "adopt" not in succeeds(copy, "make", "help")
    assert not (copy / "tools" / "adopt").exists()
