"""A PostgreSQL server that a test may stop, kill and freeze."""

import signal
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil
import psycopg2
from psycopg2.extensions import make_dsn, parse_dsn

from chalicelib.database.roles import APP, on_database
from tests.support.postgres import TEMPLATE, as_login, make_template, server

# fsync and the other settings for recovery stay on. So this server recovers from a crash as a real server does.
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
        make_template(self.address(TEMPLATE))

    def start(self) -> None:
        """Start the server, with crash recovery if needed. Do nothing if the server already runs."""
        server(self._data).ensure_postgres_running()

    def stop(self) -> None:
        """Stop the server in an orderly way."""
        server(self._data).stop()

    @contextmanager
    def as_reader(self) -> Iterator[None]:
        """Run the server as a standby during the block, like a reader of a cluster. A standby only reads."""
        standby = self._data / "standby.signal"
        self.stop()
        standby.touch()
        self.start()
        try:
            yield
        finally:
            self.stop()
            standby.unlink()
            self.start()

    def kill(self) -> None:
        """Kill all processes of the server at once, as a power failure does."""
        processes = self._processes()
        self._signal(signal.SIGKILL)
        while any(map(_lives, processes)):
            pass
        # With these files, a new server would refuse to start until init has reaped the killed server.
        for file in (self._data / "postmaster.pid", *self._data.glob(".s.PGSQL.*")):
            file.unlink()

    def freeze(self) -> None:
        """Suspend all processes of the server. The processes keep their connections, but answer nothing."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self._signal(signal.SIGCONT)

    def new_database(self) -> str:
        """Make an empty database with the expected schema; return the database's address, with the service's login."""
        self._databases += 1
        name = f"faults_{self._databases}"
        self.sql(f"CREATE DATABASE {name} TEMPLATE {TEMPLATE}")
        for statement in on_database(name):
            self.sql(statement)
        return as_login(self.address(name), APP)

    def address(self, database: str) -> str:
        """Return the address of a database, with the superuser's login."""
        return make_dsn(server(self._data).get_uri(), dbname=database)

    def socket(self) -> str:
        """Return the path of the server's socket."""
        return "{host}/.s.PGSQL.{port}".format(**{"port": 5432, **parse_dsn(self.address("postgres"))})

    def sql(self, statement: str, database: str = "postgres") -> list[tuple[Any, ...]]:
        with closing(psycopg2.connect(self.address(database))) as connection:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute(statement)
                return cursor.fetchall() if cursor.description else []

    def _signal(self, number: signal.Signals) -> None:
        for process in self._processes():
            with suppress(psutil.NoSuchProcess):  # the process may already have ended
                process.send_signal(number)

    def _processes(self) -> list[psutil.Process]:
        # The postmaster is first in the list, because it restarts other processes that end.
        postmaster = psutil.Process(server(self._data).get_pid())
        return [postmaster, *postmaster.children(recursive=True)]


def _lives(process: psutil.Process) -> bool:
    # `is_running` is also true for a process that has ended, until init reaps the process.
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
