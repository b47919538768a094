"""A copy of the project in its own folder, run as a developer runs a checkout."""

import os
import queue
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

ROOT = Path(__file__).parents[2]
START_SECONDS = 30


class Checkout:
    """A copy of the files that a running service needs. Commands run with the tests' Python."""

    def __init__(self, folder: Path, databases: Path) -> None:
        self.folder = folder
        for name in ("app.py", "requirements.txt", "requirements-dev.txt"):
            shutil.copy(ROOT / name, folder / name)
        for name in ("chalicelib", "tools", ".chalice", "web"):
            shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        self.environment = {**os.environ, "SLIPWAY_DATABASES": str(databases)}

    def call(self, *arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
        """Run a command of `python -m tools` to its end; return its exit code and output."""
        return subprocess.run(
            [sys.executable, "-m", "tools", *arguments],
            cwd=self.folder,
            env={**self.environment, **environment},
            capture_output=True,
            text=True,
            timeout=START_SECONDS,
            check=False,
        )

    @contextmanager
    def run(self, **environment: str) -> Iterator["Run"]:
        """Start the command of `make run` on a free port; yield the run once the service is ready.

        Stop the run at the end of the block.
        """
        run = Run(self, {"PORT": str(free_port()), **environment})
        try:
            run.wait_for("curl")
            yield run
        finally:
            if run.process.poll() is None:
                run.stop(signal.SIGTERM)
            run.close()

    def processes(self) -> list[psutil.Process]:
        """Return the running processes that work in the folder of this checkout or of its database."""
        database = self.folder / ".local" / "postgres"
        folders = {self.folder, database.resolve() / "data"}
        found = []
        for process in psutil.process_iter():
            try:
                if Path(process.cwd()) in folders and process.status() != psutil.STATUS_ZOMBIE:
                    found.append(process)
            except psutil.Error:
                pass
        return found


class Run:
    """The process that `make run` starts, and its output."""

    def __init__(self, checkout: Checkout, environment: dict[str, str]) -> None:
        self.port = int(environment["PORT"])
        self.url = f"http://127.0.0.1:{self.port}"
        self.output = ""
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tools", "local", "run"],
            cwd=checkout.folder,
            env={**checkout.environment, **environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self._lines: queue.Queue[str] = queue.Queue()
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    @property
    def token(self) -> str:
        """Return the last admin's token that `make run` printed."""
        return re.findall(r"^ey\S+$", self.output, re.MULTILINE)[-1]

    def wait_for(self, words: str) -> None:
        """Wait until `make run` prints `words`, or raise AssertionError."""
        seen = ""
        deadline = time.monotonic() + START_SECONDS
        while words not in seen:
            try:
                seen += self._lines.get(timeout=max(0, deadline - time.monotonic()))
            except queue.Empty:
                raise AssertionError(
                    f"`make run` did not print {words!r}: find out why in its output.\n{self.output}"
                ) from None

    def stop(self, how: signal.Signals) -> int:
        """Send a signal; return the exit code once the process has ended."""
        self.process.send_signal(how)
        return self.process.wait(START_SECONDS)

    def worker(self) -> psutil.Process:
        """Return the child process that serves the API."""
        [worker] = [child for child in psutil.Process(self.process.pid).children() if "serve" in child.cmdline()]
        return worker

    def close(self) -> None:
        assert self.process.stdout is not None
        self._reader.join(START_SECONDS)
        self.process.stdout.close()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.output += line
            self._lines.put(line)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
