"""The endpoints of delivery metrics: `/v1/systems/{system}/metrics` and `/v1/metrics`."""

from datetime import UTC, datetime

import msgspec
from chalice.app import Blueprint

from chalicelib.identity.roles import Role
from chalicelib.metrics.model import (
    MOST_DAYS,
    MOST_DAYS_OVER_SYSTEMS,
    MOST_SYSTEMS,
    Metrics,
    MetricsOverSystemsQuery,
    MetricsQuery,
)
from chalicelib.rest import paging
from chalicelib.rest.call import Call
from chalicelib.rest.operation import operation
from chalicelib.rest.types import Page
from chalicelib.systems import store as systems

blueprint = Blueprint(__name__)


@operation(blueprint, "GET /v1/systems/{system}/metrics", role=Role.viewer)
def get_metrics(call: Call, system: str, query: MetricsQuery) -> Metrics:
    """Read the delivery metrics of a system: DORA's five figures, and what waits for its highest environment.

    The window has at most two years. It counts deployments by when they finished.
    """
    from chalicelib.metrics import rules, store  # noqa: PLC0415 (few requests need them, and cold starts should not pay)

    now = datetime.now(UTC)
    start, end = rules.window(query.from_, query.to, now=now, most_days=MOST_DAYS)
    rules.require_few_periods(query.per, start, end or now)
    metrics = store.get(call.db, system, start, end, query.per)
    if metrics is None:
        raise systems.not_found(system)
    return metrics


@operation(blueprint, "GET /v1/metrics", role=Role.viewer)
def list_metrics(call: Call, query: MetricsOverSystemsQuery) -> Page[Metrics]:
    """List the delivery metrics of the systems by key. The window has at most 90 days, and a page 50 systems.

    A pipeline gets only the systems whose publishers trust it.
    """
    from chalicelib.metrics import rules, store  # noqa: PLC0415 (few requests need them, and cold starts should not pay)

    start, end = rules.window(query.from_, query.to, now=datetime.now(UTC), most_days=MOST_DAYS_OVER_SYSTEMS)
    return paging.page(
        call.address,
        msgspec.structs.replace(query, limit=min(query.limit, MOST_SYSTEMS)),
        store.ORDER,
        lambda **page: store.list_(call.db, start, end, only=call.principal.readable, **page),
    )
