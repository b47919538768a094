"""Measure the time of a cold start's imports, in new processes that find only the shipped packages."""

import os
import re
import subprocess
import sys
from functools import partial
from importlib.metadata import distribution
from pathlib import Path
from tempfile import TemporaryDirectory

from tools.checkout import ROOT
from tools.checks.bench.figures import Figure, fastest

BOUND = 2
ROUNDS = 15

_BASIS = "import chalice, psycopg2"
_SPENT = "import time; print(time.process_time_ns())"


def figure() -> Figure:
    """Return the time to import `app`, divided by the time to import Chalice and psycopg2."""
    with TemporaryDirectory() as folder:
        link_shipped(Path(folder))
        ways = [partial(milliseconds, statement, Path(folder)) for statement in ("import app", _BASIS, "pass")]
        for way in ways:
            way()  # write the bytecode, so that no measured run has to write bytecode
        app, basis, nothing = fastest(*ways, rounds=ROUNDS)
    detail = (
        f"{app - nothing:.0f} ms, chalice and psycopg2 {basis - nothing:.0f} ms; an empty interpreter {nothing:.0f} ms"
    )
    return Figure("import: app", (app - nothing) / (basis - nothing), "times", BOUND, detail)


def link_shipped(folder: Path) -> None:
    """Link Chalice and the packages in requirements.txt into a folder to import from.

    The virtual environment has more packages. Libraries import optional packages if these packages exist.
    """
    required = re.findall(r"^[A-Za-z0-9_.-]+(?===)", (ROOT / "requirements.txt").read_text(), re.MULTILINE)
    for name in ("chalice", *required):
        shipped = distribution(name)
        for top in {file.parts[0] for file in shipped.files or ()} - {".."}:
            if not top.endswith(".dist-info"):
                (folder / top).symlink_to(str(shipped.locate_file(top)))


def milliseconds(statement: str, folder: Path) -> float:
    """Return the milliseconds of processor time of a new interpreter that runs a statement.

    The interpreter imports only from `folder`, ROOT and the standard library.
    """
    environment = {
        "PATH": os.environ.get("PATH", ""),
        "PYTHONPATH": str(folder),
        "PYTHONPYCACHEPREFIX": str(ROOT / ".local" / "cache" / "pycache"),
    }
    ran = subprocess.run(
        [sys.executable, "-S", "-c", f"{statement}; {_SPENT}"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return int(ran.stdout) / 1e6
