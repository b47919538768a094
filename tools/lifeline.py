"""Ends what this process has started once it is gone, however it went: `kill -9` runs no `finally`.

Beside whatever could outlast us runs this file as a process of its own: the keeper. It reads a pipe that only we have
open for writing, and end-of-file says that we are done, or gone. It is in a session of its own, so that a signal to our
process group, as a terminal's Ctrl-C, does not reach it.
"""

import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO

# The variable that marks the processes of a temporary folder, by its path.
MARK = "LIFELINE"

GRACE_SECONDS = 5
_POLL_SECONDS = 0.5

_lifelines: set[BinaryIO] = set()


@contextmanager
def kept(
    command: Sequence[str], *, grace_seconds: float = GRACE_SECONDS, **options: Any
) -> Iterator["subprocess.Popen[str]"]:
    """Run a command until the end of the block, or of this process: then it and its children get SIGINT.

    SIGKILL follows after `grace_seconds`, or when Ctrl-C is pressed again. `options` are those of Popen.
    """
    end, ours = os.pipe()
    keep = [sys.executable, "-I", "-S", __file__, "keep", str(end), str(grace_seconds), *command]
    with os.fdopen(ours, "wb") as lifeline:
        with os.fdopen(end, "rb"):
            process = subprocess.Popen(
                keep, pass_fds=[end], start_new_session=True, text=True, **{"stdin": subprocess.DEVNULL, **options}
            )
        with process:
            _lifelines.add(lifeline)
            try:
                yield process
            finally:
                try:
                    _lifelines.remove(lifeline)
                    lifeline.close()  # the command hears of it at once, and Ctrl-C again may come before the next line
                    process.communicate()  # what it still says has to be read, or it would wait with it
                except BaseException:
                    kill(process)
                    raise


def run(
    command: Sequence[str],
    *,
    grace_seconds: float = GRACE_SECONDS,
    timeout: float | None = None,
    input: str | None = None,  # noqa: A002 (as in subprocess)
    capture_output: bool = False,
    **options: Any,
) -> "subprocess.CompletedProcess[str]":
    """Do as `subprocess.run`, for what must not outlast us: Ctrl-C waits until the command has cleaned up."""
    if capture_output:
        options |= {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    if input is not None:
        options["stdin"] = subprocess.PIPE
    with kept(command, grace_seconds=grace_seconds, **options) as process:
        try:
            stdout, stderr = process.communicate(input, timeout)
        except subprocess.TimeoutExpired as error:
            kill(process)
            error.cmd = command
            raise
    return subprocess.CompletedProcess(command, process.returncode, stdout, stderr)


def interrupt() -> None:
    """End all that is `kept`, in whatever thread: Ctrl-C reaches the main one alone."""
    for lifeline in tuple(_lifelines):
        lifeline.close()


def kill(process: "subprocess.Popen[str]") -> None:
    """Kill a command that is `kept`, with its children."""
    process.send_signal(signal.SIGUSR1)


@contextmanager
def temporary_folder(prefix: str, parent: Path | None = None) -> Iterator[Path]:
    """Make a folder, and delete it at the end of the block, or of this process.

    Whatever was started with the variable MARK naming it, or by such a process, is killed before.
    """
    folder = (parent or Path(tempfile.gettempdir())) / f"{prefix}{secrets.token_hex(4)}"
    # What ends another folder's processes must not end this keeper: it has work to do then.
    environ = {name: value for name, value in os.environ.items() if name != MARK}
    keep = [sys.executable, "-I", __file__, "clear", str(folder)]
    with subprocess.Popen(keep, stdin=subprocess.PIPE, start_new_session=True, env=environ):
        folder.mkdir()
        folder.chmod(0o755)  # a database's server may run as a system user
        yield folder
        # Leaving this block closes the pipe and waits.


def end_with_make() -> None:
    """Send this process SIGTERM once the `make` that started it is gone. Without `make` it does nothing."""
    if make := os.environ.pop("MAKE_PID", None):
        threading.Thread(target=_end_with, args=(int(make), os.getppid()), daemon=True).start()


def _end_with(make: int, parent: int) -> None:
    # Its number alone would not do: whoever started `make` may not have noticed yet that it ended.
    while os.getppid() == parent and _exists(make):
        time.sleep(_POLL_SECONDS)
    os.kill(os.getpid(), signal.SIGTERM)


def _exists(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True


def _keep(end: int, grace_seconds: float, command: Sequence[str]) -> int:
    # Where everything is told to end, we end last. A handler, because the command would inherit SIG_IGN.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: None)
    signal.signal(signal.SIGUSR1, lambda *_: sys.exit(128 + signal.SIGKILL))
    process = subprocess.Popen(command, process_group=0)
    try:
        threading.Thread(target=_interrupt_at, args=(end, process.pid, grace_seconds), daemon=True).start()
        code = process.wait()
        return code if code >= 0 else 128 - code
    finally:
        _signal(process.pid, signal.SIGKILL)


def _interrupt_at(end: int, group: int, grace_seconds: float) -> None:
    while os.read(end, 1):
        pass
    _signal(group, signal.SIGINT)
    time.sleep(grace_seconds)
    _signal(group, signal.SIGKILL)


def _signal(group: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError, PermissionError):  # macOS refuses where all of a group has ended
        os.killpg(group, number)


def _clear(folder: Path) -> None:
    import psutil  # noqa: PLC0415 (here alone: the rest needs the standard library and no more)

    def marked() -> list[psutil.Process]:
        found = []
        for process in psutil.process_iter():
            with suppress(psutil.Error):
                if process.environ().get(MARK) == str(folder):
                    found.append(process)
        return found

    sys.stdin.read()
    began = time.monotonic()
    while (processes := marked()) and (waited := time.monotonic() - began) < 2 * GRACE_SECONDS:
        for process in processes:
            with suppress(psutil.Error):
                # SIGQUIT is PostgreSQL's immediate shutdown. Killed, it would leave shared memory behind.
                gently = process.name() == "postgres" and waited < GRACE_SECONDS
                process.send_signal(signal.SIGQUIT if gently else signal.SIGKILL)
        time.sleep(0.05)
    shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    what, *arguments = sys.argv[1:]
    if what == "keep":
        sys.exit(_keep(int(arguments[0]), float(arguments[1]), arguments[2:]))
    _clear(Path(arguments[0]))
