"""Record the messages that requests send to PostgreSQL, and replay PostgreSQL's answers without PostgreSQL."""

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import cycle
from typing import Any, NamedTuple
from unittest.mock import patch

from chalicelib.database.connection import Database, Rows
from chalicelib.database.connection import database as of_this_stage


class Exchange(NamedTuple):
    """One round trip to PostgreSQL: a message and its result."""

    message: str
    rows: Rows
    touched: int

    @property
    def statements(self) -> int:
        """The number of statements in the message. No statement has a `;` at the end of an inner line."""
        return len(self.message.split(";\n"))


@contextmanager
def recorded() -> Iterator[list[Exchange]]:
    """Yield a list. The requests in the block add their exchanges to this list."""
    exchanges: list[Exchange] = []

    class Recording(Database):
        def _compose(self, sql: str, parameters: dict[str, Any]) -> str:
            return super()._compose(str(sql), parameters)  # whole, not as the execution of a prepared statement

        def _exchange(self, message: str) -> Rows:
            rows = super()._exchange(message)
            exchanges.append(Exchange(message, rows, self._rowcount))
            return rows

    with _instead(Recording):
        yield exchanges


@contextmanager
def replayed(exchanges: list[Exchange]) -> Iterator[None]:
    """Answer the requests in the block with the recorded rows, in a cycle, without PostgreSQL and psycopg2."""
    answers = cycle(exchanges)

    class Replaying(Database):
        def _compose(self, sql: str, parameters: dict[str, Any]) -> str:
            return sql

        def _exchange(self, message: str) -> Rows:
            self._sent_in_transaction = self._in_transaction
            self._queue.clear()
            _, rows, self._rowcount = next(answers)
            return rows

    with _instead(Replaying):
        yield


@contextmanager
def undone() -> Iterator[None]:
    """Roll back the transactions in the block instead of committing them. So a request can be sent again and again."""
    send = Database._send  # noqa: SLF001 (as above, this module knows how messages are sent)

    def roll_back(database: Database, statements: list[str], last: str) -> Rows:
        return send(database, ["ROLLBACK" if each == "COMMIT" else each for each in statements], last)

    with patch.object(Database, "_send", roll_back):
        yield


@contextmanager
def _instead(kind: type[Database]) -> Iterator[None]:
    """Make requests in the block use this kind of connection."""

    def database() -> Database:
        opened = of_this_stage()
        opened.__class__ = kind
        return opened

    with patch("chalicelib.rest.call.database", database):
        yield
