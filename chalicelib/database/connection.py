"""Connections to PostgreSQL, kept between requests, and the few ways in which a request uses one.

Reads run in autocommit. In a transaction, `BEGIN` and locks wait in a queue and travel in one message with the first
statement. Statements without a result (audit events, the stored answer of an idempotency key) travel with `COMMIT`.
So a write costs few round trips, and its code still reads from top to bottom.
"""

import time
from collections import deque
from collections.abc import Callable
from typing import Any, TypeVar

import psycopg2
import psycopg2.errors
from psycopg2.extensions import TRANSACTION_STATUS_IDLE
from psycopg2.extensions import connection as Connection  # noqa: N812 (the class is lower case there)

from chalicelib.database.errors import ConstraintViolated, DatabaseUnavailable, UnusableValue, translated_errors
from chalicelib.database.opening import CONNECT_SECONDS, address, connect, open_connection, wait
from chalicelib.settings import settings

# The layers above and the tools use these, wherever in this package they are defined.
__all__ = [
    "ConstraintViolated",
    "Database",
    "DatabaseUnavailable",
    "Rows",
    "UnusableValue",
    "address",
    "connect",
    "database",
    "forget_connections",
]

T = TypeVar("T")
Rows = tuple[list[str], list[tuple[Any, ...]]]

# How long a request may wait for the database in all. One statement may take STATEMENT_SECONDS, which is less. The
# function's own timeout (lambda_timeout in .chalice/config.json) is longer, and API Gateway's 29 s are longer still.
REQUEST_SECONDS = 15


class Database:
    """The database, as one request uses it: one connection, one deadline."""

    def __init__(self, pool: "Pool") -> None:
        self._pool = pool
        self._deadline = time.monotonic() + REQUEST_SECONDS
        self._connection: Connection | None = None
        self._queue: list[str] = []
        self._in_transaction = False
        self._sent_in_transaction = False

    def select(self, row_type: Callable[..., T], sql: str, **parameters: Any) -> list[T]:
        """Return the rows of one statement, each as `row_type(**columns)`."""
        names, rows = self._run(sql, parameters)
        return [row_type(**dict(zip(names, row, strict=True))) for row in rows]

    def select_one(self, row_type: Callable[..., T], sql: str, **parameters: Any) -> T | None:
        """Return the only row of a statement, or None if there is no row."""
        names, rows = self._run(sql, parameters)
        return row_type(**dict(zip(names, rows[0], strict=True))) if rows else None

    def row(self, sql: str, **parameters: Any) -> dict[str, Any] | None:
        """Return the only row of a statement as a dict by column, or None if there is no row."""
        names, rows = self._run(sql, parameters)
        return dict(zip(names, rows[0], strict=True)) if rows else None

    def value(self, sql: str, **parameters: Any) -> Any:
        """Return the first column of the only row of a statement, or None if there is no row."""
        _, rows = self._run(sql, parameters)
        return rows[0][0] if rows else None

    def execute(self, sql: str, **parameters: Any) -> int:
        """Run a statement for its effect; return the number of rows that it touched."""
        self._run(sql, parameters)
        return self._rowcount

    def queue(self, sql: str, **parameters: Any) -> None:
        """Send this statement in one message with the transaction's next statement, or with its COMMIT."""
        assert self._in_transaction, "queue works inside a transaction only: outside, use execute"
        self._queue.append(self._compose(sql, parameters))

    def lock(self, name: str) -> None:
        """Wait for the lock of this name, and keep it until the transaction ends.

        It is a statement of its own: a statement that takes the lock and reads would read data from before the lock.
        """
        self.queue("SELECT pg_advisory_xact_lock(hashtextextended(%(name)s, 0))", name=name)

    def transaction(self) -> "Transaction":
        """Everything inside the block happens, or nothing."""
        assert not self._in_transaction, "transactions do not nest: use the one that is open"
        return Transaction(self)

    def begin(self) -> None:
        """Begin a transaction with its first statement."""
        self._in_transaction, self._sent_in_transaction = True, False
        self._queue.append("BEGIN")

    def end(self, *, commit: bool) -> None:
        """Commit, or roll back. If the commit fails, roll back and raise."""
        committed = False
        try:
            if commit:
                if self._sent_in_transaction or len(self._queue) > 1:
                    self._send([*self._queue, "COMMIT"])
                committed = True
        finally:
            if not committed:
                self._roll_back()
            self._queue.clear()
            self._in_transaction = False

    def close(self) -> None:
        """Return the connection to the pool, for the next request."""
        if self._connection is not None:
            self._pool.give_back(self._connection)
            self._connection = None

    def _run(self, sql: str, parameters: dict[str, Any]) -> Rows:
        """Send the queued statements and this one in one message; return the names and rows of its result."""
        return self._send([*self._queue, self._compose(sql, parameters)])

    def _send(self, statements: list[str]) -> Rows:
        # Since its last use a connection may have died, or its server may have stopped being the writer. Before
        # anything of this transaction was sent, a new connection is as good. Later, the transaction is lost and the
        # caller must know. After a lost COMMIT nobody can tell if it was carried out.
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
                connection.close()  # its server is not the writer any more
                raise
            self._queue.clear()
            self._rowcount = cursor.rowcount
            if cursor.description is None:
                return [], []
            return [column.name for column in cursor.description], cursor.fetchall()

    def _compose(self, sql: str, parameters: dict[str, Any]) -> str:
        # psycopg2 composes messages on the client anyway. Composing early lets several travel as one.
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


class Transaction:
    """A transaction of a database, as a block. A generator would take a microsecond more of each write."""

    __slots__ = ("_database",)

    def __init__(self, database: Database) -> None:
        self._database = database

    def __enter__(self) -> None:
        self._database.begin()

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._database.end(commit=kind is None)


class Pool:
    """The idle connections. A function has one; the local server, which is threaded, has a few."""

    def __init__(self) -> None:
        self._idle: deque[Connection] = deque()

    def take(self, deadline: float) -> Connection:
        """Return an idle connection that is not known to be closed, else a new one."""
        while (connection := self._pop()) is not None:
            if not connection.closed:
                return connection
        return open_connection(address(settings().database), min(deadline, time.monotonic() + CONNECT_SECONDS))

    def give_back(self, connection: Connection) -> None:
        """Keep a connection for the next request. Close it if a statement or transaction is still open."""
        if not connection.closed and connection.info.transaction_status == TRANSACTION_STATUS_IDLE:
            self._idle.append(connection)
        else:
            connection.close()

    def discard_idle(self) -> None:
        """Close every idle connection: when one has died, the others have died too."""
        while (connection := self._pop()) is not None:
            connection.close()

    def _pop(self) -> Connection | None:
        # No look before the pop: another thread could take the last one in between.
        try:
            return self._idle.pop()
        except IndexError:
            return None


_pool = Pool()


def database() -> Database:
    """Return the database of this stage. It connects with the first statement."""
    return Database(_pool)


def forget_connections() -> None:
    """Close the idle connections; new ones use the current settings."""
    _pool.discard_idle()
