"""Run Locust with tests/load/locustfile.py in a process of its own, and read what it measured.

Locust changes Python's standard library, so this process must not import it.
"""

import csv
import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tools import lifeline
from tools.checkout import ROOT, ToolError, read_json
from tools.local.load.judgement import Journeys, Measured, Operation

# Locust counts a journey as a request with this method.
JOURNEY = "JOURNEY"
# The exit code of Locust if a journey has a fault.
BROKEN = 3

# Callers begin with a repetition that is not counted. The run waits for all of them, but no longer than this.
WARM_UP_SECONDS = 30
# The last journeys may end within this time, so that no deployment stays open.
_STOP_SECONDS = 15
_MARGIN_SECONDS = 60
_LOCUSTFILE = ROOT / "tests" / "load" / "locustfile.py"


@dataclass(frozen=True)
class Terms:
    """The limits of a run: the service at `url`, its seconds, the systems to use there, and the roles of the token."""

    url: str
    seconds: int
    systems: list[str]
    roles: list[Mapping[str, Any]]

    @classmethod
    def read(cls, folder: Path) -> "Terms":
        return cls(**read_json(folder / "terms.json"))

    def write(self, folder: Path) -> None:
        (folder / "terms.json").write_text(json.dumps(asdict(self)))


def run(terms: Terms, folder: Path, environ: Mapping[str, str]) -> Measured:
    """Send the load, and write the HTML report and the CSV files into the folder.

    `environ` has the token, or lets the process get one. Raise ToolError if Locust did not run to its end.
    """
    terms.write(folder)
    command = [
        *(sys.executable, "-m", "locust", "--locustfile", str(_LOCUSTFILE), "--headless", "--only-summary"),
        *("--stop-timeout", str(_STOP_SECONDS), "--loglevel", "WARNING"),
        *("--html", str(folder / "report.html"), "--json-file", str(folder / "requests")),
    ]
    # Locust would read its own options from variables.
    variables = {name: value for name, value in {**os.environ, **environ}.items() if not name.startswith("LOCUST_")}
    variables |= {"LOAD_FOLDER": str(folder), "PYTHONPATH": str(ROOT)}
    try:
        done = lifeline.run(
            command,
            cwd=ROOT,
            env=variables,
            stdout=subprocess.DEVNULL,
            timeout=WARM_UP_SECONDS + terms.seconds + _STOP_SECONDS + _MARGIN_SECONDS,
        )
    except subprocess.TimeoutExpired:
        raise ToolError(f"Locust did not end {_MARGIN_SECONDS} s after its time: read {folder}") from None
    if done.returncode:
        raise ToolError(f"Locust broke (exit code {done.returncode}): fix the error above, in tests/load")
    with (folder / "failures.csv").open(newline="") as file:
        faults = Counter({f"{row['Name']}: {row['Error']}": int(row["Occurrences"]) for row in csv.DictReader(file)})
    return measured(read_json(folder / "requests.json"), read_json(folder / "planned.json"), faults)


def measured(entries: Sequence[Mapping[str, Any]], planned: Mapping[str, int], faults: Mapping[str, int]) -> Measured:
    """Return what Locust counted. `response_times` has the number of answers by milliseconds, as JSON's strings."""
    done = {each["name"]: each["num_requests"] for each in entries if each["method"] == JOURNEY}
    return Measured(
        [
            Operation(
                each["name"],
                "read" if each["method"] == "GET" else "write",
                Counter({float(time): count for time, count in each["response_times"].items()}),
                each["num_failures"],
            )
            for each in entries
            if each["method"] != JOURNEY
        ],
        [Journeys(name, count, done.get(name, 0)) for name, count in planned.items()],
        faults,
    )
