"""Count a request's round trips to PostgreSQL, and the statements in them. BEGIN and COMMIT count too."""

from collections.abc import Iterator

from tools.checks.bench import service
from tools.checks.bench.exchanges import recorded
from tools.checks.bench.figures import Figure
from tools.local.gateway_event import Event


def figures() -> Iterator[Figure]:
    """Yield the number of round trips for each of the most frequent requests. Call `tell_history` first."""
    listed = service.event(f"GET {service.DEPLOYMENTS}", query={"limit": str(service.HISTORY)})
    newest = service.asked(listed)["items"][0]["id"]
    yield _figure("GET one deployment", service.event(f"GET {service.DEPLOYMENT}", id=newest), 1)
    yield _figure(f"GET a list of {service.HISTORY}", listed)
    yield _figure("GET the state", service.event(f"GET {service.STATE}"))
    body = service.a_deployment("development", service.HISTORY + 1)
    opening = service.event(f"POST {service.DEPLOYMENTS}", body, key="opening")
    yield _figure("POST a deployment, with a key", opening, 4)
    opened = service.asked(opening)["id"]
    yield _figure("POST a status", service.event(f"POST {service.STATUSES}", {"state": "succeeded"}, id=opened))
    body = service.a_verification()
    recording = service.event(f"POST {service.VERIFICATIONS}", body, key="recording")
    yield _figure("POST a verification, with a key", recording, 4)


def _figure(what: str, event: Event, bound: int | None = None) -> Figure:
    with recorded() as exchanges:
        service.ask(event)
    statements = sum(exchange.statements for exchange in exchanges)
    return Figure(f"round trips: {what}", len(exchanges), "", bound, f"statements: {statements}")
