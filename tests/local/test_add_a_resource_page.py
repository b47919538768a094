"""Follow docs/add-a-resource.md exactly, in a copy of this checkout: the resource passes every check."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.checkout import ROOT
from tests.support.page import blocks, text

PAGE = "add-a-resource.md"
# The paragraph before a block names the block's file.
FILE = re.compile(r"`([\w/]+\.(?:py|sql))`(?:(?!\n\n).)*\n\n```(?:python|sql)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SECONDS = 300


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a copy of this checkout with the resource of the page."""
    folder = tmp_path_factory.mktemp("checkout")
    listed = subprocess.check_output(["git", "ls-files", "-co", "--exclude-standard", "-z"], cwd=ROOT, text=True)
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).exists():  # git lists deleted files until the next commit
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    last = max(int(path.name[:4]) for path in folder.glob("chalicelib/*/migrations/*.sql"))
    for name, content in files():
        path = folder / name.replace("NNNN", f"{last + 1:04}")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    app = (folder / "app.py").read_text()
    for before, after in edits():
        assert app.count(before) == 1, f"app.py has these lines {app.count(before)} times: correct the page\n{before}"
        app = app.replace(before, after)
    (folder / "app.py").write_text(app)
    return folder


def files() -> Iterator[tuple[str, str]]:
    """Yield the path and content of each file that the page writes."""
    yield from FILE.findall(text(PAGE))


def edits() -> Iterator[tuple[str, str]]:
    """Yield the lines of app.py before and after each of the page's edits."""
    for block in blocks(PAGE):
        if block.language == "diff":
            lines = block.text.splitlines(keepends=True)
            yield "".join(line[1:] for line in lines if line[0] == " "), "".join(line[1:] for line in lines)


def generic() -> Iterator[str]:
    """Yield the generic tests that read all operations, tables, constraints or problems."""
    walks = r"support\.(operations|resources|writes)|two_of_everything|openapi\.json|schema\.sql"
    for path in sorted([*ROOT.glob("tests/service/test_*.py"), *ROOT.glob("tests/unit/**/test_*.py")]):
        if re.search(walks, path.read_text()):
            yield str(path.relative_to(ROOT))


def run(checkout: Path, *command: str) -> None:
    """Run a command of the virtual environment in the checkout. A failure fails the test."""
    ours = ("PYTEST_", "SLIPWAY_", "AWS_", "MAKE")
    environ = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    done = subprocess.run(
        command,
        cwd=checkout,
        env={**environ, "PYTHONPYCACHEPREFIX": str(checkout / ".local" / "cache")},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=SECONDS,
    )
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout[-8000:]}\n{done.stderr[-3000:]}"


def test_the_page_writes_at_most_six_files() -> None:
    written = [name for name, _ in files()]

    assert len(written) == len([block for block in blocks(PAGE) if block.language in ("python", "sql")])
    assert len(written) <= 6


@pytest.mark.slow  # it runs a large part of the tests in a copy
def test_the_resource_of_the_page_passes_every_check(checkout: Path) -> None:
    module = (sys.executable, "-m")
    run(checkout, *module, "tools", "checks", "openapi")
    run(checkout, *module, "tools", "checks", "schema")
    run(checkout, *module, "ruff", "check")
    run(checkout, *module, "ruff", "format", "--check")
    run(checkout, str(Path(sys.executable).with_name("lint-imports")), "--no-cache")
    run(checkout, *module, "mypy", "app.py", "chalicelib")
    # Leave out the cases of other resources' operations: the resource does not change them.
    run(checkout, *module, "pytest", "-q", "-n", "2", "-k", "berth or not v1", "tests/service/berths", *generic())
