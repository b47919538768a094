"""`make database` starts the embedded PostgreSQL, even after a crash. `make reset` deletes the data."""

import os
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import psutil
import psycopg2
import pytest

from chalicelib.database.roles import APP, MIGRATOR
from tests.support.checkout import Checkout, free_port
from tests.support.postgres import SUPERUSER, as_login
from tests.support.processes import started
from tools.local import postgres


def start(checkout: Checkout) -> str:
    started = checkout.call("local", "database-start")
    assert started.returncode == 0, started.stderr
    assert started.stderr == ""
    return (checkout.folder / ".local" / "database-url").read_text().strip()


def data(checkout: Checkout) -> Path:
    return (checkout.folder / ".local" / "postgres").resolve() / "data"


def is_migrated(url: str) -> bool:
    return rows(url, "SELECT count(*) > 0 FROM schema_migrations") == [(True,)]


def rows(url: str, statement: str) -> list[tuple[Any, ...]]:
    with closing(psycopg2.connect(url)) as connection, connection, connection.cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetchall() if cursor.description else []


@pytest.mark.slow
def test_the_database_starts_after_a_stop_and_after_a_crash(checkout: Checkout) -> None:
    url = start(checkout)
    assert is_migrated(url)
    assert start(checkout) == url

    assert rows(url, "SELECT session_user") == [(APP,)]

    # The database's files lie outside the checkout, because Chalice watches the checkout for changes.
    assert not data(checkout).is_relative_to(checkout.folder)

    assert checkout.call("local", "database-stop").returncode == 0
    assert checkout.processes() == []

    # After a power failure, the file postmaster.pid still exists. Another process may now have the pid in this file.
    stale = f"{os.getpid()}\n{data(checkout)}\n1700000000\n5432\n{data(checkout)}\n\n  1  2\nready   \n"
    (data(checkout) / "postmaster.pid").write_text(stale)
    assert is_migrated(start(checkout))

    assert checkout.call("local", "database-reset").returncode == 0
    assert checkout.processes() == []
    assert not (checkout.folder / ".local" / "postgres").is_symlink()


def test_a_database_without_the_roles_is_refused_with_a_remedy(checkout: Checkout) -> None:
    superuser = as_login(start(checkout), SUPERUSER)
    rows(superuser, f"REASSIGN OWNED BY {MIGRATOR} TO {SUPERUSER}")

    for refused in (
        checkout.call("local", "database-start"),
        checkout.call("local", "run", PORT=str(free_port())),
    ):
        assert refused.returncode == 1
        assert "make reset" in refused.stderr
        assert "Traceback" not in refused.stderr


@pytest.fixture
def files(checkout: Checkout, tmp_path: Path) -> Path:
    """The folder of a server that never ran. The checkout has a link to this folder."""
    home = tmp_path / "home"
    (home / "data").mkdir(parents=True)
    (home / "checkout").write_text(str(checkout.folder))
    (checkout.folder / ".local").mkdir()
    (checkout.folder / ".local" / "postgres").symlink_to(home)
    return home


@pytest.mark.slow
def test_data_of_another_major_version_is_refused_with_a_remedy(checkout: Checkout, files: Path) -> None:
    (files / "data" / "PG_VERSION").write_text("15\n")
    (files / "initialised").touch()

    refused = checkout.call("local", "database-start")

    assert refused.returncode == 1
    assert "make reset" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_a_copied_checkout_does_not_delete_the_data_of_its_original(
    checkout: Checkout, files: Path, tmp_path: Path
) -> None:
    original = tmp_path / "original"
    (original / ".local").mkdir(parents=True)
    (original / ".local" / "postgres").symlink_to(files)
    (files / "checkout").write_text(str(original))

    assert checkout.call("local", "database-reset").returncode == 0

    assert (files / "data").is_dir()
    assert not (checkout.folder / ".local" / "postgres").is_symlink()


def test_a_throwaway_server_leaves_nothing_behind() -> None:
    with postgres.throwaway() as url:
        [(data,)] = rows(as_login(url, SUPERUSER), "SHOW data_directory")
        server = int((Path(data) / "postmaster.pid").read_text().split()[0])

    assert not psutil.pid_exists(server) or psutil.Process(server).status() == psutil.STATUS_ZOMBIE
    assert not Path(data).parent.exists()


def test_a_throwaway_server_ends_with_its_killed_owner(tmp_path: Path) -> None:
    program = """
import signal
from tools.local import postgres
with postgres.throwaway() as url:
    print(url, flush=True)
    signal.pause()
"""
    with started(tmp_path / "log", [sys.executable, "-c", program]) as made:
        made.says("\n")
        [(data,)] = rows(as_login(made.said().strip(), SUPERUSER), "SHOW data_directory")
        made.process.kill()

        made.ends()
    assert not Path(data).parent.exists()
