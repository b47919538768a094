"""README.md and the pages of docs/, whose commands tests run as they stand there.

A test claims commands with `@runs(part("debug-production.md", "2."))` and gets them as the fixture `commands`; it fails
where it leaves one of them out. That each command has its test, or a reason why it can't be run here, is held by
tests/unit/test_pages.py.
"""

import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

from tests.support.checkout import ROOT

# In whatever folder, with the virtual environment that the tests have, and their cache of compiled modules.
MAKE = (
    f'make() {{ command make -f "{ROOT}/Makefile" -o venv "python={sys.executable}" '
    '"PYTHONPYCACHEPREFIX=${PYTHONPYCACHEPREFIX-}" "$@"; }\n'
)
# The pages' `.local/venv/bin/python`, likewise.
MAKE += f'.local/venv/bin/python() {{ command "{sys.executable}" "$@"; }}\n'
SHELL = ("bash", "-e", "-u", "-o", "pipefail", "-c")


@dataclass(frozen=True)
class Block:
    """A code block: under which heading, in which language, and what is needed to run it (`sh on AWS`), if anything."""

    page: str
    heading: str
    language: str | None
    needs: str | None
    text: str

    @property
    def commands(self) -> list["Command"]:
        return [Command(self, number, text) for number, text in enumerate(_statements(self.text), 1)]


@dataclass(frozen=True)
class Command:
    """A statement of a shell's block; several lines where it takes them."""

    block: Block
    number: int
    text: str

    @property
    def said(self) -> str:
        """Without a remark at its end."""
        return re.sub(r"\s+# .*", "", self.text)

    def __str__(self) -> str:
        return f"{self.block.page}, {self.block.heading!r}: {self.text.splitlines()[0]}"


@dataclass(frozen=True)
class Part:
    """Commands of a page: below headings that begin so, in blocks that need so much, those that begin in these ways."""

    page: str
    heading: str = ""
    beginnings: tuple[str, ...] = ("",)
    needs: str | None = None

    @property
    def commands(self) -> list[Command]:
        return [
            command
            for block in blocks(self.page)
            if block.language == "sh" and block.heading.startswith(self.heading) and block.needs == self.needs
            for command in _beginning(block.commands, self.beginnings)
        ]


def part(page: str, heading: str = "", *beginnings: str, needs: str | None = None) -> Part:
    """Commands of a page that a test claims, to be said in constants."""
    return Part(page, heading, beginnings or ("",), needs)


def runs(*parts: Part) -> pytest.MarkDecorator:
    """Claim commands for a test, which gets them as `commands`."""
    return pytest.mark.parametrize(
        "commands", [parts], ids=["+".join({each.page: None for each in parts})], indirect=True
    )


class Commands:
    """What a test has claimed. `replacing` says what of the page can't be here, and what stands in for it."""

    def __init__(self, parts: Sequence[Part]) -> None:
        self.left = [command for each in parts for command in each.commands]

    def take(self, *beginnings: str, replacing: Mapping[str, str] | None = None) -> str:
        """The commands that begin so and were not taken yet, as one script."""
        taken = _beginning(self.left, beginnings or ("",))
        assert taken, f"No command begins with {beginnings}, of\n{self.left}"
        for command in taken:
            self.left.remove(command)
        script = "\n".join(command.text for command in taken)
        for old, new in (replacing or {}).items():
            assert old in script, f"{old!r} is to be replaced, and not in\n{script}"
            script = script.replace(old, new)
        return script

    def run(
        self,
        *beginnings: str,
        replacing: Mapping[str, str] | None = None,
        cwd: Path = ROOT,
        environ: Mapping[str, str] = os.environ,
        seconds: float = 60,
    ) -> str:
        """Run those commands in one shell; what they print. Fails where one of them does."""
        return sh(self.take(*beginnings, replacing=replacing), cwd, environ, seconds)

    @contextmanager
    def started(
        self,
        *beginnings: str,
        replacing: Mapping[str, str] | None = None,
        cwd: Path = ROOT,
        environ: Mapping[str, str] = os.environ,
        until: str,
        seconds: float = 60,
    ) -> Iterator[str]:
        """Run them until the end of the block, where they get a terminal's Ctrl-C; what they print until that word."""
        script = self.take(*beginnings, replacing=replacing)
        # What more they say has to be read, or they would wait with it; where the test fails, pytest shows it.
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

    def all_were_run(self) -> None:
        assert self.left == [], "The page has more than was run: " + "; ".join(map(str, self.left))


def calls(script: str) -> Iterator[tuple[str, dict[str, str]]]:
    """For tests that call in their own process what `make` would: each line's target, and its variables."""
    for line in script.splitlines():
        make, target, *words = shlex.split(line, comments=True)
        assert make == "make"
        yield target, dict(word.split("=", 1) for word in words)


def sh(script: str, cwd: Path = ROOT, environ: Mapping[str, str] = os.environ, seconds: float = 60) -> str:
    """Run a script whose `make` is ours; what it prints."""
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


def names() -> list[str]:
    """README.md, and the pages of docs/ by their paths there."""
    return ["README.md", *sorted(str(path.relative_to(ROOT / "docs")) for path in (ROOT / "docs").rglob("*.md"))]


def text(name: str) -> str:
    """A page as it is written."""
    return (ROOT / name if name == "README.md" else ROOT / "docs" / name).read_text()


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
            found.append(Block(name, heading, match["language"], match["needs"], written))
    return found


def _beginning(commands: Sequence[Command], beginnings: Sequence[str]) -> list[Command]:
    """Those that begin so, in order; where one is just that, it alone is meant."""
    whole = {command.said for command in commands}
    return [
        command
        for command in commands
        if any(command.said == each if each in whole else command.said.startswith(each) for each in beginnings)
    ]


@cache
def _statements(script: str) -> list[str]:
    """What a shell takes at once: a line, or as many as it takes until it is whole."""
    found: list[str] = []
    open_lines: list[str] = []
    for line in script.splitlines():
        if not open_lines and (not line.strip() or line.lstrip().startswith("#")):
            continue
        open_lines.append(line)
        so_far = "\n".join(open_lines)
        if not line.endswith("\\") and _is_whole(so_far):
            found.append(so_far)
            open_lines = []
    assert not open_lines, f"This is no whole script:\n{script}"
    return found


def _is_whole(script: str) -> bool:
    return subprocess.run(["bash", "-n", "-c", script], capture_output=True).returncode == 0
