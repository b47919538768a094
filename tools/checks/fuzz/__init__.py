"""`make fuzz`: check with random requests that the service does what its OpenAPI document says.

Schemathesis makes the requests. schemathesis.toml configures Schemathesis, and gives a reason for each exception.
fuzz_checks.py lists why the service may refuse requests that fit the document. The run has its own database, data and
server, and deletes them at the end.
"""

import contextlib
import http.client
import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from chalicelib.database.migrate import migrate
from chalicelib.database.roles import MIGRATOR
from chalicelib.settings import LOCAL_STATE
from tools import lifeline
from tools.checkout import ROOT, ToolError, UsageError
from tools.local import postgres
from tools.local.issuer import token
from tools.local.server import load_app, serving

MOST_SECONDS = 60 * 60
LOG = LOCAL_STATE / "fuzz.log"

_PROGRAM = Path(sys.executable).with_name("schemathesis")
_CONFIGURATION = ROOT / "schemathesis.toml"
_CACHE = LOCAL_STATE / "cache" / "hypothesis"
# schemathesis.toml can't hold a time that is always in the future. So each run writes a future time to this file.
_DICTIONARY = LOCAL_STATE / "fuzz-soon.dict"

# The records that requests can find. schemathesis.toml has the same names, and the ids that the records get.
_ARTIFACT = "tree:5b678574ccc67c05b472831abea9e97b713c73e1"
_SYSTEM = "/v1/systems/azul"
_OVERRIDE = {"artifact": _ARTIFACT, "override_reason": "Data for the requests"}
_VERIFICATION = {"suite": "acceptance", "trigger": "deployment", "outcome": "success"}
_PUBLISHER = {
    "repository": "DataBiosphere/azul",
    "repository_id": "74",
    "repository_owner_id": "65",
    "workflow": ".github/workflows/deploy.yml",
    "ref": "refs/heads/*",
    "environments": {"development": None},
}
# End times for workspaces and routes. Debug workspaces live at most three days.
_LATER = (datetime.now(UTC) + timedelta(days=2)).isoformat()
_SOON = (datetime.now(UTC) + timedelta(days=1)).isoformat()
_WORKSPACE = {"environment": "development", "purpose": "debug", "reason": "Data for the requests", "expires_at": _LATER}
_DATA: tuple[tuple[str, Any], ...] = (
    ("/v1/systems", {"key": "azul", "name": "Azul"}),
    (f"{_SYSTEM}/environments", {"name": "development", "rank": 1}),
    (f"{_SYSTEM}/environments", {"name": "preproduction", "rank": 2}),
    (f"{_SYSTEM}/environments", {"name": "production", "rank": 3, "production": True}),
    (f"{_SYSTEM}/deployments", {"environment": "development", **_OVERRIDE}),
    (f"{_SYSTEM}/deployments/1/statuses", {"state": "succeeded"}),
    (f"{_SYSTEM}/verifications", {"environment": "development", **_VERIFICATION}),
    (f"{_SYSTEM}/deployments", {"environment": "preproduction", **_OVERRIDE}),
    (f"{_SYSTEM}/deployments/2/statuses", {"state": "succeeded"}),
    (f"{_SYSTEM}/verifications", {"environment": "preproduction", **_VERIFICATION}),
    (f"{_SYSTEM}/deployments", {"environment": "production", **_OVERRIDE}),
    (f"{_SYSTEM}/promotions", {"environment": "production", "artifact": _ARTIFACT}),
    *((f"{_SYSTEM}/publishers", _PUBLISHER) for _ in range(3)),
    # Requests may destroy only the last three of these workspaces.
    *((f"{_SYSTEM}/workspaces", {**_WORKSPACE, "name": f"workspace-{number}"}) for number in range(6)),
    # These records have no history, so requests can delete them.
    *(("/v1/systems", {"key": f"spare-{number}", "name": "Spare"}) for number in range(3)),
    # Requests that write records seldom name this system, so its environments stay without a history.
    ("/v1/systems", {"key": "quiet", "name": "Quiet"}),
    *(("/v1/systems/quiet/environments", {"name": f"spare-{number}", "rank": 1 + number}) for number in range(3)),
)
# The bodies of these routes are sent with PUT.
_ROUTES = tuple(
    (f"{_SYSTEM}/workspaces/1/routes/{client}", {"until": _SOON})
    for client in ("jane", "spare-0", "spare-1", "spare-2")
)


def fill(url: str) -> None:
    """Put records into an empty service, so that requests can succeed. Raises ToolError if a record is refused."""
    headers = {"Authorization": f"Bearer {token('admin')}", "Content-Type": "application/json"}
    with contextlib.closing(http.client.HTTPConnection(urlsplit(url).netloc, timeout=30)) as connection:
        for method, data in {"POST": _DATA, "PUT": _ROUTES}.items():
            for path, body in data:
                connection.request(method, path, json.dumps(body), headers)
                answer = connection.getresponse()
                told = answer.read().decode()
                if answer.status not in (200, 201):
                    raise ToolError(
                        f"The service refuses the test data: {method} {path} got {told}. Fix _DATA or _ROUTES "
                        f"in {__name__}"
                    )


def fuzz(url: str, *options: str, timeout: float = MOST_SECONDS) -> int:
    """Send random requests to the filled service at `url`. Return 0 if no fault was found.

    Raises subprocess.TimeoutExpired.
    """
    _DICTIONARY.parent.mkdir(exist_ok=True)
    written = _DICTIONARY.with_suffix(f".{os.getpid()}")
    written.write_text(f'"{_SOON}"\n')
    written.replace(_DICTIONARY)  # replace the file atomically, because other runs may be reading it
    return lifeline.run(
        [str(_PROGRAM), "--config-file", str(_CONFIGURATION), "run", f"{url}/v1/openapi.json", *options],
        cwd=ROOT,
        env={"HYPOTHESIS_STORAGE_DIRECTORY": str(_CACHE), **os.environ, "SLIPWAY_TOKEN": token("admin")},
        timeout=timeout,
    ).returncode


def main(environ: Mapping[str, str]) -> None:
    """Start a new service and fuzz it. Raises ToolError if a fault was found."""
    for name in ("EXAMPLES", "SECONDS", "SEED"):
        if environ[name] and not environ[name].isdecimal():
            raise UsageError(f"{name} is {environ[name]!r}: set a number")
    amount = ("--max-examples", environ["EXAMPLES"], *(("--seed", environ["SEED"]) if environ["SEED"] else ()))
    try:
        _run(amount, environ["SECONDS"])
    except subprocess.TimeoutExpired:
        raise ToolError(
            f"Fuzzing took more than {MOST_SECONDS} s: send fewer requests, as in `make fuzz EXAMPLES=50`"
        ) from None


def _run(amount: Sequence[str], seconds: str) -> None:
    LOG.parent.mkdir(exist_ok=True)
    with postgres.throwaway() as database_url, LOG.open("w") as log:
        os.environ["DATABASE_URL"] = database_url
        migrate(postgres.as_login(database_url, MIGRATOR))
        with contextlib.redirect_stdout(log), contextlib.redirect_stderr(log), serving(*load_app()) as url:
            fill(url)
            found = fuzz(url, "--phases", "examples,coverage,fuzzing", *amount)
            # A service with state answers a repeated series of requests differently. Hypothesis then stops. With
            # --max-time, Schemathesis starts further series.
            found |= fuzz(
                *(url, "--phases", "stateful", "--max-time", seconds, *amount),
                *("--exclude-checks", "every_operation_succeeds"),  # the first run has made this check
            )
    if found:
        raise ToolError(
            f"The run found faults: fix the faults above. The service's log is {LOG.relative_to(ROOT)}. "
            "To repeat a run, set SEED to the seed that the run printed."
        )
