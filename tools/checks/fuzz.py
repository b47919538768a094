"""`make fuzz`: does the running service keep what its OpenAPI document promises? Asked with requests made up.

Schemathesis makes them up. schemathesis.toml says how, and names whatever may not count as a fault, with the reason;
fuzz_checks.py does so for requests that fit the document and are refused all the same. The database, what is in it, and
the server are this run's own, and nothing is left of them.
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

MOST_SECONDS = 30 * 60
LOG = LOCAL_STATE / "fuzz.log"

_PROGRAM = Path(sys.executable).with_name("schemathesis")
_CONFIGURATION = ROOT / "schemathesis.toml"
_CACHE = LOCAL_STATE / "cache" / "hypothesis"
# A time that lies ahead can't be written into schemathesis.toml.
_DICTIONARY = LOCAL_STATE / "fuzz-soon.dict"

# What is there to be found: schemathesis.toml has the same names, and the ids that these get.
_ARTIFACT = "tree:5b678574ccc67c05b472831abea9e97b713c73e1"
_SYSTEM = "/v1/systems/azul"
_OVERRIDE = {"artifact": _ARTIFACT, "override_reason": "Something to be found"}
_VERIFICATION = {"suite": "acceptance", "trigger": "deployment", "outcome": "success"}
_PUBLISHER = {
    "repository": "DataBiosphere/azul",
    "repository_id": "74",
    "repository_owner_id": "65",
    "workflow": ".github/workflows/deploy.yml",
    "ref": "refs/heads/*",
    "environments": {"development": None},
}
# The end of whatever has one: workspaces for debugging live for three days at the most.
_LATER = (datetime.now(UTC) + timedelta(days=2)).isoformat()
_SOON = (datetime.now(UTC) + timedelta(days=1)).isoformat()
_WORKSPACE = {"environment": "development", "purpose": "debug", "reason": "To be found", "expires_at": _LATER}
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
    # The last three can be destroyed, and nothing else is done with them.
    *((f"{_SYSTEM}/workspaces", {**_WORKSPACE, "name": f"workspace-{number}"}) for number in range(6)),
    # Without history: they can be deleted.
    *(("/v1/systems", {"key": f"spare-{number}", "name": "Spare"}) for number in range(3)),
    *((f"{_SYSTEM}/environments", {"name": f"spare-{number}", "rank": 10 + number}) for number in range(3)),
)
# To be put.
_ROUTES = tuple(
    (f"{_SYSTEM}/workspaces/1/routes/{client}", {"until": _SOON})
    for client in ("jane", "spare-0", "spare-1", "spare-2")
)


def fill(url: str) -> None:
    """Put something to be found into a service that is empty. Raises ToolError."""
    headers = {"Authorization": f"Bearer {token('admin')}", "Content-Type": "application/json"}
    with contextlib.closing(http.client.HTTPConnection(urlsplit(url).netloc, timeout=30)) as connection:
        for method, data in {"POST": _DATA, "PUT": _ROUTES}.items():
            for path, body in data:
                connection.request(method, path, json.dumps(body), headers)
                answer = connection.getresponse()
                told = answer.read().decode()
                if answer.status not in (200, 201):
                    raise ToolError(f"The service refuses what it should be fuzzed with: {method} {path} got {told}")


def fuzz(url: str, *options: str, timeout: float = MOST_SECONDS) -> int:
    """Fuzz the service at `url`, which was filled before: 0 if nothing was found. Raises subprocess.TimeoutExpired."""
    _DICTIONARY.parent.mkdir(exist_ok=True)
    written = _DICTIONARY.with_suffix(f".{os.getpid()}")
    written.write_text(f'"{_SOON}"\n')
    written.replace(_DICTIONARY)  # in one go: other runs may be reading it
    return lifeline.run(
        [str(_PROGRAM), "--config-file", str(_CONFIGURATION), "run", f"{url}/v1/openapi.json", *options],
        cwd=ROOT,
        env={"HYPOTHESIS_STORAGE_DIRECTORY": str(_CACHE), **os.environ, "SLIPWAY_TOKEN": token("admin")},
        timeout=timeout,
    ).returncode


def main(environ: Mapping[str, str]) -> None:
    """Fuzz a service of this run's own. Raises ToolError where something was found."""
    for name in ("EXAMPLES", "SECONDS", "SEED"):
        if environ[name] and not environ[name].isdecimal():
            raise UsageError(f"{name} is {environ[name]!r}: say a number")
    amount = ("--max-examples", environ["EXAMPLES"], *(("--seed", environ["SEED"]) if environ["SEED"] else ()))
    try:
        _run(amount, environ["SECONDS"])
    except subprocess.TimeoutExpired:
        raise ToolError(f"It was not over after {MOST_SECONDS} s: fuzz less, as in `make fuzz EXAMPLES=50`") from None


def _run(amount: Sequence[str], seconds: str) -> None:
    LOG.parent.mkdir(exist_ok=True)
    with postgres.throwaway() as database_url, LOG.open("w") as log:
        os.environ["DATABASE_URL"] = database_url
        migrate(postgres.as_login(database_url, MIGRATOR))
        with contextlib.redirect_stdout(log), contextlib.redirect_stderr(log), serving(*load_app()) as url:
            fill(url)
            found = fuzz(url, "--phases", "examples,coverage,fuzzing", *amount)
            # Hypothesis ends a series of steps when it repeats a few and they go another way, as they must where things
            # are remembered. With a time to fill, Schemathesis begins others.
            found |= fuzz(
                *(url, "--phases", "stateful", "--max-time", seconds, *amount),
                *("--exclude-checks", "every_operation_succeeds"),  # the first run has seen to that
            )
    if found:
        raise ToolError(
            f"What the service itself said is in {LOG.relative_to(ROOT)}; SEED=… repeats a run with its seed."
        )
