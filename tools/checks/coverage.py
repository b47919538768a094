"""`make coverage BASE=origin/development`: the tests run 95 % of the lines that differ from a base.

What counts is what ships, and the lines that a change is about: old lines without a test are no fault of the change.
TESTS="tests/unit tests/service" are those that are run.
"""

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from tools import lifeline
from tools.checkout import UsageError

PERCENT = 95
BASE = "origin/development"
TESTS = "tests/unit tests/service"

_FOLDER = Path(".local/coverage")
_SECONDS = 1800


def main(environ: Mapping[str, str]) -> int:
    """Run the tests and compare; the exit code. Raises UsageError where there is nothing to compare with."""
    base = environ.get("BASE") or BASE
    named = ["git", "rev-parse", "--quiet", "--verify", f"{base}^{{commit}}"]
    if subprocess.run(named, capture_output=True, check=False).returncode:
        raise UsageError(f"There is no {base} here to compare with: fetch it, or name another one, BASE=…")
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
