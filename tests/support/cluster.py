"""A PostgreSQL that a test may stop, kill and freeze."""

import signal
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import psutil
import psycopg2
from psycopg2.extensions import make_dsn

from chalicelib.database.migrate import migrate
from tests.support.postgres import TEMPLATE, server

# It survives what a real one survives: fsync stays on, and so does all that recovery needs.
_CONFIGURATION = """
max_connections = 20
superuser_reserved_connections = 0
shared_buffers = 16MB
autovacuum = off
"""


class Cluster:
    def __init__(self, folder: Path) -> None:
        self._data = folder / "data"
        self._databases = 0
        instance = server(self._data)
        instance.stop()
        with (self._data / "postgresql.conf").open("a") as configuration:
            configuration.write(_CONFIGURATION)
        self.start()
        self.sql(f"CREATE DATABASE {TEMPLATE} TEMPLATE template0")
        migrate(self._address(TEMPLATE))

    def start(self) -> None:
        """Start it, with the recovery that a crash takes. Does nothing while it runs."""
        server(self._data).ensure_postgres_running()

    def stop(self) -> None:
        """Let it end in an orderly way."""
        server(self._data).stop()

    def kill(self) -> None:
        """Let all of it end at once, as when the machine's power fails."""
        processes = self._processes()
        self._signal(signal.SIGKILL)
        while any(map(_lives, processes)):
            pass
        # Until init has noticed its end, the next postmaster would take the old one for alive.
        for file in (self._data / "postmaster.pid", *self._data.glob(".s.PGSQL.*")):
            file.unlink()

    def freeze(self) -> None:
        """From here on it holds its connections, and answers nothing."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self._signal(signal.SIGCONT)

    def new_database(self) -> str:
        """The address of a database of the expected schema, empty."""
        self._databases += 1
        name = f"faults_{self._databases}"
        self.sql(f"CREATE DATABASE {name} TEMPLATE {TEMPLATE}")
        return self._address(name)

    def sql(self, statement: str) -> list[tuple[Any, ...]]:
        with closing(psycopg2.connect(self._address("postgres"))) as connection:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute(statement)
                return cursor.fetchall() if cursor.description else []

    def _address(self, database: str) -> str:
        return make_dsn(server(self._data).get_uri(), dbname=database)

    def _signal(self, number: signal.Signals) -> None:
        for process in self._processes():
            with suppress(psutil.NoSuchProcess):  # it has just served its client to the end
                process.send_signal(number)

    def _processes(self) -> list[psutil.Process]:
        # The postmaster first, who would otherwise start others in the place of those that ended.
        postmaster = psutil.Process(server(self._data).get_pid())
        return [postmaster, *postmaster.children(recursive=True)]


def _lives(process: psutil.Process) -> bool:
    # psutil, too, takes one that ended for alive until init has noticed.
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
