"""`make load URL=https://…`: send a running service the load of many systems, and judge it by the objectives.

The exit code is 0 if the service met its objectives, 1 if it did not, 2 if the run itself broke, and 130 if somebody
stopped the run. docs/load.md explains the load.
"""

import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import requests

from tools.checkout import ENVIRONMENTS, LOCAL_STATE, ToolError, UsageError
from tools.local.acceptance import report, system
from tools.local.acceptance import settings as acceptance
from tools.local.acceptance.report import Outcome
from tools.local.acceptance.run import EXIT_CODES
from tools.local.acceptance.service import READY_SECONDS, NotReady, Service, Wait
from tools.local.load import sending
from tools.local.load.judgement import Check, judge, objectives, table
from tools.slipway_client import client
from tools.slipway_client.runner import put_out

REPORTS = LOCAL_STATE / "load"
SECONDS = {"smoke": 10, "load": 300}
# Callers that need a system for themselves share these: as many as docs/first-deployment.md prepares.
SYSTEMS = 3
# The objectives of this environment judge a service on this machine.
_FOR_LOCAL = "development"
_LONGEST_SECONDS = 3600


@dataclass
class Ended:
    """The end of a run: its outcome, the checks, and what broke."""

    outcome: Outcome
    checks: list[Check]
    error: str | None = None


def main(environ: Mapping[str, str]) -> int:
    """Load the service at URL, and return the exit code."""
    started = datetime.now(UTC)
    if environ["REPORT"]:
        report.discard(Path(environ["REPORT"]))
    seconds = _seconds(environ)
    settings = _settings(environ, seconds)
    folder = REPORTS / f"{started:%Y-%m-%dT%H-%M-%S}-{environ['PROFILE']}"
    try:
        ended = _run(settings, environ, seconds, folder)
    except NotReady as error:
        ended = Ended("failure", [Check(holds=False, said=str(error))])
    except (ToolError, requests.RequestException) as broken:
        ended = Ended("error", [], str(broken))
    except KeyboardInterrupt:
        ended = Ended("cancelled", [], "Stopped: run the command again")
    _say(ended, folder)
    if environ.get("GITHUB_OUTPUT"):
        put_out(environ, outcome=ended.outcome)
    if environ["REPORT"]:
        report.write(Path(environ["REPORT"]), _document(ended, started))
    return EXIT_CODES[ended.outcome]


def _run(settings: acceptance.AcceptanceSettings, environ: Mapping[str, str], seconds: int, folder: Path) -> Ended:
    with Service(settings) as service:
        service.wait_until_ready(Wait(float(READY_SECONDS), lambda line: print(line, flush=True)))
        stage = _stage(service)
        require_permission(stage, settings.url, environ)
        wanted = objectives(stage if stage in ENVIRONMENTS else _FOR_LOCAL)
        terms = _terms(service, seconds)
    folder.mkdir(parents=True)
    print(f"sending {environ['PROFILE']} to {settings.url} ({stage}) for {seconds} s", flush=True)
    # Without TOKEN, the process of Locust gets new tokens in a job of a workflow.
    token = settings.token if environ["TOKEN"] or settings.mint else ""
    measured = sending.run(terms, folder, {**environ, "TOKEN": token, "SLIPWAY_TOKEN": ""})
    print(*table(measured), sep="\n")
    checks = [*judge(measured, wanted)]
    return Ended("success" if all(each.holds for each in checks) else "failure", checks)


def require_permission(stage: str, url: str, environ: Mapping[str, str]) -> None:
    """Raise UsageError if the service serves users, unless the caller said so twice: by PRODUCTION and by the host."""
    if stage in (*ENVIRONMENTS, "local") and stage != "production":
        return
    host = urlsplit(url).hostname
    if environ["PRODUCTION"] == "1" and environ["CONFIRM"] == host:
        return
    raise UsageError(
        f"{url} says that its stage is {stage!r}, so the load would reach users and their data: load preproduction "
        f"instead. If you must, set PRODUCTION=1 and CONFIRM={host}"
    )


def _stage(service: Service) -> str:
    answer = service.ask("GET", "/v1/configuration", authorization=None)
    try:
        return str(answer.expect(200).json["stage"])
    except (AssertionError, KeyError, TypeError):
        raise ToolError(f"The service does not say its stage ({answer}): check URL") from None


def _terms(service: Service, seconds: int) -> sending.Terms:
    """Prepare the systems; return what the run may do there."""
    settings = service.settings
    keys = [f"{settings.system}-{number}" for number in range(1, SYSTEMS + 1)]
    if settings.read_only:
        granted: list[Mapping[str, Any]] = [{"role": "viewer", "systems": None}]
        if missing := [key for key in keys if service.get(f"/v1/systems/{key}").status != 200]:
            raise ToolError(f"The system {missing[0]!r} can't be read: run the command once without READ_ONLY")
    else:
        granted = system.roles(service)
        for key in keys:
            with Service(replace(settings, system=key)) as of_system:
                system.prepare(of_system)
    return sending.Terms(settings.url, seconds, keys, granted)


def _settings(environ: Mapping[str, str], seconds: int) -> acceptance.AcceptanceSettings:
    url = acceptance.address(environ["URL"])
    key = environ["SYSTEM"]
    if not (key == "load" or key.startswith("load-")):
        raise UsageError(f"SYSTEM={key} can't be used, because the load records made-up data: use load, or load-…")
    settings = acceptance.AcceptanceSettings(url, environ["TOKEN"].strip(), system=key)
    settings = replace(settings, read_only=environ["READ_ONLY"] == "1")
    if settings.token:
        expires = settings.claims.get("exp")
        if isinstance(expires, int | float) and expires < time.time() + sending.WARM_UP_SECONDS + seconds:
            raise UsageError(f"TOKEN expires before the load ends: get a new one, or set SECONDS below {seconds}")
        return settings
    if environ.get("ACTIONS_ID_TOKEN_REQUEST_URL"):
        return replace(settings, token=client.token({**environ, "SLIPWAY_TOKEN": ""}))
    if acceptance.is_loopback(url):
        from tools.local import issuer  # noqa: PLC0415 (only needed without a token)

        return replace(settings, token=issuer.token("admin"), mint=issuer.token)
    raise UsageError("TOKEN is missing: set TOKEN=…, because only the local service needs none (docs/load.md)")


def _seconds(environ: Mapping[str, str]) -> int:
    text = environ["SECONDS"] or str(SECONDS[environ["PROFILE"]])
    if not text.isdecimal() or not 1 <= int(text) <= _LONGEST_SECONDS:
        raise UsageError(f"SECONDS={text} can't be used: set whole seconds, 1 to {_LONGEST_SECONDS}")
    return int(text)


def _say(ended: Ended, folder: Path) -> None:
    if ended.error is not None:
        print(ended.error, file=sys.stderr)
        return
    for check in ended.checks:
        print(f"{'ok   ' if check.holds else 'FAILS'} {check.said}")
    if folder.exists():
        print(f"The reports are in {folder}: report.html, and CSV files")


def _document(ended: Ended, started: datetime) -> dict[str, Any]:
    """Return the report. Its times, counts and outcome are named as in a verification."""
    failed = [each.said for each in ended.checks if not each.holds]
    return {
        "outcome": ended.outcome,
        "error": ended.error,
        "started_at": started.isoformat(timespec="seconds"),
        "finished_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "passed": len(ended.checks) - len(failed),
        "failed": len(failed),
        "failures": failed,
    }
