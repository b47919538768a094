"""The messages that requests exchange with PostgreSQL: counted, and given again without it."""

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import cycle
from typing import Any, NamedTuple
from unittest.mock import patch

from chalicelib.database.connection import Database, Rows
from chalicelib.database.connection import database as of_this_stage


class Exchange(NamedTuple):
    """One round trip: a message and what came back."""

    message: str
    rows: Rows
    touched: int

    @property
    def statements(self) -> int:
        """How many statements the message has. None that is counted has a `;` at the end of a line within."""
        return len(self.message.split(";\n"))


@contextmanager
def recorded() -> Iterator[list[Exchange]]:
    """The exchanges of the requests in the block, in a list that grows with them."""
    exchanges: list[Exchange] = []

    class Recording(Database):
        def _exchange(self, message: str) -> Rows:
            rows = super()._exchange(message)
            exchanges.append(Exchange(message, rows, self._rowcount))
            return rows

    with _instead(Recording):
        yield exchanges


@contextmanager
def replayed(exchanges: list[Exchange], *, composed: bool) -> Iterator[None]:
    """Requests in the block get, over and over, what those that were recorded got: PostgreSQL hears nothing.

    Without `composed`, values are not written into statements either, which is psycopg2's work.
    """
    answers = cycle(exchanges)

    class Replaying(Database):
        def _compose(self, sql: str, parameters: dict[str, Any]) -> str:
            return super()._compose(sql, parameters) if composed else sql

        def _exchange(self, message: str) -> Rows:
            self._sent_in_transaction = self._in_transaction
            self._queue.clear()
            _, rows, self._rowcount = next(answers)
            return rows

    with _instead(Replaying):
        yield


@contextmanager
def _instead(kind: type[Database]) -> Iterator[None]:
    """Requests in the block use the stage's connections in another way."""

    def database() -> Database:
        opened = of_this_stage()
        opened.__class__ = kind
        return opened

    with patch("chalicelib.rest.call.database", database):
        yield
