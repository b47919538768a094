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
        numbers = {name: _number(report.get(name)) for name in _NUMBERS}
        outcome = _outcome(report, numbers)
        self.outcome = outcome or "error"
        needs_number = outcome is None and not environ.get("OUTCOME")
        for name, number in numbers.items():
            self.counts[name] = number if number is not None and number <= MOST_COUNT else None
            if self.counts[name] is None and report.get(name) is not None:
                wrong = f"REPORT={path} has {json.dumps(report[name])[:100]} as {name!r}, which is no number of tests"
                if needs_number:
                    self.fault = f"{wrong}: write a whole number from 0 to {MOST_COUNT}"
                else:
                    warn(environ, f"{wrong}: the number is left out")
        if needs_number and not self.fault:
            self.fault = f"REPORT={path} says no outcome: write an object with the numbers {', '.join(_NUMBERS)}"


def _outcome(report: Mapping[str, Any], numbers: Mapping[str, int | None]) -> str | None:
    """Return the outcome, or None if the report says none.

    A run can break or be stopped after checks that passed, so its own word counts before them.
    """
    said = report.get("outcome")
    if numbers["failed"] or said == "failure":
        return "failure"
    if said in ("error", "cancelled"):
        return str(said)
    if any(numbers[name] is None and report.get(name) is not None for name in ("passed", "failed")):
        return None
    if said == "success" or numbers["passed"]:
        return "success"
    return None if all(number is None for number in numbers.values()) else "error"


def _number(value: Any) -> int | None:
    """Return a number of tests, or None if it is no whole number from 0."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    elif isinstance(value, str) and value.isdecimal():
        value = int(value[:20])
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None
