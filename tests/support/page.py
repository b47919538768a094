"""Read the code blocks of the project's Markdown pages, and run them in a shell."""

import os
import re
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from tests.support.checkout import ROOT

# With these functions, `make` and `.local/venv/bin/python` work in any folder, with the tests' Python. `make` also uses
# the tests' cache of compiled modules.
MAKE = (
    f'make() {{ command make -f "{ROOT}/Makefile" -o venv "python={sys.executable}" '
    '"PYTHONPYCACHEPREFIX=${PYTHONPYCACHEPREFIX-}" "$@"; }\n'
    f'.local/venv/bin/python() {{ command "{sys.executable}" "$@"; }}\n'
)
# The paths of the pages outside of docs/, and of the index of docs/.
OUTSIDE = ("README.md", "CONTRIBUTING.md", "docs/README.md", "infra/README.md")
SHELL = ("bash", "-e", "-u", "-o", "pipefail", "-c")


@dataclass(frozen=True)
class Block:
    """A code block of a page. `needs` is the place where the block must run, for example `AWS` in `sh on AWS`."""

    heading: str
    language: str | None
    needs: str | None
    text: str


def names() -> list[str]:
    """Return the paths of all pages: OUTSIDE relative to the root, the others relative to docs/."""
    pages = sorted(str(path.relative_to(ROOT / "docs")) for path in (ROOT / "docs").rglob("*.md"))
    return [*OUTSIDE, *(page for page in pages if page != "README.md")]


def path(name: str) -> Path:
    """Return the path of a page's file."""
    return ROOT / name if name in OUTSIDE else ROOT / "docs" / name


def text(name: str) -> str:
    """Return the text of a page."""
    return path(name).read_text()


@cache
def blocks(name: str) -> list[Block]:
    """Return the code blocks of a page, in order."""
    found, heading = [], ""
    for match in re.finditer(
        r"^#+ (?P<heading>[^\n]+)$"
        r"|^(?P<indent> *)```(?P<language>\w+)?(?: on (?P<needs>\w+))?\n(?P<text>.*?)^ *```$",
        text(name),
        re.MULTILINE | re.DOTALL,
    ):
        if match["heading"]:
            heading = match["heading"]
        else:
            written = re.sub(f"^{match['indent']}", "", match["text"], flags=re.MULTILINE)
            found.append(Block(heading, match["language"], match["needs"], written))
    return found


def script(
    page: str,
    heading: str = "",
    *beginnings: str,
    needs: str | None = None,
    replacing: Mapping[str, str] | None = None,
) -> str:
    """Return the shell blocks below headings that begin with `heading`.

    `beginnings` selects commands that begin with one of these texts. `needs` selects blocks for a place (`sh on AWS`).
    `replacing` maps texts of the page to the texts that replace them.
    """
    chosen = "".join(
        block.text
        for block in blocks(page)
        if block.language == "sh" and block.heading.startswith(heading) and block.needs == needs
    )
    if beginnings:
        commands = re.findall(r"(?:.*\\\n)*.*\n", chosen)
        chosen = "".join(command for command in commands if command.startswith(beginnings))
    assert chosen, f"{page} has no command below {heading!r} that begins with {beginnings}: correct the page"
    for old, new in (replacing or {}).items():
        assert old in chosen, f"{page} lacks the text to replace, {old!r}: correct the text or the page.\n{chosen}"
        chosen = chosen.replace(old, new)
    return chosen


def sh(script: str, cwd: Path = ROOT, environ: Mapping[str, str] = os.environ, seconds: float = 60) -> str:
    """Run a script with the functions of MAKE; return its output. A failing command fails the test."""
    done = subprocess.run(
        [*SHELL, MAKE + script],
        cwd=cwd,
        env=dict(environ),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=seconds,
    )
    assert done.returncode == 0, f"{script}\n{done.stdout[-5000:]}\n{done.stderr[-5000:]}"
    return done.stdout


@contextmanager
def started(
    script: str, until: str, cwd: Path = ROOT, environ: Mapping[str, str] = os.environ, seconds: float = 60
) -> Iterator[str]:
    """Run a script in the background; yield its output up to `until`. Send Ctrl-C at the end of the block."""
    # Keep reading the output, because a full pipe would block the script. pytest shows the output of a failed test.
    with (
        ThreadPoolExecutor() as readers,
        subprocess.Popen(
            [*SHELL, MAKE + script],
            cwd=cwd,
            env=dict(environ),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        ) as process,
    ):
        too_late = threading.Timer(seconds, os.killpg, (process.pid, signal.SIGKILL))
        too_late.start()
        try:
            assert process.stdout is not None
            said = ""
            while until not in said:
                line = process.stdout.readline()
                assert line, (
                    f"The script ended before it printed {until!r}: find out why in its output.\n{script}\n{said}"
                )
                said += line
            too_late.cancel()
            readers.submit(shutil.copyfileobj, process.stdout, sys.stdout)
            yield said
        finally:
            too_late.cancel()
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGINT)
            try:
                process.wait(timeout=30)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                raise
