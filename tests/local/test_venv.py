"""`tools.venv` makes the virtual environment with a suitable Python, only if needed, and deletes no other files."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.support.checkout import ROOT
from tools import venv
from tools.checkout import ToolError

Commands = list[tuple[str, ...]]
REALLY_RUN = venv._run


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The path of a virtual environment, in a checkout with a Makefile and requirements."""
    shutil.copy(ROOT / "Makefile", tmp_path)
    (tmp_path / "requirements-dev.txt").write_text("first==1 --hash=sha256:1\n")
    (tmp_path / ".local").mkdir()
    return tmp_path / ".local" / "venv"


@pytest.fixture
def commands(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Commands:
    """The recorded commands that make the virtual environment. Nothing is installed."""
    ran: Commands = []

    def run(*command: str) -> None:
        ran.append(command)
        if "venv" in command:
            (folder / "bin").mkdir(parents=True, exist_ok=True)
            (folder / "lib" / "python{}.{}".format(*sys.version_info)).mkdir(parents=True, exist_ok=True)
            (folder / "bin" / "python").unlink(missing_ok=True)
            (folder / "bin" / "python").symlink_to(sys.executable)

    monkeypatch.setattr(venv, "_run", run)
    return ran


def ensure(folder: Path) -> None:
    venv.ensure(folder, folder.parents[1] / "requirements-dev.txt")


def test_the_environment_is_made_once_and_only_from_packages_with_known_hashes(
    folder: Path, commands: Commands
) -> None:
    ensure(folder)
    ensure(folder)

    assert [command[1:3] for command in commands] == [("-m", "venv"), ("-m", "pip")]
    assert {"--require-hashes", "--no-build-isolation"} <= {*commands[1]}


def test_the_tools_that_build_packages_come_from_the_lock(folder: Path, commands: Commands) -> None:
    requirements = folder.parents[1] / "requirements-dev.txt"
    folder.mkdir()
    lock = "setuptools==84.2.1 \\\n    --hash=sha256:1 \\\n    --hash=sha256:2\n"
    requirements.write_text(
        f"setuptools-scm==1 --hash=sha256:0\nfirst==1 --hash=sha256:3\n{lock}wheel==1 --hash=sha256:4\n"
    )

    ensure(folder)

    assert (folder / "build-tools.txt").read_text() == lock
    assert [command[-1] for command in commands[1:]] == [str(folder / "build-tools.txt"), str(requirements)]
    assert {"--only-binary", ":all:", "--require-hashes"} <= {*commands[1]}


def other_requirements(folder: Path) -> None:
    (folder.parents[1] / "requirements-dev.txt").write_text("second==2 --hash=sha256:2\n")


def moved_from_elsewhere(folder: Path) -> None:
    complete = folder / "complete"
    complete.write_text(complete.read_text().replace(str(folder), "/elsewhere/.local/venv"))


def without_its_python(folder: Path) -> None:
    (folder / "bin" / "python").unlink()


def of_another_version(folder: Path) -> None:
    shutil.rmtree(folder / "lib")


def interrupted(folder: Path) -> None:
    (folder / "complete").unlink()


@pytest.mark.parametrize(
    "change", [other_requirements, moved_from_elsewhere, without_its_python, of_another_version, interrupted]
)
def test_an_incomplete_environment_is_made_again(
    folder: Path, commands: Commands, change: Callable[[Path], None]
) -> None:
    ensure(folder)
    change(folder)

    ensure(folder)

    assert len(commands) == 4


def test_a_failed_installation_is_not_marked_complete(
    folder: Path, commands: Commands, monkeypatch: pytest.MonkeyPatch
) -> None:
    ensure(folder)
    other_requirements(folder)
    monkeypatch.setattr(venv.sys, "executable", shutil.which("false"))
    monkeypatch.setattr(venv, "_run", REALLY_RUN)

    with pytest.raises(ToolError):
        ensure(folder)

    assert not (folder / "complete").exists()


def test_two_processes_at_once_make_one_environment(folder: Path, commands: Commands) -> None:
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(ensure, [folder, folder]))

    assert len(commands) == 2


def test_the_target_of_a_link_is_left_alone(folder: Path, commands: Commands, tmp_path: Path) -> None:
    theirs = tmp_path / "theirs"
    theirs.mkdir()
    (theirs / "complete").write_text("theirs")
    folder.symlink_to(theirs)

    ensure(folder)

    assert not folder.is_symlink()
    assert (folder / "complete").is_file()
    assert [path.name for path in theirs.iterdir()] == ["complete"]


def make_venv(folder: Path, path: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """Run `make venv` with only the folder `path` on the PATH. This folder gets the programs that make needs."""
    path.mkdir(exist_ok=True)
    for name in ("sh", "test", "echo", "readlink", "cat", "cmp", "awk", "getconf"):
        (path / name).symlink_to(shutil.which(name) or name)
    environ = {name: value for name, value in os.environ.items() if name != "PYTHON" and not name.startswith("MAKE")}
    return subprocess.run(
        [shutil.which("make") or "make", "venv", *arguments],
        cwd=folder.parents[1],
        env={**environ, "PATH": str(path)},
        capture_output=True,
        text=True,
        timeout=60,
    )


def program(path: Path, *lines: str) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text("\n".join(["#!/bin/sh", *lines, ""]))
    path.chmod(0o755)


MAKES = ('[ "$1" = -c ] || echo "$0 $*" >&2',)


def test_make_starts_no_python_if_there_is_nothing_to_do(folder: Path, commands: Commands, tmp_path: Path) -> None:
    ensure(folder)

    done = make_venv(folder, tmp_path / "empty")

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_make_uses_the_first_working_python(folder: Path, tmp_path: Path) -> None:
    path = tmp_path / "path"
    program(path / "python3.13", "echo pyenv: python3.13: command not found >&2", "exit 127")
    program(path / "python3.12", *MAKES)
    program(path / "python3", *MAKES)

    done = make_venv(folder, path)

    assert (done.returncode, done.stdout, done.stderr) == (0, "", f"{path}/python3.12 -m tools.venv\n")


def test_a_named_python_is_used_even_with_a_complete_environment(
    folder: Path, commands: Commands, tmp_path: Path
) -> None:
    ensure(folder)
    program(tmp_path / "path" / "python3.13", *MAKES)
    program(tmp_path / "mine", *MAKES)

    done = make_venv(folder, tmp_path / "path", f"PYTHON={tmp_path / 'mine'}")

    assert (done.returncode, done.stdout, done.stderr) == (0, "", f"{tmp_path}/mine -m tools.venv\n")


def test_without_a_suitable_python_the_error_says_what_to_install(folder: Path, tmp_path: Path) -> None:
    program(tmp_path / "path" / "python3", "exit 1")

    done = make_venv(folder, tmp_path / "path")

    assert (done.returncode, done.stdout) == (2, "")
    assert "Python 3.11, 3.12 or 3.13" in done.stderr
    assert "make PYTHON=" in done.stderr
