"""Run the service on its own database with a history. Call the service with API Gateway's events."""

import json
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import app as application
from chalicelib.database.connection import connect, forget_connections
from chalicelib.database.migrate import migrate
from chalicelib.database.roles import MIGRATOR
from chalicelib.settings import settings
from tools.checkout import ROOT
from tools.local import postgres, run
from tools.local.gateway_event import Event, Routes, gateway_event
from tools.local.issuer import local_issuer

SYSTEM = "shop"
DEPLOYMENTS = "/v1/systems/{system}/deployments"
DEPLOYMENT = "/v1/systems/{system}/deployments/{id}"
STATUSES = "/v1/systems/{system}/deployments/{id}/statuses"
STATE = "/v1/systems/{system}/state"
SYSTEMS = "/v1/systems"
ENVIRONMENTS = "/v1/systems/{system}/environments"
VERIFICATIONS = "/v1/systems/{system}/verifications"

HISTORY = 200  # the most deployments that a page can have

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
    """Run the stage `local` on a new database of the checkout's PostgreSQL. At the end, drop the database."""
    ran = postgres.is_running()
    server = postgres.start()
    name = f"bench_{os.getpid()}"
    url = server.replace(f"/{postgres.DATABASE}?", f"/{name}?")
    try:
        postgres.create_database(url)
        migrate(postgres.as_login(url, MIGRATOR))
        config = json.loads((ROOT / ".chalice" / "config.json").read_text())
        os.environ.update(config["stages"]["local"]["environment_variables"], DATABASE_URL=url)
        settings.cache_clear()
        yield
    finally:
        forget_connections()
        _drop_database(server, name)
        if not ran and run.running() is None:
            postgres.stop()


def event(
    route: str,
    body: Any = None,
    *,
    id: str | None = None,  # noqa: A002
    query: Mapping[str, str] | None = None,
    role: str = "pipeline",
    key: str | None = None,
) -> Event:
    """Return API Gateway's event for a request. `route` is the method and the path's template."""
    method, template = route.split(" ")
    target = template.format(system=SYSTEM, id=id) + (f"?{urlencode(query)}" if query else "")
    headers = {
        **_HEADERS,
        **({} if body is None else {"Content-Type": "application/json"}),
        **({} if key is None else {"Idempotency-Key": key}),
    }
    claims = {
        "iss": local_issuer().issuer,
        "sub": f"{role}@local",
        "exp": time.time() + 3600,
        "role": role,
        "systems": [SYSTEM],
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


def tell_history() -> None:
    """Create a system with two environments, a full page of deployments, and a verified artifact to promote."""
    asked(event(f"POST {SYSTEMS}", {"key": SYSTEM, "name": "Shop"}, role="admin"))
    for rank, name in enumerate(("development", "production"), start=1):
        body = {"name": name, "rank": rank, "production": name == "production", "required_suites": ["acceptance"]}
        asked(event(f"POST {ENVIRONMENTS}", body, role="admin"))
    start = datetime.now(UTC).replace(microsecond=0) - timedelta(days=1)
    for number in range(HISTORY - 1):
        moment = (start + timedelta(minutes=number)).isoformat()
        past = {
            **a_deployment("development", number),
            "imported": True,
            "state": "succeeded",
            "started_at": moment,
            "finished_at": moment,
        }
        asked(event(f"POST {DEPLOYMENTS}", past, role="admin"))
    opened = asked(event(f"POST {DEPLOYMENTS}", a_deployment("development", HISTORY)))
    asked(event(f"POST {STATUSES}", {"state": "succeeded"}, id=opened["id"]))
    asked(event(f"POST {VERIFICATIONS}", a_verification()))


def a_deployment(environment: str, number: int) -> dict[str, Any]:
    """Return the body with which a pipeline opens a deployment."""
    commits = [{"sha": f"{number * 10 + nth:040x}", "authored_at": "2026-03-01T12:00:00Z"} for nth in range(3)]
    return {
        "environment": environment,
        "artifact": f"tree:{number:040x}",
        "revision": f"{number:040x}",
        "commits": commits,
        "run_url": f"https://github.com/example/shop/actions/runs/{number}/attempts/1",
    }


def a_verification() -> dict[str, Any]:
    """Return the body that records a verification of the deployment in development."""
    return {
        "environment": "development",
        "suite": "acceptance",
        "trigger": "deployment",
        "outcome": "success",
        "passed": 120,
        "run_url": "https://github.com/example/shop/actions/runs/4711/attempts/1",
    }


def _drop_database(server: str, name: str) -> None:
    with closing(connect(postgres.as_login(server, postgres.SUPERUSER))) as connection, connection.cursor() as cursor:
        cursor.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
