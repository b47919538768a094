"""Run terraform-compliance many times, and import its libraries only once: a run is quicker than the imports.

A server of multiprocessing imports the libraries. Each run is a new process that forks from the server, because
terraform-compliance keeps state in global variables. The server ends when this process ends.
"""

import importlib
import io
import multiprocessing
import runpy
import signal
import sys
import tempfile
import traceback
from collections.abc import Sequence
from contextlib import redirect_stderr, redirect_stdout, suppress
from multiprocessing.connection import Connection
from pathlib import Path

from tools.checkout import ToolError

PROGRAM = Path(sys.executable).parent / "terraform-compliance"

_LIBRARIES = "tools.checks.policy.libraries"
_SECONDS = 300

_server = multiprocessing.get_context("forkserver")
_server.set_forkserver_preload([_LIBRARIES])


def run(arguments: Sequence[str], temporary: Path) -> tuple[int, str]:
    """Return the exit code and the output of terraform-compliance. It writes its cache into the folder `temporary`."""
    receiving, sending = _server.Pipe(duplex=False)
    with receiving:
        with sending:
            process = _server.Process(target=_run, args=(arguments, temporary, sending))
            process.start()
        try:
            exit_code, printed = receiving.recv()
        except EOFError:
            raise ToolError(
                f"terraform-compliance was killed, or took more than {_SECONDS} s: try again, with less load"
            ) from None
        process.join()  # terraform-compliance deletes its cache
    return exit_code, printed


def _run(arguments: Sequence[str], temporary: Path, answer: "Connection[tuple[int, str], None]") -> None:
    signal.alarm(_SECONDS)  # ends this process, even if no other process waits for it
    sys.argv = [str(PROGRAM), *arguments]
    tempfile.tempdir = str(temporary)
    exit_code = 0
    stdout, stderr = io.StringIO(newline=None), io.StringIO(newline=None)  # with \n for each \r
    with redirect_stdout(stdout), redirect_stderr(stderr):
        try:
            importlib.import_module(_LIBRARIES)
            runpy.run_path(sys.argv[0], run_name="__main__")
        except SystemExit as ended:
            exit_code = int(ended.code or 0)
        except Exception:
            traceback.print_exc()
            exit_code = 1
    with suppress(BrokenPipeError):  # the process that waited for this one was killed
        answer.send((exit_code, stdout.getvalue() + stderr.getvalue()))
