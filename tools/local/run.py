"""`make run`: run this checkout's database and server until Ctrl-C, and restart the server when its code changes."""

import contextlib
import fcntl
import os
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from tools.checkout import LOCAL_STATE, ROOT, ToolError, UsageError
from tools.local import emulation

HOST = "127.0.0.1"
POLL_SECONDS = 0.4
STOP_SECONDS = 5

WATCHED = ("app.py", "chalicelib", ".chalice/config.json", "requirements.txt", "requirements-dev.txt")

_LOCK = LOCAL_STATE / "run.lock"

Snapshot = dict[Path, tuple[int, int]]


def main(environ: Mapping[str, str]) -> None:
    """Serve on PORT until a signal stops this process."""
    port = _port(environ["PORT"])
    with _only_one(port):
        _require_free(port)
        stop = StopRequests()
        _serve(port, stop)
    if stop.requested:
        say("stopped")


def running() -> str | None:
    """Return the process and the port of this checkout's `make run`, or None if it does not run."""
    if not _LOCK.exists():
        return None
    with _LOCK.open("r") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return lock.read().strip()
    return None


def say(line: str) -> None:
    with contextlib.suppress(OSError):  # a closed terminal must not prevent a clean stop
        print(line, flush=True)


class StopRequests:
    """Requests to stop: SIGINT, SIGTERM and SIGHUP. The process then stops between two steps, never within a step."""

    def __init__(self) -> None:
        self.requested = False
        self._reader, self._writer = os.pipe()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._note)

    def wait(self, seconds: float, *others: int) -> None:
        """Wait for a request to stop, for input on the descriptors `others`, or until `seconds` are over."""
        select.select([self._reader, *others], [], [], seconds)

    def _note(self, *_: Any) -> None:
        self.requested = True
        os.write(self._writer, b"!")


class Worker:
    """The server's process, `tools.local.server`. It writes to the channel when it is ready.

    It ends when the channel closes, so always with this process.
    """

    def __init__(self, port: int) -> None:
        self.channel, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tools", "local", "serve", f"--port={port}", f"--channel={theirs.fileno()}"],
                cwd=ROOT,
                env=emulation.environment(os.environ) if os.environ.get("EMULATED") else None,
                pass_fds=[theirs.fileno()],
                # Ctrl-C must not reach the server, because this process stops the server.
                start_new_session=True,
            )
        self.channel.settimeout(0)
        self.was_ready = False

    def becomes_ready(self) -> bool:
        """True if the server became ready since the last call."""
        with contextlib.suppress(BlockingIOError, ConnectionError):
            if self.channel.recv(1):
                self.was_ready = True
                return True
        return False

    def end(self) -> str | None:
        """Return how the server ended, or None while it runs."""
        code = self._process.poll()
        if code is None:
            return None
        return f"signal {-code}" if code < 0 else f"exit code {code}"

    def stop(self) -> None:
        self._process.terminate()
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self.channel.close()


def _serve(port: int, stop: StopRequests) -> None:
    """Run the database and the server until a request to stop."""
    from tools.local import postgres  # noqa: PLC0415 (so that errors in `main` do not wait for this import)

    url = os.environ.get("DATABASE_URL")
    try:
        if url:
            _prepare_database(url)
        else:
            postgres.start(say)
        _supervise(port, stop, (lambda: None) if url else _restart_database_if_gone)
    except ToolError:
        # Ctrl-C at a terminal also interrupts the processes that we are starting. Ignore their errors.
        if not stop.requested:
            raise
    finally:
        if not url:  # only `kill -9` leaves the database running; the next start then uses it
            postgres.stop()


def _supervise(port: int, stop: StopRequests, check_database: Callable[[], None]) -> None:
    from tools.local.issuer import token  # noqa: PLC0415

    seen = _snapshot()
    worker: Worker | None = Worker(port)
    try:
        greeting = _greeting(port, token("admin"))
        while not stop.requested:
            stop.wait(POLL_SECONDS, *([worker.channel.fileno()] if worker else []))
            if worker and worker.becomes_ready():
                say(greeting or "serving again")
                greeting = ""
            if worker and (end := worker.end()):
                worker.stop()
                worker = _successor(worker, end, port)
            if changed := _changed(seen):
                seen = _settled()
                say(_what_now(changed))
                if worker:
                    worker.stop()
                worker = Worker(port)
            if not stop.requested:
                check_database()
    finally:
        if worker:
            worker.stop()


def _restart_database_if_gone() -> None:
    from tools.local import postgres  # noqa: PLC0415

    if not postgres.is_running():
        say("the database has ended: starting it again")
        postgres.start()
        say("the database runs again")


def _successor(worker: Worker, end: str, port: int) -> Worker | None:
    """Return a new server after the old one ended by itself, or None if the old one never became ready."""
    if not worker.was_ready:
        say(f"the server does not start ({end}): fix the error above, and the server starts again")
        return None
    say(f"the server ended ({end}): starting it again")
    return Worker(port)


def _greeting(port: int, token: str) -> str:
    url = f"http://{HOST}:{port}"
    return f"""
Open {url}/ in a browser. The service runs there until Ctrl-C.

An admin's token, valid for 8 hours (`make token` prints others):

{token}

Try:

curl -s -H "Authorization: Bearer {token}" {url}/v1/systems
"""


def _port(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 0 < int(text) < 65536:
        raise UsageError(f"PORT={text} is not a port: use a number from 1 to 65535, as in `make run PORT=8001`")
    return int(text)


@contextlib.contextmanager
def _only_one(port: int) -> Iterator[None]:
    """Lock the checkout for this process. Raise ToolError if another process has the lock.

    The lock ends with the process, even if it is killed.
    """
    _LOCK.parent.mkdir(exist_ok=True)
    with _LOCK.open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            raise ToolError(
                f"`make run` already runs in this checkout ({lock.read().strip()}): use it, or stop it first"
            ) from None
        lock.truncate(0)
        lock.write(f"process {os.getpid()}, port {port}")
        lock.flush()
        yield


def _require_free(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # the server sets this option too
        try:
            probe.bind((HOST, port))
        except OSError as error:
            raise ToolError(
                f"Port {port} is not free ({error.strerror}): use another port, as in `make run PORT={port + 1}`"
            ) from None


def _prepare_database(url: str) -> None:
    from chalicelib.database.connection import DatabaseUnavailable  # noqa: PLC0415
    from tools.local.bootstrap import bootstrap  # noqa: PLC0415

    try:
        bootstrap(url)
    except DatabaseUnavailable as error:
        raise ToolError(
            f"The database at DATABASE_URL does not answer ({error}): correct the address, or unset DATABASE_URL to "
            "use the embedded database"
        ) from None


def _snapshot() -> Snapshot:
    """Return the watched files with their times and sizes, which show changes."""
    found: Snapshot = {}
    for name in WATCHED:
        path = ROOT / name
        with contextlib.suppress(FileNotFoundError):  # a file was deleted meanwhile: the next snapshot shows this
            for file in path.rglob("*") if path.is_dir() else [path]:
                if file.is_file() and "__pycache__" not in file.parts and not file.name.startswith("."):
                    status = file.stat()
                    found[file] = (status.st_mtime_ns, status.st_size)
    return found


def _changed(seen: Snapshot) -> list[str]:
    now = _snapshot()
    return sorted(str(file.relative_to(ROOT)) for file in seen.keys() | now.keys() if seen.get(file) != now.get(file))


def _settled() -> Snapshot:
    """Wait until no file changes, and return a snapshot. A switch of branches changes many files in turn."""
    last: Snapshot = {}
    while (now := _snapshot()) != last:
        last = now
        time.sleep(0.1)
    return now


def _what_now(changed: list[str]) -> str:
    more = f" and {len(changed) - 1} more" if len(changed) > 1 else ""
    line = f"{changed[0]}{more} changed: starting the server again"
    if any(name.startswith("requirements") for name in changed):
        line += " (new packages come with the next `make run`)"
    return line
