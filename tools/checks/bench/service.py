"""Run the service on its own database. Call the service with API Gateway's events."""

import json
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from typing import Any, TextIO
from urllib.parse import urlencode

import app as application
from chalicelib.database.connection import connect, forget_connections
from chalicelib.database.migrate import migrate
from chalicelib.database.roles import MIGRATOR
from chalicelib.settings import settings
from chalicelib.telemetry import logs
from tools.checkout import ROOT
from tools.local import postgres, run
from tools.local.gateway_event import Event, Routes, gateway_event
from tools.local.issuer import local_issuer

SYSTEMS = "/v1/systems"

PAGE = 200  # the most rows that a page can have

_ROUTES = Routes(application.app.routes)

# The headers of a pipeline's request through API Gateway. The measured time includes the reading of all these headers.
_HEADERS = {
    "Accept": "*/*",
    "Authorization": f"Bearer {'e' * 900}",
    "Host": "k3l9a7x2q1.execute-api.eu-central-1.amazonaws.com",
    "User-Agent": "curl/8.5.0",
    "X-Amzn-Trace-Id": "Root=1-68f0c2a5-5d1f7a5c0d3b6e4f2a1b3c4d",
    "X-Forwarded-For": "192.0.2.7",
    "X-Forwarded-Port": "443",
    "X-Forwarded-Proto": "https",
}


@contextmanager
def on_a_database() -> Iterator[None]:
    """Run the stage `local` on a new database of the checkout's PostgreSQL. At the end, drop the database.

    Log lines are written, but nobody sees them.
    """
    ran, sink = postgres.is_running(), logs.sink
    server = postgres.start()
    name = f"bench_{os.getpid()}"
    url = server.replace(f"/{postgres.DATABASE}?", f"/{name}?")
    try:
        postgres.create_database(url)
        migrate(postgres.as_login(url, MIGRATOR))
        config = json.loads((ROOT / ".chalice" / "config.json").read_text())
        os.environ.update(config["stages"]["local"]["environment_variables"], DATABASE_URL=url)
        settings.cache_clear()
        with Path(os.devnull).open("w") as nowhere:
            logs.sink = partial(_written, nowhere)
            yield
    finally:
        logs.sink = sink
        forget_connections()
        _drop_database(server, name)
        if not ran and run.running() is None:
            postgres.stop()


def event(
    route: str,
    body: Any = None,
    *,
    query: Mapping[str, str] | None = None,
    role: str = "pipeline",
    key: str | None = None,
    more: Mapping[str, str] | None = None,
    **path: str,
) -> Event:
    """Return API Gateway's event for a request. `route` is the method and the path's template, filled with `path`.

    `more` has further headers.
    """
    method, template = route.split(" ")
    target = template.format(**path) + (f"?{urlencode(query)}" if query else "")
    headers = {
        **_HEADERS,
        **({} if body is None else {"Content-Type": "application/json"}),
        **({} if key is None else {"Idempotency-Key": key}),
        **(more or {}),
    }
    claims = {
        "iss": local_issuer().issuer,
        "sub": f"{role}@local",
        "exp": time.time() + 3600,
        "role": role,
        "systems": [path["system"]] if "system" in path else [],
    }
    sent = None if body is None else json.dumps(body)
    return gateway_event(_ROUTES, method, target, headers.items(), sent, claims=claims)


def ask(event: Event) -> dict[str, Any]:
    """Return the service's answer, or raise RuntimeError if the service refuses the request."""
    answer: dict[str, Any] = application.app(event, None)
    if answer["statusCode"] >= 300:
        raise RuntimeError(
            f"{event['httpMethod']} {event['path']} answered {answer['statusCode']}: {answer['body']}. Fix the request "
            "in tools/checks/bench, or the service"
        )
    return answer


def asked(event: Event) -> Any:
    """Return the parsed body of the service's answer."""
    return json.loads(ask(event)["body"])


def _drop_database(server: str, name: str) -> None:
    with closing(connect(postgres.as_login(server, postgres.SUPERUSER))) as connection, connection.cursor() as cursor:
        cursor.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


def _written(file: TextIO, line: str) -> None:
    file.write(line)
    file.flush()
