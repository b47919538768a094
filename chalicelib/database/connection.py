"""Connections to PostgreSQL, kept between requests, and the few ways in which a request uses one.

Reads run in autocommit. In a transaction, `BEGIN` and locks wait in a queue and travel in one message
with the first statement; what is only written down (audit events, the stored answer of an idempotency
key) travels with `COMMIT`. So opening a deployment costs few round trips, and still reads top to bottom.

A server that hangs answers no timeout of its own, and libpq waits for it forever. So connections are asynchronous
and it is we who wait, until the request's deadline.
"""

import select
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import psycopg2
import psycopg2.errors
from psycopg2.extensions import POLL_OK, POLL_READ, TRANSACTION_STATUS_IDLE, make_dsn
from psycopg2.extensions import connection as Connection  # noqa: N812 (the class is lower case there)

from chalicelib.database import iam
from chalicelib.database.roles import APP
from chalicelib.settings import Aurora, UnusableSettings, settings

T = TypeVar("T")
Rows = tuple[list[str], list[tuple[Any, ...]]]

# How long a request may wait for the database: for one statement, and in all. The function's own timeout
# (lambda_timeout in .chalice/config.json) is longer, and API Gateway's 29 s are longer still.
STATEMENT_SECONDS = 10
REQUEST_SECONDS = 15
CONNECT_SECONDS = 5

# Who signs the certificates of Amazon RDS, in all regions, as AWS publishes them: "Using SSL/TLS to encrypt a
# connection to a DB cluster".
AUTHORITIES = Path(__file__).parent / "rds-ca.pem"


def _parameters(**also: str) -> dict[str, Any]:
    """What every connection is made with, and the settings `also`."""
    options = {
        "timezone": "UTC",
        "statement_timeout": f"{STATEMENT_SECONDS}s",
        "idle_in_transaction_session_timeout": "30s",
        "client_connection_check_interval": "1s",  # what we have given up waiting for, the server gives up too
        **also,
    }
    return {
        "application_name": "slipway",
        "options": " ".join(f"-c {name}={value}" for name, value in options.items()),
        # After a failover the name of the cluster can lead to the old writer for some seconds.
        "target_session_attrs": "read-write",
        # A connection whose other end is gone without a word, as it can be when the function was frozen, is found
        # dead in a fifth of the request's time.
        "tcp_user_timeout": 3000,
        "keepalives_idle": 5,
    }


class DatabaseUnavailable(Exception):
    """PostgreSQL can't be reached, or can't answer now. Trying again later is right."""


class ConstraintViolated(Exception):
    """A constraint of the schema refused a write. `name` is the constraint's."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


class UnusableValue(Exception):
    """A value that PostgreSQL can't hold, though it passed validation."""


class Database:
    """One request's use of a connection."""

    def __init__(self, pool: "Pool") -> None:
        self._pool = pool
        self._deadline = time.monotonic() + REQUEST_SECONDS
        self._connection: Connection | None = None
        self._queue: list[str] = []
        self._in_transaction = False
        self._sent_in_transaction = False

    def select(self, row_type: Callable[..., T], sql: str, **parameters: Any) -> list[T]:
        """The rows of one statement, each as `row_type(**columns)`."""
        names, rows = self._run(sql, parameters)
        return [row_type(**dict(zip(names, row, strict=True))) for row in rows]

    def select_one(self, row_type: Callable[..., T], sql: str, **parameters: Any) -> T | None:
        """The only row of a statement, or None."""
        rows = self.select(row_type, sql, **parameters)
        return rows[0] if rows else None

    def row(self, sql: str, **parameters: Any) -> dict[str, Any] | None:
        """The only row of a statement, by column, or None."""
        return self.select_one(dict, sql, **parameters)

    def value(self, sql: str, **parameters: Any) -> Any:
        """The first column of the only row of a statement, or None where there is no row."""
        _, rows = self._run(sql, parameters)
        return rows[0][0] if rows else None

    def execute(self, sql: str, **parameters: Any) -> int:
        """Run a statement for its effect; the number of rows that it touched."""
        self._run(sql, parameters)
        return self._rowcount

    def queue(self, sql: str, **parameters: Any) -> None:
        """Write in the same message as the transaction's next statement, or as its COMMIT."""
        assert self._in_transaction, "only a transaction has something to wait for"
        self._queue.append(self._compose(sql, parameters))

    def lock(self, name: str) -> None:
        """Wait for a lock of this name until the transaction ends.

        A statement of its own: one that took the lock and read in one go would read from before the lock.
        """
        self.queue("SELECT pg_advisory_xact_lock(hashtextextended(%(name)s, 0))", name=name)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Everything inside happens, or nothing."""
        assert not self._in_transaction, "transactions do not nest"
        self._in_transaction, self._sent_in_transaction = True, False
        self._queue.append("BEGIN")
        try:
            yield
            if self._sent_in_transaction or len(self._queue) > 1:
                self._send([*self._queue, "COMMIT"])
        except BaseException:
            self._roll_back()
            raise
        finally:
            self._queue.clear()
            self._in_transaction = False

    def close(self) -> None:
        """Give the connection back for the next request."""
        if self._connection is not None:
            self._pool.give_back(self._connection)
            self._connection = None

    def _run(self, sql: str, parameters: dict[str, Any]) -> Rows:
        """One message to PostgreSQL: what was queued, then the statement; the names and rows that it gives."""
        return self._send([*self._queue, self._compose(sql, parameters)])

    def _send(self, statements: list[str]) -> Rows:
        # A connection may have died since it was last used, or lead to what is no writer any more: while nothing
        # of this transaction was sent, a new one is as good. Later, the transaction is lost and the caller has
        # to know; and whether a COMMIT was carried out, nobody can tell.
        new_is_as_good = not self._sent_in_transaction and statements[-1] != "COMMIT"
        message = ";\n".join(statements)
        try:
            return self._exchange(message)
        except DatabaseUnavailable:
            if not new_is_as_good or not self._is_lost() or time.monotonic() >= self._deadline:
                raise
        self._discard()
        return self._exchange(message)

    def _exchange(self, message: str) -> Rows:
        connection = self._connect()
        self._sent_in_transaction = self._in_transaction
        with translated_errors(), connection.cursor() as cursor:
            try:
                cursor.execute(message)
                wait(connection, self._deadline)
            except psycopg2.errors.ReadOnlySqlTransaction:
                connection.close()  # what it leads to is no writer any more
                raise
            self._queue.clear()
            self._rowcount = cursor.rowcount
            if cursor.description is None:
                return [], []
            return [column.name for column in cursor.description], cursor.fetchall()

    def _compose(self, sql: str, parameters: dict[str, Any]) -> str:
        # psycopg2 composes messages on the client anyway: doing it early lets several travel as one.
        if not parameters:
            return sql.strip()
        connection = self._connect()
        with translated_errors(), connection.cursor() as cursor:
            return cursor.mogrify(sql, parameters).decode().strip()

    def _connect(self) -> Connection:
        if self._connection is None:
            self._connection = self._pool.take(self._deadline)
        return self._connection

    def _is_lost(self) -> bool:
        return self._connection is not None and self._connection.closed != 0

    def _discard(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None
        self._pool.discard_idle()

    def _roll_back(self) -> None:
        if self._connection is None or not self._sent_in_transaction:
            return
        try:
            with self._connection.cursor() as cursor:
                cursor.execute("ROLLBACK")
                wait(self._connection, self._deadline)
        except (psycopg2.Error, DatabaseUnavailable):
            self._discard()


class Pool:
    """Idle connections. A function has one; the local server, which is threaded, a few."""

    def __init__(self) -> None:
        self._idle: deque[Connection] = deque()

    def take(self, deadline: float) -> Connection:
        """An idle connection that is not known to be closed, else a new one."""
        while (connection := self._pop()) is not None:
            if not connection.closed:
                return connection
        return _open(address(settings().database), min(deadline, time.monotonic() + CONNECT_SECONDS))

    def give_back(self, connection: Connection) -> None:
        """Keep a connection for the next request, unless it is closed or not done with this one."""
        if not connection.closed and connection.info.transaction_status == TRANSACTION_STATUS_IDLE:
            self._idle.append(connection)
        else:
            connection.close()

    def discard_idle(self) -> None:
        """Close every idle connection: where one has died, its siblings have."""
        while (connection := self._pop()) is not None:
            connection.close()

    def _pop(self) -> Connection | None:
        # Another thread may take the last one between a look and a pop.
        try:
            return self._idle.pop()
        except IndexError:
            return None


def wait(connection: Connection, deadline: float) -> None:
    """Wait until an asynchronous connection has done what it was asked to.

    `deadline` is a moment of `time.monotonic`. Raises what PostgreSQL answers, or DatabaseUnavailable when it has not
    answered by then; the connection is closed in that case, as the answer might come yet.
    """
    while (state := connection.poll()) != POLL_OK:
        poll = select.poll()
        poll.register(connection.fileno(), select.POLLIN if state == POLL_READ else select.POLLOUT)
        seconds = deadline - time.monotonic()
        if seconds <= 0 or not poll.poll(seconds * 1000):
            connection.close()
            raise DatabaseUnavailable("PostgreSQL has not answered in time")


def address(database: Aurora | str | None) -> str:
    """Where a database is and how to log in, as libpq takes it: good for the next quarter of an hour."""
    if database is None:
        raise UnusableSettings("SLIPWAY_DATABASE_HOST is not set: it is the host of the stage's cluster")
    if isinstance(database, str):
        return database
    password = iam.password(database.host, database.port, database.user, database.region, iam.credentials())
    return make_dsn(
        host=database.host,
        port=database.port,
        dbname=database.name,
        user=database.user,
        password=password,
        sslmode="verify-full",
        sslrootcert=str(AUTHORITIES),
    )


def _open(url: str, deadline: float) -> Connection:
    """A new asynchronous connection, which is always in autocommit; raises DatabaseUnavailable.

    It acts as the service's role, whoever is logged in: see roles.py.
    """
    with translated_errors():
        connection: Connection = psycopg2.connect(url, async_=True, **_parameters(role=APP))
        wait(connection, deadline)
        return connection


def connect(url: str) -> Connection:
    """A new blocking connection in autocommit, for tools; raises DatabaseUnavailable."""
    with translated_errors():
        connection: Connection = psycopg2.connect(url, connect_timeout=CONNECT_SECONDS, **_parameters())
        connection.autocommit = True
        return connection


@contextmanager
def translated_errors() -> Iterator[None]:
    """psycopg2's errors as the few that the layers above act upon."""
    try:
        yield
    except psycopg2.IntegrityError as error:
        raise ConstraintViolated(error.diag.constraint_name or "") from error
    except (
        psycopg2.errors.UndefinedTable,
        psycopg2.errors.UndefinedColumn,
        psycopg2.errors.InsufficientPrivilege,  # what the code may do comes with the schema
    ) as error:
        raise DatabaseUnavailable(f"the schema is not the one that this code expects: {error}") from error
    except (psycopg2.OperationalError, psycopg2.InterfaceError, psycopg2.errors.ReadOnlySqlTransaction) as error:
        raise DatabaseUnavailable(str(error).strip()) from error
    except (psycopg2.DataError, UnicodeEncodeError) as error:
        raise UnusableValue(str(error).strip()) from error
    except ValueError as error:
        if "NUL" in str(error):
            raise UnusableValue("a text can't hold a NUL character") from error
        raise


_pool = Pool()


def database() -> Database:
    """The database of this stage. It connects when the first statement is sent."""
    return Database(_pool)


def forget_connections() -> None:
    """Start anew, with the settings as they are now."""
    _pool.discard_idle()
