"""What a run of the acceptance tests found: for whoever reads the terminal, and as JSON for what records it."""

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, NamedTuple

import pytest

from tools.checkout import ToolError, write_atomically
from tools.local.acceptance.service import Latencies
from tools.local.acceptance.settings import AcceptanceSettings

Outcome = Literal["success", "failure", "error", "cancelled"]
"""As a verification has them: `error` says that the run itself broke, and nothing of the service."""


class Finding(NamedTuple):
    """A check that failed, or was left out, and why."""

    check: str
    message: str


class Run:
    """One run, as a plugin of pytest's. `settings` say what the tests ask, `latencies` what they measure."""

    def __init__(self, settings: AcceptanceSettings) -> None:
        self.settings = settings
        self.latencies = Latencies()
        self.started_at = datetime.now(UTC)
        self.passed = 0
        self.failures: list[Finding] = []
        self.left_out: list[Finding] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        check = sentence(report.nodeid)
        if report.skipped:
            # A skipped test's representation is where, in which line, and why.
            reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
            self.left_out.append(Finding(check, reason.removeprefix("Skipped: ")))
        elif report.failed:
            self.failures.append(Finding(check, _message(report)))
        elif report.when == "call":
            self.passed += 1

    def outcome_of(self, code: int) -> Outcome:
        """What became of it, by pytest's exit code. That nothing was checked is no success."""
        if code == pytest.ExitCode.OK and self.passed:
            return "success"
        if code == pytest.ExitCode.TESTS_FAILED:
            return "failure"
        return "cancelled" if code == pytest.ExitCode.INTERRUPTED else "error"

    def document(self, outcome: Outcome, error: str | None = None) -> dict[str, Any]:
        """The report; its times, counts and outcome are those of a verification."""
        return {
            "url": self.settings.url,
            "system": self.settings.system,
            "read_only": self.settings.read_only,
            "outcome": outcome,
            "error": error,
            "started_at": _rfc3339(self.started_at),
            "finished_at": _rfc3339(datetime.now(UTC)),
            "passed": self.passed,
            "failed": len(self.failures),
            "skipped": len(self.left_out),
            "failures": [finding._asdict() for finding in self.failures],
            "left_out": [finding._asdict() for finding in self.left_out],
            "latencies": [latency._asdict() for latency in self.latencies.table()],
        }

    def summary(self) -> Iterator[str]:
        """The same as lines: how long operations took, what was left out, and what failed."""
        latencies = self.latencies.table()
        if latencies:
            yield f"{'operation':<24} {'answers':>7} {'p50 ms':>8} {'p95 ms':>8}"
        for latency in latencies:
            yield f"{latency.operation:<24} {latency.answers:>7} {latency.p50_ms:>8.1f} {latency.p95_ms:>8.1f}"
        for reason in dict.fromkeys(finding.message for finding in self.left_out):
            yield f"\nLeft out, since {reason}:"
            yield from (f"- {finding.check}" for finding in self.left_out if finding.message == reason)
        if self.failures:
            yield "\nFailed:"
            yield from (f"- {finding.check}: {finding.message}" for finding in self.failures)
        yield f"\n{self.passed} passed, {len(self.failures)} failed, {len(self.left_out)} left out"


def run_of(config: pytest.Config) -> Run | None:
    """The run that pytest was started for, or None where it runs for the project's own tests."""
    return next((plugin for plugin in config.pluginmanager.get_plugins() if isinstance(plugin, Run)), None)


def write(path: Path, document: dict[str, Any]) -> None:
    """Write the report, whole or not at all. Raises ToolError."""
    try:
        write_atomically(path, json.dumps(document, indent=2) + "\n")
    except OSError as error:
        raise ToolError(f"REPORT={path} can't be written: {error.strerror}") from None


def sentence(nodeid: str) -> str:
    """What a test is called, for people: `test_a_b[c]` is `a b [c]`."""
    name, bracket, parameter = nodeid.rpartition("::")[2].partition("[")
    return name.removeprefix("test_").replace("_", " ") + (f" {bracket}{parameter}" if bracket else "")


def _message(report: pytest.TestReport) -> str:
    """The first line of what was wrong; where it is, if that says nothing."""
    crash = getattr(report.longrepr, "reprcrash", None)
    if crash is None:
        return str(report.longrepr)
    first = str(crash.message).partition("\n")[0]
    # An assertion without words of its own.
    if first.startswith("assert "):
        return f"{first} ({Path(crash.path).name}:{crash.lineno})"
    return re.sub(r"^AssertionError: ", "", first)


def _rfc3339(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
