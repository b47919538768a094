"""Report a run of the acceptance tests: as text for people, and as JSON for programs."""

import json
import re
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, NamedTuple, NoReturn

import pytest

from tools.checkout import ToolError, write_atomically
from tools.local.acceptance.service import Latencies
from tools.local.acceptance.settings import AcceptanceSettings

Outcome = Literal["success", "failure", "error", "cancelled"]
"""An outcome of a verification. `error` means that the run itself broke. An `error` says nothing about the service."""


class Finding(NamedTuple):
    """A check that failed or was skipped, and why."""

    check: str
    message: str


class Run:
    """One run of the acceptance tests, as a pytest plugin. The tests read `settings` and fill `latencies`."""

    def __init__(self, settings: AcceptanceSettings) -> None:
        self.settings = settings
        self.latencies = Latencies()
        self.started_at = datetime.now(UTC)
        self.passed = 0
        self.failures: list[Finding] = []
        self.left_out: list[Finding] = []
        self.stopped: str | None = None

    def stop(self, reason: str) -> NoReturn:
        """End the run as an error, because the service can't be tested now. Fixtures may call this method."""
        self.stopped = reason
        pytest.exit(reason, returncode=pytest.ExitCode.INTERNAL_ERROR)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        check = sentence(report.nodeid)
        if report.skipped:
            # A skipped test's representation is its path, its line and the reason.
            reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
            self.left_out.append(Finding(check, reason.removeprefix("Skipped: ")))
        elif report.failed:
            self.failures.append(Finding(check, _message(report)))
        elif report.when == "call":
            self.passed += 1

    def outcome_of(self, code: int) -> Outcome:
        """Return the outcome for pytest's exit code. A run in which no check passed is no success."""
        if code == pytest.ExitCode.OK and self.passed:
            return "success"
        if code == pytest.ExitCode.TESTS_FAILED:
            return "failure"
        return "cancelled" if code == pytest.ExitCode.INTERRUPTED else "error"

    def document(self, outcome: Outcome, error: str | None = None) -> dict[str, Any]:
        """Return the report. Its times, counts and outcome are named as in a verification."""
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
        """Yield the report as lines: how long operations took, what was skipped, and what failed."""
        latencies = self.latencies.table()
        if latencies:
            yield f"{'operation':<24} {'answers':>7} {'p50 ms':>8} {'p95 ms':>8}"
        for latency in latencies:
            yield f"{latency.operation:<24} {latency.answers:>7} {latency.p50_ms:>8.1f} {latency.p95_ms:>8.1f}"
        for reason in dict.fromkeys(finding.message for finding in self.left_out):
            yield f"\nSkipped, because {reason}:"
            yield from (f"- {finding.check}" for finding in self.left_out if finding.message == reason)
        if self.failures:
            yield "\nFailed:"
            yield from (f"- {finding.check}: {finding.message}" for finding in self.failures)
        yield f"\n{self.passed} passed, {len(self.failures)} failed, {len(self.left_out)} skipped"


def run_of(config: pytest.Config) -> Run | None:
    """Return the run that pytest was started for, or None if pytest runs the project's own tests."""
    return next((plugin for plugin in config.pluginmanager.get_plugins() if isinstance(plugin, Run)), None)


def discard(path: Path) -> None:
    """Delete the report of an earlier run: if this run breaks early, nobody may take that report for its own."""
    with suppress(OSError):  # `write` explains what is wrong with the path
        path.unlink(missing_ok=True)


def write(path: Path, document: dict[str, Any]) -> None:
    """Write the report atomically, or raise ToolError."""
    try:
        write_atomically(path, json.dumps(document, indent=2) + "\n")
    except OSError as error:
        raise ToolError(f"REPORT={path} can't be written ({error.strerror}): choose another file") from None


def sentence(nodeid: str) -> str:
    """Return a test's name for people: `test_a_b[c]` becomes `a b [c]`."""
    name, bracket, parameter = nodeid.rpartition("::")[2].partition("[")
    return name.removeprefix("test_").replace("_", " ") + (f" {bracket}{parameter}" if bracket else "")


def _message(report: pytest.TestReport) -> str:
    """Return the first line of a failure, with its place if the assertion has no message."""
    crash = getattr(report.longrepr, "reprcrash", None)
    if crash is None:
        return str(report.longrepr)
    first = str(crash.message).partition("\n")[0]
    if first.startswith("assert "):
        return f"{first} ({Path(crash.path).name}:{crash.lineno})"
    return re.sub(r"^AssertionError: ", "", first)


def _rfc3339(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
