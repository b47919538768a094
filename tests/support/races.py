"""Run actions concurrently: all at once, or while another transaction holds locks."""

import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, contextmanager
from threading import Barrier
from typing import Any

import psycopg2
from psycopg2.extensions import cursor as Cursor  # noqa: N812

from tests.support.api import Answer
from tests.support.given import Given

PATIENCE_SECONDS = 20


def at_once(*actions: Callable[[], Any]) -> list[Any]:
    """Start all actions at the same moment, each action in its own thread; return their results."""
    start = Barrier(len(actions))

    def act(action: Callable[[], Any]) -> Any:
        start.wait(PATIENCE_SECONDS)
        return action()

    with ThreadPoolExecutor(len(actions)) as pool:
        return list(pool.map(act, actions))


def eventually(condition: Callable[[], bool]) -> None:
    """Wait until the condition is true, or raise AssertionError."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, (
            f"The condition is still false after {PATIENCE_SECONDS} seconds: correct the code under test"
        )


def statuses(answers: list[Answer]) -> dict[int, int]:
    """Return how many answers have each status."""
    return dict(Counter(answer.status for answer in answers))


def audited(given: Given) -> list[str]:
    """Return the actions of the last two audit events of accepted requests, in order."""
    done = given.sql("SELECT action FROM audit_events WHERE refusal IS NULL ORDER BY id DESC LIMIT 2")
    return [action for (action,) in done][::-1]


class Hold:
    """An open transaction that holds locks."""

    def __init__(self, pool: ThreadPoolExecutor, observer: Cursor) -> None:
        self._pool = pool
        self._observer = observer

    def waiting(self, action: Callable[[], Any]) -> Future[Any]:
        """Start an action in a thread; return its future.

        Return only once the action waits for a lock in PostgreSQL, or is done.
        """
        before = self._waiting()
        future = self._pool.submit(action)
        while not future.done() and self._waiting() == before:
            pass
        return future

    def _waiting(self) -> int:
        self._observer.execute(
            """
            SELECT count(DISTINCT pid) FROM pg_locks JOIN pg_stat_activity USING (pid)
            WHERE NOT granted AND datname = current_database()
            """
        )
        return int(self._observer.fetchall()[0][0])


@contextmanager
def held(database_url: str, statement: str) -> Iterator[Hold]:
    """Run a statement, and commit at the end of the block. Until then, other transactions wait for its locks."""
    with (
        ThreadPoolExecutor(4) as pool,
        closing(psycopg2.connect(database_url)) as holder,
        closing(psycopg2.connect(database_url)) as observer,
    ):
        observer.autocommit = True
        with holder.cursor() as cursor:
            cursor.execute(statement)
        yield Hold(pool, observer.cursor())
        holder.commit()
