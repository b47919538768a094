"""`make coverage BASE=origin/development`: require that tests run 95 % of the lines that differ from BASE.

Only changed lines of shipped code count: a change need not add tests for old lines. TESTS names the tests to run, by
default "tests/unit tests/service".
"""

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from tools import lifeline
from tools.checkout import UsageError, git

PERCENT = 95
BASE = "origin/development"
TESTS = "tests/unit tests/service"

_FOLDER = Path(".local/coverage")
_SECONDS = 1800


def main(environ: Mapping[str, str]) -> int:
    """Run the tests and check their coverage of the changed lines. Return the exit code, or raise UsageError."""
    base = environ.get("BASE") or BASE
    if git(Path.cwd(), "rev-parse", "--quiet", "--verify", f"{base}^{{commit}}").returncode:
        raise UsageError(
            f"The repository has no commit {base} to compare with: fetch the commit, or set another BASE=…"
        )
    _FOLDER.mkdir(parents=True, exist_ok=True)
    report = _FOLDER / "coverage.xml"
    report.unlink(missing_ok=True)
    tests = [
        *(sys.executable, "-m", "pytest", "-q", "-n", environ.get("PROCESSES") or "logical"),
        *("--cov", "--cov-report", f"xml:{report}", *(environ.get("TESTS") or TESTS).split()),
    ]
    variables = {**environ, "COVERAGE_FILE": str(_FOLDER / "data")}
    if lifeline.run(tests, env=variables, timeout=_SECONDS).returncode:
        return 1
    return subprocess.run(
        [
            *(str(Path(sys.executable).with_name("diff-cover")), str(report)),
            *("--compare-branch", base, "--fail-under", str(PERCENT), "--show-uncovered"),
        ],
        timeout=_SECONDS,
        check=False,
    ).returncode
