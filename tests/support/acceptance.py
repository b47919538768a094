"""Run `make acceptance`, and stop it in the middle."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import psutil
import pytest

from tests.support.checkout import ROOT
from tests.support.given import Given
from tools.local import server

SECONDS = 120


class Ended(NamedTuple):
    """A finished run: its exit code, its output, and its report, or None if it wrote no report."""

    code: int
    said: str
    report: Any

    @property
    def failed(self) -> set[str]:
        return {finding["check"] for finding in self.report["failures"]}


def run(report: Path, **words: str) -> Ended:
    """Run the command of `make acceptance` with these variables."""
    report.unlink(missing_ok=True)
    done = subprocess.run(
        [sys.executable, "-m", "tools", "local", "acceptance"],
        cwd=ROOT,
        env={**os.environ, "REPORT": str(report), "READY_SECONDS": "30", **words},
        capture_output=True,
        text=True,
        timeout=SECONDS,
    )
    written = json.loads(report.read_text()) if report.exists() else None
    return Ended(done.returncode, done.stdout + done.stderr, written)


def stop_when(patch: pytest.MonkeyPatch, due: Callable[[str, str], bool]) -> None:
    """Send SIGTERM to the run when it sends the first request for which `due(method, path)` is true."""
    handle = server.Gateway.handle_request

    def handled(gateway: server.Gateway, method: str, path: str, *rest: Any) -> Any:
        if due(method, path):
            [runner] = [each for each in psutil.Process().children() if "acceptance" in each.cmdline()]
            patch.setattr(server.Gateway, "handle_request", handle)
            runner.send_signal(signal.SIGTERM)
        return handle(gateway, method, path, *rest)

    patch.setattr(server.Gateway, "handle_request", handled)


def rows(given: Given) -> dict[str, int]:
    """Return the number of rows of each table."""
    tables = [name for (name,) in given.sql("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")]
    assert "audit_events" in tables
    return {table: given.sql(f"SELECT count(*) FROM {table}")[0][0] for table in tables}
