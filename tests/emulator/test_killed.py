"""If make, pytest or their process group is killed, no process is left. Terraform's state is unlocked."""

import contextlib
import os
import shutil
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.support.processes import Started, started
from tools.aws.account import FOLDERS
from tools.aws.terraform import missing
from tools.lifeline import MARK

pytestmark = pytest.mark.skipif(missing() is not None, reason=f"infrastructure: {missing()}")

START_SECONDS = 120
PLUGIN = "terraform-provider-aws"
LOCKED = ".*.lock.info"
PLANNING, APPLYING = "Refreshing state...", "Creating..."


@contextlib.contextmanager
def make(log: Path, *arguments: str) -> Iterator[Started]:
    """Run `make` during the `with` block, and write its output to `log`."""
    others = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}
    command = ["make", "-o", "venv", f"python={sys.executable}", *arguments]
    with started(log, command, others) as made:
        yield made


def kill(made: Started, victim: str, how: signal.Signals) -> None:
    match victim:
        case "make":
            made.process.send_signal(how)
        case "pytest":
            [controller] = psutil.Process(made.process.pid).children()
            controller.send_signal(how)
        case "process group":
            made.signal_group(how)


def slow(*case: object) -> Any:
    """Return a case that only `make test-all` runs."""
    return pytest.param(*case, marks=pytest.mark.slow)


def seldom(*case: object) -> Any:
    """Return a case that only `make nightly` runs."""
    return pytest.param(*case, marks=pytest.mark.nightly)


def name(value: object) -> str:
    return value.name if isinstance(value, signal.Signals) else str(value)


@pytest.fixture
def account(emulated: dict[str, str]) -> Iterator[tuple[str, Path]]:
    """The port of an emulated account, and the folder in which `make account` runs Terraform for it."""
    port = emulated["AWS_ENDPOINT_URL"].rpartition(":")[2]
    folder = FOLDERS / f"testing-emulated-{port}"
    yield port, folder
    shutil.rmtree(folder)


@pytest.mark.parametrize(
    ("victim", "how", "when"),
    [
        slow("make", signal.SIGKILL, APPLYING),
        seldom("process group", signal.SIGINT, PLANNING),
        seldom("make", signal.SIGTERM, APPLYING),
        slow("process group", signal.SIGINT, APPLYING),
        seldom("process group", signal.SIGKILL, APPLYING),
        seldom("process group", signal.SIGTERM, APPLYING),
    ],
    ids=name,
)
def test_terraform_ends_and_unlocks_the_state(
    account: tuple[str, Path], tmp_path: Path, victim: str, how: signal.Signals, when: str
) -> None:
    port, folder = account
    with make(tmp_path / "log", "account", f"EMULATED={port}") as made:
        made.says(when, START_SECONDS)
        assert PLUGIN in made.programs()
        assert list(folder.glob(LOCKED))

        kill(made, victim, how)
        made.ends()

    assert list(folder.glob(LOCKED)) == []
    assert "Gracefully shutting down" in made.said()


@pytest.mark.parametrize(
    ("victim", "how"),
    [
        seldom("pytest", signal.SIGKILL),
        seldom("pytest", signal.SIGTERM),
        slow("make", signal.SIGKILL),
        seldom("make", signal.SIGTERM),
        seldom("process group", signal.SIGKILL),
        slow("process group", signal.SIGINT),
    ],
    ids=name,
)
def test_all_processes_of_the_tests_end_and_their_folder_is_deleted(
    tmp_path: Path, victim: str, how: signal.Signals
) -> None:
    # These tests start Terraform, an emulated account and PostgreSQL.
    tests = "tests/emulator/test_first_deployment.py tests/service/me/test_me.py"
    makefile = tmp_path / "Makefile"
    # In its own folder, pytest does not delete the folders of earlier runs before it ends.
    options = f"-m '' -n 2 --dist loadfile --basetemp {tmp_path / 'its'}"
    makefile.write_text(f"some-tests:\n\t@$(python) -m pytest {options} {tests}\n")
    with make(tmp_path / "log", "-f", "Makefile", "-f", str(makefile), "some-tests") as made:
        made.wait(lambda: PLUGIN in made.programs() and "postgres" in made.programs(), START_SECONDS)
        [server, *_] = [each for each in made.running() if each.name() == "postgres"]
        folder = Path(server.environ()[MARK])
        assert folder.is_dir()

        kill(made, victim, how)
        made.ends()

    assert not folder.exists()
