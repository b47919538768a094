"""Processes that a test starts, and all processes that those processes start."""

import contextlib
import os
import signal
import subprocess
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import psutil

from tools.checkout import ROOT

END_SECONDS = 60


class Started:
    """A process, and all processes that it has started. Like a command of a shell, it has its own process group."""

    def __init__(self, log: Path, command: Sequence[str], environ: Mapping[str, str]) -> None:
        self._mark = uuid.uuid4().hex
        self._log = log
        with log.open("w") as output:
            self.process = subprocess.Popen(
                command,
                cwd=ROOT,
                env={**environ, "STARTED_BY": self._mark},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def said(self) -> str:
        return self._log.read_text()

    def running(self) -> list[psutil.Process]:
        """Return the started processes that still run."""
        found = []
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error):
                if process.environ().get("STARTED_BY") == self._mark:
                    found.append(process)
        return found

    def programs(self) -> str:
        """Return the commands of the processes that still run, one per line."""
        commands = []
        for process in self.running():
            with contextlib.suppress(psutil.Error):
                commands.append(" ".join(process.cmdline()))
        return "\n".join(commands)

    def signal_group(self, number: signal.Signals) -> None:
        os.killpg(self.process.pid, number)

    def wait(self, condition: Callable[[], object], seconds: float = END_SECONDS) -> None:
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, (
                f"The condition is still false after {seconds:g} seconds: find out why in the output.\n{self.said()}\n"
                f"\nThese processes still run:\n{self.programs()}"
            )
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(0.05)

    def says(self, words: str, seconds: float = END_SECONDS) -> None:
        """Wait until the processes have printed `words`."""
        self.wait(lambda: words in self.said(), seconds)

    def ends(self) -> None:
        """Wait until the process and all processes that it started have ended."""
        self.wait(lambda: self.process.poll() is not None and self.running() == [])


@contextmanager
def started(log: Path, command: Sequence[str], environ: Mapping[str, str] = os.environ) -> Iterator[Started]:
    """Start a process. At the end of the block, kill its process group.

    Then wait until all processes that it started have ended.
    """
    made = Started(log, command, environ)
    with made.process:
        try:
            yield made
        finally:
            if made.process.poll() is None:
                made.signal_group(signal.SIGKILL)
            made.ends()
