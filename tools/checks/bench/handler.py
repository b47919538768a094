"""Measure the time that the handler adds to Chalice: compare the service with views written by hand.

The service and the views are whole Chalice apps. Both get the same API Gateway event, and answer the same bytes.
Neither calls PostgreSQL: both get the rows that a real request got. Both prepare the values of their statements.
psycopg2 writes these values into the statements. psycopg2's work is shown, but not compared. bare.py says what the
views do and leave out.
"""

import time
from collections.abc import Callable, Iterator
from itertools import cycle
from typing import Any, NamedTuple

from chalice.app import Chalice

import app as application
from tools.checks.bench import service
from tools.checks.bench.bare import Bare
from tools.checks.bench.exchanges import Exchange, recorded, replayed
from tools.checks.bench.figures import Figure, fastest, microseconds
from tools.checks.bench.packages import Bench, benches
from tools.local.gateway_event import Event
from tools.local.issuer import local_issuer

ROUNDS = 41
ROUND_SECONDS = 0.02  # much longer than the clock's steps, but so short that other work disturbs only some rounds


class Request(NamedTuple):
    """A request, its bound, its recorded exchanges with PostgreSQL, and the function that adds its bare view."""

    what: str
    event: Event
    bound: float | None
    exchanges: list[Exchange]
    views: Callable[[Bare], None]


def figures() -> Iterator[Figure]:
    """Yield the service's time for each request, divided by the bare view's time. First call each `prepare`."""
    for bench in benches().values():
        for request in requests(bench):
            yield _figure(request)


def requests(bench: Bench) -> Iterator[Request]:
    """Yield the requests to time. Record each one only when the caller asks for it."""
    for what, event, bound in bench.timed():
        with recorded() as exchanges:
            service.ask(event)
        yield Request(what, event, bound, exchanges, bench.views)


def bare_view(request: Request) -> Chalice:
    """Return an app with the bare views. The views get the rows that the service got."""
    rows = cycle([exchange.rows for exchange in request.exchanges])
    bare = Bare(lambda **values: next(rows), local_issuer().issuer)
    request.views(bare)
    return bare.app


def _figure(request: Request) -> Figure:
    view = bare_view(request)
    with replayed(request.exchanges, composed=False):
        service_takes, view_takes = fastest(_rounds(application.app, request), _rounds(view, request), rounds=ROUNDS)
    with replayed(request.exchanges, composed=True):
        [with_statements] = fastest(_rounds(application.app, request), rounds=ROUNDS // 4)
    return Figure(
        f"handler: {request.what}",
        service_takes / view_takes,
        "times",
        request.bound,
        f"{service_takes:.0f} µs, bare Chalice {view_takes:.0f} µs; {with_statements:.0f} µs with psycopg2's work",
    )


def _rounds(app: Chalice, request: Request) -> Callable[[], float]:
    """Return a function that calls the app for about ROUND_SECONDS, and returns the microseconds for each call."""

    def call() -> Any:
        return app(request.event, None)

    call()
    started = time.process_time()
    call()
    return microseconds(call, max(1, int(ROUND_SECONDS / (time.process_time() - started))))
