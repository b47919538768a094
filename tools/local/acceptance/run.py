"""`make acceptance URL=https://…`: run the acceptance tests against a running service (docs/acceptance.md).

The exit code is 0 if no check failed, and 1 if a check failed. The exit code is 2 if the run itself broke, and 130 if
somebody stopped the run.
"""

import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
import requests

from tools.checkout import ROOT, ToolError, UsageError
from tools.local.acceptance import report, settings, system
from tools.local.acceptance.report import Finding, Outcome, Run
from tools.local.acceptance.service import READY_SECONDS, NotReady, Service, Wait
from tools.slipway_client.runner import put_out

EXIT_CODES: dict[Outcome, int] = {"success": 0, "failure": 1, "error": 2, "cancelled": 130}

# These options replace those in pyproject.toml, which keep other tests off the network.
_OPTIONS = (
    *("-c", str(ROOT / "pyproject.toml"), "-o", "addopts="),
    *("--disable-plugin-autoload", "-p", "pytest_socket"),
    *("--import-mode=importlib", "--force-enable-socket", "-q", "-rN", "--tb=short", "--no-header", "--no-summary"),
)


def main(environ: Mapping[str, str]) -> int:
    """Run the tests with the variables that docs/acceptance.md lists. Return the exit code."""
    if environ.get("REPORT"):
        report.discard(Path(environ["REPORT"]))
    run = Run(settings.from_environ(environ))
    error = None
    try:
        outcome = _outcome(run, _seconds(environ))
    except (ToolError, requests.RequestException) as broken:
        outcome, error = "error", str(broken)
    except KeyboardInterrupt:
        outcome, error = "cancelled", "Stopped before anything was checked: run the command again"
    if error is not None:
        print(error, file=sys.stderr)
    else:
        print(*run.summary(), sep="\n")
    if environ.get("GITHUB_OUTPUT"):  # make's own exit code does not tell a failed check from a broken run
        put_out(environ, outcome=outcome)
    if environ.get("REPORT"):  # last, because a report that can't be written must not hide the outcome
        report.write(Path(environ["REPORT"]), run.document(outcome, error))
    return EXIT_CODES[outcome]


def _outcome(run: Run, ready_seconds: float) -> Outcome:
    with Service(run.settings) as service:
        try:
            service.wait_until_ready(Wait(ready_seconds, _say))
        except NotReady as error:
            run.failures.append(Finding("the service becomes ready", str(error)))
            return "failure"
        system.roles(service)
        if not run.settings.read_only:
            system.prepare(service)
    code = pytest.main([*_OPTIONS, str(ROOT / "tests" / "acceptance")], plugins=[run])
    outcome = run.outcome_of(code)
    if outcome == "error":
        raise ToolError(
            run.stopped
            or f"The tests could not run ({pytest.ExitCode(code).name}): read pytest's output above, and fix the error"
        )
    return outcome


def _say(line: str) -> None:
    print(line, flush=True)


def _seconds(environ: Mapping[str, str]) -> float:
    text = environ.get("READY_SECONDS") or str(READY_SECONDS)
    if not text.isdecimal():
        raise UsageError(f"READY_SECONDS={text} is not a number: set the seconds to wait, such as {READY_SECONDS}")
    return float(text)
