"""When a process ends in any way, all processes that it started end too."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from tests.support.processes import Started, started
from tools import lifeline

Caller = Callable[..., AbstractContextManager[Started]]

CLEANS_UP = "trap 'echo cleaned up; exit' INT; echo up; while :; do sleep 0.01; done"
SLOWLY_CLEANS_UP = CLEANS_UP.replace("echo cleaned up", "echo cleaning up; sleep 0.5; echo cleaned up")
STUBBORN = "trap 'echo not now' INT; echo up; while :; do sleep 0.01; done"


@pytest.fixture
def caller(tmp_path: Path) -> Caller:
    """`caller(program)` starts a process that runs this Python program."""

    def start(program: str, **environ: str) -> AbstractContextManager[Started]:
        command = [sys.executable, "-c", f"import os, signal, subprocess\nfrom tools import lifeline\n{program}"]
        return started(tmp_path / "log", command, {**os.environ, **environ})

    return start


def keeping(command: str, grace_seconds: float) -> str:
    return f"lifeline.run(['sh', '-c', {command!r}], grace_seconds={grace_seconds})"


def test_ctrl_c_waits_until_a_command_has_cleaned_up(caller: Caller) -> None:
    with caller(keeping(CLEANS_UP, grace_seconds=600)) as made:
        made.says("up")
        made.signal_group(signal.SIGINT)

        made.says("up\ncleaned up\n")
        made.ends()


@pytest.mark.parametrize("first_line", ["", "lifeline.clean_up_at_signals()\n"])
def test_a_second_ctrl_c_kills_the_command(caller: Caller, first_line: str) -> None:
    with caller(first_line + keeping(STUBBORN, grace_seconds=600)) as made:
        made.says("up")
        made.signal_group(signal.SIGINT)
        made.says("up\nnot now\n")
        made.signal_group(signal.SIGINT)

        made.ends()


@pytest.mark.parametrize("first", [signal.SIGINT, signal.SIGTERM])
def test_sigterm_does_not_interrupt_the_cleanup(caller: Caller, first: signal.Signals) -> None:
    with caller(f"lifeline.clean_up_at_signals()\n{keeping(SLOWLY_CLEANS_UP, grace_seconds=600)}") as made:
        made.says("up")
        made.signal_group(first)
        made.says("up\ncleaning up\n")
        made.signal_group(signal.SIGTERM)

        made.says("up\ncleaning up\ncleaned up\n")
        made.ends()


def test_a_command_may_clean_up_after_its_killed_caller(caller: Caller) -> None:
    with caller(keeping(CLEANS_UP, grace_seconds=600)) as made:
        made.says("up")
        made.signal_group(signal.SIGKILL)

        made.says("up\ncleaned up\n")
        made.ends()


def test_a_command_that_does_not_end_is_killed(caller: Caller) -> None:
    with caller(keeping(STUBBORN, grace_seconds=0.2)) as made:
        made.says("up")
        made.process.kill()

        made.ends()


def test_a_command_that_takes_too_long_is_killed_with_its_children(caller: Caller) -> None:
    program = """
try:
    lifeline.run(["sh", "-c", "sleep 600 & sleep 600"], timeout=0.5, capture_output=True)
except subprocess.TimeoutExpired as error:
    print(error)
"""
    with caller(program) as made:
        made.says("'sleep 600 & sleep 600']' timed out")

        made.ends()


def test_the_result_is_the_commands() -> None:
    done = lifeline.run(["sh", "-c", "cat; echo wrong >&2; exit 3"], input="right", capture_output=True)

    assert (done.returncode, done.stdout, done.stderr) == (3, "right", "wrong\n")


def test_commands_of_other_threads_can_be_interrupted(caller: Caller) -> None:
    program = f"""
from concurrent.futures import ThreadPoolExecutor
with ThreadPoolExecutor() as pool:
    waiting = pool.submit(lifeline.run, ["sh", "-c", {CLEANS_UP!r}], grace_seconds=600)
    try:
        waiting.result()
    except KeyboardInterrupt:
        lifeline.interrupt()
"""
    with caller(program) as made:
        made.says("up")
        made.signal_group(signal.SIGINT)

        made.says("up\ncleaned up\n")
        made.ends()


def test_a_temporary_folder_is_deleted_with_the_processes_that_use_it(caller: Caller, tmp_path: Path) -> None:
    program = f"""
from pathlib import Path
with lifeline.temporary_folder("killed-", Path({str(tmp_path)!r})) as folder:
    environ = {{**os.environ, lifeline.MARK: str(folder)}}
    subprocess.Popen(["sleep", "600"], env=environ, start_new_session=True)
    print(folder, flush=True)
    signal.pause()
"""
    with caller(program) as made:
        made.says("\n")
        folder = Path(made.said().strip())
        assert folder.is_dir()
        assert "sleep" in made.programs()
        made.signal_group(signal.SIGKILL)

        made.ends()
        assert not folder.exists()


def test_a_process_ends_if_its_make_is_gone_from_the_start(caller: Caller) -> None:
    make = subprocess.Popen(["true"])
    make.wait()

    with caller("lifeline.end_with_make()\nsignal.pause()", MAKE_PID=str(make.pid)) as made:
        made.ends()

        assert made.process.returncode == -signal.SIGTERM
