"""Run commands that end when the process that runs them ends, even after `kill -9`.

Each command has a keeper: a process that runs this file, and ends the command when a pipe from the caller closes.
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

# The environment variable that marks the processes of a temporary folder. Its value is the folder's path.
MARK = "LIFELINE"

GRACE_SECONDS = 5
_POLL_SECONDS = 0.5

_lifelines: set[BinaryIO] = set()


@contextmanager
def kept(
    command: Sequence[str], *, grace_seconds: float = GRACE_SECONDS, **options: Any
) -> Iterator["subprocess.Popen[str]"]:
    """Run a command until the block or this process ends. Then send SIGINT to the command and its children.

    SIGKILL follows after `grace_seconds`, or when Ctrl-C is pressed again. `options` are options of Popen.
    """
    # Only this process can write to the pipe. End-of-file tells the keeper that this process is done, or has ended.
    # Signals to this process group, such as a terminal's Ctrl-C, do not reach the keeper, which has its own session.
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
                    lifeline.close()  # end the command, even if a second Ctrl-C comes before the next line
                    process.communicate()  # read the last output: a full pipe would block the command
                except BaseException:
                    kill(process)
                    raise


def run(
    command: Sequence[str],
    *,
    grace_seconds: float = GRACE_SECONDS,
    timeout: float | None = None,
    input: str | None = None,  # noqa: A002 (subprocess uses this name)
    capture_output: bool = False,
    **options: Any,
) -> "subprocess.CompletedProcess[str]":
    """Run a command as `subprocess.run` does, and end the command when this process ends.

    After Ctrl-C, wait until the command has cleaned up.
    """
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


@contextmanager
def copied_to_stdout() -> Iterator[int]:
    """Yield a pipe that a process of its own copies to this process's output, until all writers have closed the pipe.

    The copy goes on if this process ends. If nobody reads the output any more, the process only reads.
    """
    reading, writing = os.pipe()
    command = [sys.executable, "-I", "-S", __file__, "copy"]
    with os.fdopen(writing, "wb") as pipe:
        with os.fdopen(reading, "rb") as source:
            copying = subprocess.Popen(command, stdin=source, start_new_session=True)
        with copying:
            try:
                yield pipe.fileno()
            finally:
                pipe.close()


def interrupt() -> None:
    """End every command that `kept` runs, in all threads. Ctrl-C reaches only the main thread."""
    for lifeline in tuple(_lifelines):
        lifeline.close()


def kill(process: "subprocess.Popen[str]") -> None:
    """Kill a command that `kept` runs, with its children."""
    process.send_signal(signal.SIGUSR1)


@contextmanager
def temporary_folder(prefix: str, parent: Path | None = None) -> Iterator[Path]:
    """Make a folder, and delete it when the block or this process ends.

    Before the deletion, kill every process whose environment variable LIFELINE is the folder's path. Child processes
    inherit the variable.
    """
    folder = (parent or Path(tempfile.gettempdir())) / f"{prefix}{secrets.token_hex(4)}"
    # Remove MARK from the keeper's variables. Otherwise another folder's keeper could kill this keeper too early.
    environ = {name: value for name, value in os.environ.items() if name != MARK}
    keep = [sys.executable, "-I", __file__, "clear", str(folder)]
    with subprocess.Popen(keep, stdin=subprocess.PIPE, start_new_session=True, env=environ):
        folder.mkdir()
        folder.chmod(0o755)  # a database server that runs as another user needs access
        yield folder
        # Leaving this block closes the pipe, and waits for the keeper.


def clean_up_at_signals() -> None:
    """Raise KeyboardInterrupt at SIGTERM, as at Ctrl-C, unless this process is already cleaning up.

    `make` can send a second SIGTERM to a process that has already received one. GitHub sends SIGTERM 7.5 s after
    SIGINT. Only Ctrl-C interrupts the cleanup.
    """
    cleaning_up = False

    def interrupted(number: int, _frame: object) -> None:
        nonlocal cleaning_up
        if number == signal.SIGINT or not cleaning_up:
            cleaning_up = True
            raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, interrupted)
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:  # a background job of a shell ignores SIGINT
        signal.signal(signal.SIGINT, interrupted)


def end_with_make() -> None:
    """Send this process SIGTERM when the `make` that started it ends. Do nothing without `make`."""
    if make := os.environ.pop("MAKE_PID", None):
        threading.Thread(target=_end_with, args=(int(make), os.getppid()), daemon=True).start()


def _end_with(make: int, parent: int) -> None:
    # A check of the pid is not enough: the pid exists until the parent of `make` has waited for `make`.
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
    # A signal to all processes must not end the keeper first. Use a handler, because the command would inherit SIG_IGN.
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
    with suppress(ProcessLookupError, PermissionError):  # macOS refuses a signal if the whole group has ended
        os.killpg(group, number)


def _copy() -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    while chunk := os.read(0, 65536):
        with suppress(OSError):
            while chunk:
                chunk = chunk[os.write(1, chunk) :]


def _clear(folder: Path) -> None:
    import psutil  # noqa: PLC0415 (the rest of this module needs only the standard library)

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
                # SIGQUIT makes PostgreSQL stop at once. After SIGKILL, PostgreSQL's shared memory would remain.
                gently = process.name() == "postgres" and waited < GRACE_SECONDS
                process.send_signal(signal.SIGQUIT if gently else signal.SIGKILL)
        time.sleep(0.05)
    shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    what, *arguments = sys.argv[1:]
    if what == "keep":
        sys.exit(_keep(int(arguments[0]), float(arguments[1]), arguments[2:]))
    elif what == "copy":
        _copy()
    else:
        _clear(Path(arguments[0]))
