"""Connections to PostgreSQL, kept between requests, and the few ways in which a request uses one.

Reads run in autocommit. In a transaction, `BEGIN` and locks wait in a queue and travel in one message
with the first statement; what is only written down (audit events, the stored answer of an idempotency
key) travels with `COMMIT`. So opening a deployment costs few round trips, and still reads top to bottom.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import psycopg2
import psycopg2.errors
from psycopg2.extensions import connection as Connection  # noqa: N812 (the class is lower case there)

from chalicelib.settings import settings

T = TypeVar("T")
Rows = tuple[list[str], list[tuple[Any, ...]]]

STATEMENT_TIMEOUT_SECONDS = 10
CONNECT_TIMEOUT_SECONDS = 5

_OPTIONS = " ".join(
    f"-c {name}={value}"
    for name, value in {
        "timezone": "UTC",
        "statement_timeout": f"{STATEMENT_TIMEOUT_SECONDS}s",
        "lock_timeout": f"{STATEMENT_TIMEOUT_SECONDS}s",
        "idle_in_transaction_session_timeout": "30s",
    }.items()
)


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
        # A connection may have died since it was last used: while nothing of this transaction was
        # sent, a new one is as good. Later, the transaction is lost and the caller has to know.
        fresh_is_as_good = not self._sent_in_transaction
        try:
            return self._exchange(";\n".join(statements))
        except DatabaseUnavailable:
            if not fresh_is_as_good or not self._connection_is_lost():
                raise
        self._discard()
        return self._exchange(";\n".join(statements))

    def _exchange(self, message: str) -> Rows:
        connection = self._connect()
        self._sent_in_transaction = self._in_transaction
        with translated_errors(), connection.cursor() as cursor:
            cursor.execute(message)
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
            self._connection = self._pool.take()
        return self._connection

    def _connection_is_lost(self) -> bool:
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
        except psycopg2.Error:
            self._discard()


class Pool:
    """Idle connections. A function has one; the local server, which is threaded, a few."""

    def __init__(self) -> None:
        self._idle: list[Connection] = []

    def take(self) -> Connection:
        """An idle connection that is not known to be closed, else a new one."""
        while self._idle:
            connection = self._idle.pop()
            if not connection.closed:
                return connection
        return connect(settings().database_url)

    def give_back(self, connection: Connection) -> None:
        if not connection.closed:
            self._idle.append(connection)

    def discard_idle(self) -> None:
        """Close every idle connection: where one has died, its siblings have."""
        while self._idle:
            self._idle.pop().close()


def connect(url: str) -> Connection:
    """A new connection in autocommit; raises DatabaseUnavailable."""
    with translated_errors():
        connection = psycopg2.connect(
            url,
            connect_timeout=CONNECT_TIMEOUT_SECONDS,
            options=_OPTIONS,
            application_name="slipway",
            keepalives_idle=5,
        )
        connection.autocommit = True
        return connection


@contextmanager
def translated_errors() -> Iterator[None]:
    """psycopg2's errors as the few that the layers above act upon."""
    try:
        yield
    except psycopg2.IntegrityError as error:
        raise ConstraintViolated(error.diag.constraint_name or "") from error
    except (psycopg2.errors.UndefinedTable, psycopg2.errors.UndefinedColumn) as error:
        raise DatabaseUnavailable(f"the schema is not the one that this code expects: {error}") from error
    except (psycopg2.OperationalError, psycopg2.InterfaceError) as error:
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
