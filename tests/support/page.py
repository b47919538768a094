"""README.md and the pages of docs/: their code blocks, and a shell that runs what they say."""

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

# In whatever folder, with the virtual environment that the tests have, and their cache of compiled modules.
MAKE = (
    f'make() {{ command make -f "{ROOT}/Makefile" -o venv "python={sys.executable}" '
    '"PYTHONPYCACHEPREFIX=${PYTHONPYCACHEPREFIX-}" "$@"; }\n'
    f'.local/venv/bin/python() {{ command "{sys.executable}" "$@"; }}\n'
)
IN_ROOT = ("README.md", "CONTRIBUTING.md")
SHELL = ("bash", "-e", "-u", "-o", "pipefail", "-c")


@dataclass(frozen=True)
class Block:
    """A code block: under which heading, in which language, and what is needed to run it (`sh on AWS`), if anything."""

    heading: str
    language: str | None
    needs: str | None
    text: str


def names() -> list[str]:
    """README.md, CONTRIBUTING.md, and the pages of docs/ by their paths there."""
    return [*IN_ROOT, *sorted(str(path.relative_to(ROOT / "docs")) for path in (ROOT / "docs").rglob("*.md"))]


def text(name: str) -> str:
    """A page as it is written."""
    return (ROOT / name if name in IN_ROOT else ROOT / "docs" / name).read_text()


@cache
def blocks(name: str) -> list[Block]:
    """The code blocks of a page, in order."""
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
    """The shell's blocks below headings that begin so, or only their commands that begin in one of these ways.

    `needs` chooses blocks that can't be run just anywhere (`sh on AWS`); `replacing` says what stands in for what of
    the page is not here.
    """
    chosen = "".join(
        block.text
        for block in blocks(page)
        if block.language == "sh" and block.heading.startswith(heading) and block.needs == needs
    )
    if beginnings:
        commands = re.findall(r"(?:.*\\\n)*.*\n", chosen)
        chosen = "".join(command for command in commands if command.startswith(beginnings))
    assert chosen, f"{page} has no such commands below {heading!r}: {beginnings}"
    for old, new in (replacing or {}).items():
        assert old in chosen, f"{old!r} is to be replaced, and not in\n{chosen}"
        chosen = chosen.replace(old, new)
    return chosen


def sh(script: str, cwd: Path = ROOT, environ: Mapping[str, str] = os.environ, seconds: float = 60) -> str:
    """Run a script whose `make` is ours; what it prints. Fails where one of its commands does."""
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
    """Run a script until the end of the block, where it gets a terminal's Ctrl-C; what it prints until that word."""
    # What more it says has to be read, or it would wait with it; where the test fails, pytest shows it.
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
                assert line, f"{script}\nended without a word of {until!r}:\n{said}"
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
