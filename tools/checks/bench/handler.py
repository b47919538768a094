"""Measure the time that the handler adds to Chalice: compare the service with views written by hand.

The service and the views are whole Chalice apps. Both get the same API Gateway event, and answer the same bytes. First
neither calls PostgreSQL: both get the rows that a real request got. Then both send the same statements to PostgreSQL,
whose own time does not count. So the second figure says how many requests a core serves. bare.py says what the views do
and leave out.
"""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from itertools import cycle
from typing import Any, NamedTuple

from chalice.app import Chalice
from psycopg2.extensions import connection as Connection  # noqa: N812 (psycopg2 writes this class in lower case)

import app as application
from chalicelib.database.connection import Rows, connect
from tools.checks.bench import service
from tools.checks.bench.bare import Bare
from tools.checks.bench.exchanges import Exchange, recorded, replayed, undone
from tools.checks.bench.figures import Figure, fastest, microseconds
from tools.checks.bench.packages import Bench, benches
from tools.local.gateway_event import Event
from tools.local.issuer import local_issuer

ROUNDS = 41
BOUND_WITH_SQL = 1.66  # a core serves at least 60 % of what it serves with bare Chalice
ROUND_SECONDS = 0.02  # much longer than the clock's steps, but so short that other work disturbs only some rounds


class Request(NamedTuple):
    """A request, its bound, its recorded exchanges with PostgreSQL, and the function that adds its bare view."""

    what: str
    event: Event
    bound: float | None
    exchanges: list[Exchange]
    views: Callable[[Bare], None]


def figures() -> Iterator[Figure]:
    """Yield the service's times for each request, divided by the bare view's times. First call each `prepare`."""
    for bench in benches().values():
        for request in requests(bench):
            yield _alone(request)
            yield _with_postgresql(request)


def requests(bench: Bench) -> Iterator[Request]:
    """Yield the requests to time. Record each one only when the caller asks for it, and undo what it writes."""
    for what, event, bound in bench.timed():
        with undone(), recorded() as exchanges:
            service.ask(event)
        yield Request(what, event, bound, exchanges, bench.views)


def bare_view(request: Request, connection: Connection | None = None) -> Chalice:
    """Return an app with the bare views. They send the service's messages, or get the rows that the service got."""
    exchanges = cycle(request.exchanges)

    def query(**values: Any) -> Rows:
        exchange = next(exchanges)
        if connection is None:
            return exchange.rows
        with connection.cursor() as cursor:
            # The message has its values already. psycopg2 writes them again, because a view would let it do so.
            cursor.mogrify(", ".join(["%s"] * len(values)), [*values.values()])
            cursor.execute(exchange.message)
            return (
                ([column.name for column in cursor.description], cursor.fetchall()) if cursor.description else ([], [])
            )

    bare = Bare(query, local_issuer().issuer)
    request.views(bare)
    return bare.app


def _alone(request: Request) -> Figure:
    with replayed(request.exchanges):
        ours, theirs = fastest(_rounds(application.app, request), _rounds(bare_view(request), request), rounds=ROUNDS)
    detail = f"{ours:.0f} µs, bare Chalice {theirs:.0f} µs"
    return Figure(f"handler: {request.what}", ours / theirs, "times", request.bound, detail)


def _with_postgresql(request: Request) -> Figure:
    with undone(), closing(connect(os.environ["DATABASE_URL"])) as connection:
        view = bare_view(request, connection)
        ours, theirs = fastest(_rounds(application.app, request), _rounds(view, request), rounds=ROUNDS)
    detail = f"{1e6 / ours:,.0f} requests a second and core, {theirs / ours:.0%} of bare Chalice's {1e6 / theirs:,.0f}"
    return Figure(f"with SQL: {request.what}", ours / theirs, "times", BOUND_WITH_SQL, detail)


def _rounds(app: Chalice, request: Request) -> Callable[[], float]:
    """Return a function that calls the app for about ROUND_SECONDS, and returns the microseconds for each call."""

    def call() -> Any:
        return app(request.event, None)

    call()
    started = time.process_time()
    call()
    return microseconds(call, max(1, int(ROUND_SECONDS / (time.process_time() - started))))
