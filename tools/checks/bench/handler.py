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
from tools.checks.bench import bare, service
from tools.checks.bench.exchanges import Exchange, recorded, replayed
from tools.checks.bench.figures import Figure, fastest, microseconds
from tools.local.gateway_event import Event
from tools.local.issuer import local_issuer

BOUND = 1.7
ROUNDS = 41
ROUND_SECONDS = 0.02  # much longer than the clock's steps, but so short that other work disturbs only some rounds


class Request(NamedTuple):
    """A request, and its recorded exchanges with PostgreSQL."""

    what: str
    event: Event
    exchanges: list[Exchange]


def figures() -> Iterator[Figure]:
    """Yield the service's time for each request, divided by the bare view's time. Call `tell_history` first."""
    for request in requests():
        yield _figure(request)


def requests() -> Iterator[Request]:
    """Yield the requests. Record each one only when the caller asks for it. Call `tell_history` first."""
    listed = service.event(f"GET {service.DEPLOYMENTS}", query={"limit": str(service.HISTORY)})
    newest = service.asked(listed)["items"][0]["id"]
    yield record("GET one deployment", service.event(f"GET {service.DEPLOYMENT}", id=newest))
    yield record(f"GET a list of {service.HISTORY}", listed)
    body = service.a_deployment("production", service.HISTORY)
    yield record("POST a deployment", service.event(f"POST {service.DEPLOYMENTS}", body))


def record(what: str, event: Event) -> Request:
    with recorded() as exchanges:
        service.ask(event)
    return Request(what, event, exchanges)


def bare_view(request: Request) -> Any:
    """Return an app with the bare views. The views get the rows that the service got."""
    rows = cycle([exchange.rows for exchange in request.exchanges])
    return bare.application(lambda **values: next(rows), local_issuer().issuer)


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
        BOUND,
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
