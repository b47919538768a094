"""Connections to PostgreSQL, which are kept between requests, and the methods with which a request uses them."""

import time
from collections import deque
from collections.abc import Callable
from functools import lru_cache
from hashlib import blake2b
from typing import Any, TypeVar

import psycopg2
import psycopg2.errors
from psycopg2.extensions import TRANSACTION_STATUS_IDLE
from psycopg2.extensions import connection as Connection  # noqa: N812 (psycopg2 writes this class in lower case)

from chalicelib.database.errors import ConstraintViolated, DatabaseUnavailable, UnusableValue, translated_errors
from chalicelib.database.opening import CONNECT_SECONDS, address, connect, open_connection, wait
from chalicelib.database.prepared import Prepared, are_prepared, preparation
from chalicelib.settings import settings
from chalicelib.telemetry.tracing import Message

# The layers above and the tools import these names from this module, even if another module of the package defines
# them.
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
    "lock_key",
]

T = TypeVar("T")
Rows = tuple[list[str], list[tuple[Any, ...]]]

# After this number of seconds from its start, a request stops waiting for the database. STATEMENT_SECONDS, the limit of
# one statement, is shorter. The function's timeout (lambda_timeout in .chalice/config.json) is longer. API Gateway's
# timeout, 29 s, is the longest.
REQUEST_SECONDS = 15


@lru_cache(maxsize=1024)  # a warm function takes the locks of the same few systems again and again
def lock_key(name: str) -> int:
    """Return the number of a lock in PostgreSQL.

    Callers choose a part of some names. With PostgreSQL's own hashes, they could find a name with the number of another
    lock, and hold that lock.
    """
    return int.from_bytes(blake2b(name.encode(), digest_size=8).digest(), signed=True)


class Database:
    """The database for one request, which uses one connection and has one deadline.

    Outside of a transaction, each statement runs in autocommit. `messages` has what was sent so far, for logs and
    traces. `failures` counts the connections and messages that failed because of the database.
    """

    def __init__(self, pool: "Pool") -> None:
        self._pool = pool
        self._deadline = time.monotonic() + REQUEST_SECONDS
        self._connection: Connection | None = None
        self.messages: list[Message] = []
        self.failures = 0
        self._queue: list[str] = []
        self._statements: list[str] = []  # those in the queue, without their values
        self._prepared: list[Prepared] = []  # those in the queue and in the next message
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
        """Run a statement for its effect; return the number of rows that the statement touched."""
        self._run(sql, parameters)
        return self._rowcount

    def queue(self, sql: str, **parameters: Any) -> None:
        """Send this statement in one message with the transaction's next statement, or with COMMIT.

        So a write with locks and audit events costs few round trips. The code of the write still reads from top to
        bottom.
        """
        assert self._in_transaction, "queue works only inside a transaction: outside one, use execute"
        self._queue.append(self._compose(sql, parameters))
        self._statements.append(sql)

    def lock(self, name: str, *, shared: bool = False) -> None:
        """Wait for the lock of this name, and hold the lock until the transaction ends.

        Transactions that take the lock as `shared` do not wait for each other. The lock is taken in a separate
        statement. A statement that also reads would see data from before the lock.
        """
        function = "pg_advisory_xact_lock_shared" if shared else "pg_advisory_xact_lock"
        self.queue(f"SELECT {function}({lock_key(name)})")

    def transaction(self) -> "Transaction":
        """Return a context manager. Either all writes in its `with` block take effect, or none."""
        assert not self._in_transaction, "transactions do not nest: use the open transaction"
        return Transaction(self)

    def begin(self) -> None:
        """Queue BEGIN, which travels with the transaction's first statement."""
        self._in_transaction, self._sent_in_transaction = True, False
        self._queue.append("BEGIN")

    def end(self, *, commit: bool) -> None:
        """Commit or roll back the transaction. If the commit fails, roll back and raise."""
        committed = False
        try:
            if commit:
                if self._sent_in_transaction or len(self._queue) > 1:
                    self._send([*self._queue, "COMMIT"], "COMMIT")
                committed = True
        finally:
            if not committed:
                self._roll_back()
            self._queue.clear()
            self._statements.clear()
            self._prepared.clear()
            self._in_transaction = False

    def close(self) -> None:
        """Return the connection to the pool, for the next request."""
        if self._connection is not None:
            self._pool.give_back(self._connection)
            self._connection = None

    def _run(self, sql: str, parameters: dict[str, Any]) -> Rows:
        """Send the queued statements and `sql` in one message. Return the column names and rows of `sql`."""
        return self._send([*self._queue, self._compose(sql, parameters)], sql)

    def _send(self, statements: list[str], last: str) -> Rows:
        """Send the statements in one message. `last` is the last of them, without its values."""
        # A connection may have died since its last use, or its server may no longer be the writer. If this transaction
        # has sent nothing yet, try once more on a new connection. Later, the transaction is lost and the caller must
        # know. After a lost COMMIT nobody can tell whether the transaction took effect.
        may_retry = not self._sent_in_transaction and statements[-1] != "COMMIT"
        message = ";\n".join(statements)
        try:
            return self._observed(message, last)
        except DatabaseUnavailable:
            if not may_retry or not self._is_lost() or time.monotonic() >= self._deadline:
                raise
        self._discard()
        return self._observed(message, last)

    def _observed(self, message: str, last: str) -> Rows:
        started, failed = time.perf_counter(), True
        try:
            rows = self._exchange(message)
            failed = False
        except DatabaseUnavailable:
            if self._connection is not None:  # `_connect` has counted the others
                self.failures += 1
            raise
        finally:
            seconds = time.perf_counter() - started
            self.messages.append(Message((*self._statements, last), started, seconds, failed))
        self._statements.clear()
        return rows

    def _exchange(self, message: str) -> Rows:
        connection = self._connect()
        self._sent_in_transaction = self._in_transaction
        preparing = preparation(connection, self._prepared)
        with translated_errors(), connection.cursor() as cursor:
            try:
                cursor.execute(";\n".join([*preparing, message]))
                wait(connection, self._deadline)
            except psycopg2.errors.ReadOnlySqlTransaction:
                connection.close()  # the connection's server is no longer the writer
                raise
            except psycopg2.Error:
                if preparing:
                    are_prepared(connection, (), succeeded=False)
                raise
            if preparing:
                are_prepared(connection, self._prepared, succeeded=True)
            self._queue.clear()
            self._prepared.clear()
            self._rowcount = cursor.rowcount
            if cursor.description is None:
                return [], []
            return [column.name for column in cursor.description], cursor.fetchall()

    def _compose(self, sql: str, parameters: dict[str, Any]) -> str:
        # psycopg2 inserts parameters on the client anyway. Inserting them here lets several statements share a message.
        if not parameters:
            return sql.strip()
        connection = self._connect()
        with translated_errors(), connection.cursor() as cursor:
            if isinstance(sql, Prepared):
                self._prepared.append(sql)
                return sql.execution(cursor, parameters)
            return cursor.mogrify(sql, parameters).decode().strip()

    def _connect(self) -> Connection:
        if self._connection is None:
            try:
                self._connection = self._pool.take(self._deadline)
            except DatabaseUnavailable:
                self.failures += 1
                raise
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
    """A transaction as a `with` block. It is a class, because a generator would cost each write a microsecond more."""

    __slots__ = ("_database",)

    def __init__(self, database: Database) -> None:
        self._database = database

    def __enter__(self) -> None:
        self._database.begin()

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._database.end(commit=kind is None)


class Pool:
    """The idle connections of a process.

    A function has at most one. The local server has threads, so it may have more.
    """

    def __init__(self) -> None:
        self._idle: deque[Connection] = deque()

    def take(self, deadline: float) -> Connection:
        """Return an idle connection that is not known to be closed. If there is none, return a new one."""
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
        """Close every idle connection. When one connection has died, the others have probably died too."""
        while (connection := self._pop()) is not None:
            connection.close()

    def _pop(self) -> Connection | None:
        # Do not check first if the pool is empty: another thread could take the last connection in between.
        try:
            return self._idle.pop()
        except IndexError:
            return None


_pool = Pool()


def database() -> Database:
    """Return the stage's database for one request. The request gets a connection with its first statement."""
    return Database(_pool)


def forget_connections() -> None:
    """Close the idle connections. New connections use the current settings."""
    _pool.discard_idle()
