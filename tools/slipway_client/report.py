"""Read the report of a test run: a JSON file with the numbers of tests that passed, failed and were skipped.

This module uses only the standard library: the action `record` runs it in other repositories' jobs.
"""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tools.checkout import ToolError, read_json
from tools.slipway_client.runner import warn

MOST_COUNT = 2**31 - 1  # the largest number that Slipway takes
_NUMBERS = ("passed", "failed", "skipped")
_OUTCOMES = ("success", "failure", "error", "cancelled")


class Report:
    """The report in the file REPORT. Without a report, the outcome is `error` and nothing is counted.

    `fault` says why the outcome can't be read from the file, or is "". `digest` tells this report from another one with
    the same numbers.
    """

    def __init__(self, environ: Mapping[str, str]) -> None:
        self.counts: dict[str, int | None] = {}
        self.outcome, self.fault, self.digest = "error", "", ""
        path = environ.get("REPORT")
        if not path:
            return
        try:
            report = read_json(Path(path))
            self.digest = hashlib.sha256(Path(path).read_bytes()).hexdigest()
        except FileNotFoundError:
            warn(environ, f"REPORT={path} does not exist, so nobody knows the numbers: let the tests write this file")
            return
        except ToolError as fault:
            self.fault = f"REPORT={fault}"
            return
        if not isinstance(report, dict):
            self.fault = f"REPORT={path} is no JSON object: write an object with {', '.join(_NUMBERS)}"
            return
        self.counts = {name: _count(report.get(name)) for name in _NUMBERS}
        for name in _NUMBERS:
            if self.counts[name] is None and report.get(name) is not None:
                wrong = f"REPORT={path} has {json.dumps(report[name])[:100]} as {name!r}, which is no number of tests"
                if name == "skipped" or environ.get("OUTCOME"):  # nothing depends on the number
                    warn(environ, f"{wrong}: the number is left out")
                else:
                    self.fault = f"{wrong}: write a whole number from 0 to {MOST_COUNT}"
        if not self.fault:
            self.outcome = _outcome(self.counts, report.get("outcome"))


def _outcome(counts: Mapping[str, int | None], said: Any) -> str:
    """Return the outcome. A run can break or be stopped after checks that passed, so its own word counts first."""
    if counts["failed"]:
        return "failure"
    if said in _OUTCOMES:
        return str(said)
    return "success" if counts["passed"] else "error"


def _count(value: Any) -> int | None:
    """Return a number of tests, or None if it is no whole number that Slipway takes."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    elif isinstance(value, str) and value.isdecimal():
        value = int(value[:20])
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MOST_COUNT else None
