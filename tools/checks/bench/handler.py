"""What the handler adds to Chalice: the service against views written by hand, on the same events and rows.

Both are whole Chalice apps, called in this process with the event that API Gateway would send, and both answer the
same bytes. Neither has SQL: where the service would send a message to PostgreSQL it gets the rows that were recorded
when the request was answered for real, and so does the view where it would run a statement. Both make ready the values
of their statements. That psycopg2 then writes these into the statements is left out of the comparison, and told apart.
What the views do, and what they do without, is said in `bare`.
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

BOUND = 2
ROUNDS = 41
ROUND_SECONDS = 0.02  # long against the clock's steps, short against what else the machine does


class Request(NamedTuple):
    """A request, with what was exchanged with PostgreSQL when it was answered for real."""

    what: str
    event: Event
    exchanges: list[Exchange]


def figures() -> Iterator[Figure]:
    """Handler time of the three requests that the bound is for."""
    for request in requests():
        yield _figure(request)


def requests() -> Iterator[Request]:
    """The requests, each recorded just before it is needed. The history has been told."""
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
    """The view's app, which gets the rows that the service got."""
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
        f"{service_takes:.0f} µs, bare Chalice {view_takes:.0f} µs; {with_statements:.0f} µs with statements composed",
    )


def _rounds(app: Chalice, request: Request) -> Callable[[], float]:
    """As many calls as fill a round; it gives the microseconds that one of them takes."""

    def call() -> Any:
        return app(request.event, None)

    call()
    started = time.process_time()
    call()
    return microseconds(call, max(1, int(ROUND_SECONDS / (time.process_time() - started))))
