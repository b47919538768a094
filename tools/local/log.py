"""The log of `make run`: lines on the terminal, and a file for `make logs ENV=local` with the same lines as on AWS."""

import json
import os
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from chalicelib.settings import LOCAL_STATE
from tools.local.log_lines import level_of, readable

FILE = Path(LOCAL_STATE) / "log.ndjson"
MOST_BYTES = 20 * 1024 * 1024


class Line(NamedTuple):
    """A line: its id, Unix milliseconds, the part that wrote it as `make logs` names it, and its text."""

    id: str
    at: int
    part: str
    message: str


class Terminal:
    """The log on the terminal alone. Each request is one line; the service's own lines are shown from WARNING on."""

    def service(self, message: str) -> None:
        """Take a line of the service."""
        if level_of(message) != "INFO":
            _print(readable("api", int(time.time() * 1000), message))

    def access(self, record: Mapping[str, Any]) -> None:
        """Take a request that was answered, with the fields of API Gateway's access log."""
        _print("{method} {path} {status} {responseLatency} ms {requestId}".format_map(record))


class Log(Terminal):
    """The log on the terminal and in a file. A second file has the lines before, so both stay bounded."""

    def __init__(self, file: Path = FILE) -> None:
        self._file = file
        self._lock = threading.Lock()

    def service(self, message: str) -> None:
        self._keep("api", message.rstrip("\n"))
        super().service(message)

    def access(self, record: Mapping[str, Any]) -> None:
        self._keep("access", json.dumps(record))
        super().access(record)

    def _keep(self, part: str, message: str) -> None:
        line = json.dumps(Line(os.urandom(8).hex(), int(time.time() * 1000), part, message))
        with self._lock:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            if self._file.exists() and self._file.stat().st_size > MOST_BYTES:
                self._file.replace(_before(self._file))
            with self._file.open("a") as file:
                file.write(f"{line}\n")


def kept(since: int, file: Path = FILE) -> Iterator[Line]:
    """Yield the kept lines since a moment, oldest first. A line that is half written is left for the next call."""
    for each in (_before(file), file):
        if each.exists():
            with each.open() as lines:
                for text in lines:
                    if text.endswith("\n") and (line := Line(*json.loads(text))).at >= since:
                        yield line


def _before(file: Path) -> Path:
    return file.with_suffix(".before.ndjson")


def _print(line: str) -> None:
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()
