"""`make fuzz`: check with random requests that the service does what its OpenAPI document says.

Schemathesis makes the requests. schemathesis.toml configures Schemathesis, and gives a reason for each exception. The
modules of tools/checks/fuzz have the records and values of each package. The run has its own database, data and server,
and deletes them at the end.
"""

import contextlib
import http.client
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from urllib.parse import urlsplit

from tools import lifeline
from tools.checkout import LOCAL_STATE, ROOT, USER_AGENT, ToolError, UsageError
from tools.checks.fuzz import Values, every, packages
from tools.checks.own_service import own_service
from tools.local.issuer import token

MOST_SECONDS = 60 * 60
LOG = LOCAL_STATE / "fuzz.log"

_PROGRAM = Path(sys.executable).with_name("schemathesis")
_CONFIGURATION = ROOT / "schemathesis.toml"
_CACHE = LOCAL_STATE / "cache" / "hypothesis"


def fill(url: str) -> None:
    """Put records into an empty service, so that requests can succeed, or raise ToolError."""
    headers = {"Authorization": f"Bearer {token('admin')}", "Content-Type": "application/json", "If-Match": "*"}
    headers["User-Agent"] = USER_AGENT
    with contextlib.closing(http.client.HTTPConnection(urlsplit(url).netloc, timeout=30)) as connection:
        for package, found in packages().items():
            for record in found.records:
                connection.request(record.method, record.path, json.dumps(record.body), headers)
                answer = connection.getresponse()
                told = answer.read().decode()
                if answer.status not in (200, 201):
                    raise ToolError(
                        f"The service refuses the test data: {record.method} {record.path} got {told}. Fix `records` "
                        f"in tools/checks/fuzz/{package}.py, or add to `after` the packages that must come first"
                    )


def fuzz(url: str, *options: str, timeout: float = MOST_SECONDS) -> int:
    """Send random requests to the filled service at `url`. Return 0 if no fault was found.

    Raises subprocess.TimeoutExpired.
    """
    with tempfile.NamedTemporaryFile("w", suffix=".toml") as file:
        file.write(configuration())
        file.flush()
        return lifeline.run(
            [str(_PROGRAM), "--config-file", file.name, "run", f"{url}/v1/openapi.json", *options],
            cwd=ROOT,
            env={"HYPOTHESIS_STORAGE_DIRECTORY": str(_CACHE), **os.environ, "SLIPWAY_TOKEN": token("admin")},
            timeout=timeout,
        ).returncode


def configuration() -> str:
    """Return schemathesis.toml with the values of all packages. A JSON string is a string of TOML too."""
    named: dict[str, Values] = {}
    bound: list[str] = []
    operations: list[str] = []
    for each in every():
        for parameter, values in each.values.items():
            if parameter in named:
                raise ToolError(f"Two modules of tools/checks/fuzz have values for {parameter}: delete those of one")
            named[parameter] = values
            bound.append(f"{json.dumps(parameter)} = {_binding(parameter, values)}")
        for operation in {**each.only, **each.survivors}:
            operations += ["[[operations]]", f"include-operation-id = {json.dumps(operation)}"]
            for parameter, values in each.only.get(operation, {}).items():
                name = f"{operation} {parameter}"
                named[name] = values
                operations.append(f"parameters.{json.dumps(parameter)} = {_binding(name, values)}")
            if any(values.probability == 1 for values in each.only.get(operation, {}).values()):
                # The document's examples would replace these values, and delete what other requests need.
                operations.append("phases.examples.enabled = false")
            if operation in each.survivors:
                operations.append("checks.use_after_free.enabled = false")
    dictionaries = [f"{json.dumps(name)}.values = {json.dumps(given.values)}" for name, given in named.items()]
    lines = ["[dictionaries]", *dictionaries, "[parameters]", *bound, *operations]
    return "\n".join([_CONFIGURATION.read_text(), *lines, ""])


def _binding(dictionary: str, values: Values) -> str:
    return f"{{ dictionary = {json.dumps(dictionary)}, probability = {values.probability} }}"


def main(environ: Mapping[str, str]) -> None:
    """Start a new service and fuzz it. Raise ToolError if a fault was found."""
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
    with own_service(LOG) as url:
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
