"""The endpoints of publishers: `/v1/systems/{system}/publishers` and the paths below."""

from chalice.app import Blueprint

from chalicelib.identity.roles import Role
from chalicelib.publishers import rules, store
from chalicelib.publishers.model import NewPublisher, Publisher, too_many_publishers
from chalicelib.rest import audit, paging, problems
from chalicelib.rest.call import Call
from chalicelib.rest.conditional import require_unchanged
from chalicelib.rest.operation import operation
from chalicelib.rest.types import Page, PageQuery
from chalicelib.settings import settings
from chalicelib.systems import store as systems
from chalicelib.systems.rules import require_reason

blueprint = Blueprint(__name__)


@operation(blueprint, "GET /v1/systems/{system}/publishers", role=Role.maintainer)
def list_publishers(call: Call, system: str, query: PageQuery) -> Page[Publisher]:
    """List the publishers of a system, the newest first."""
    page = paging.page(call.address, query, store.ORDER, lambda **page: store.list_(call.db, system, **page))
    return systems.page_of(call.db, system, page)


@operation(
    blueprint,
    "POST /v1/systems/{system}/publishers",
    role=Role.maintainer,
    status=201,
    raises=[problems.reason_required, too_many_publishers],
)
def create_publisher(call: Call, system: str, body: NewPublisher) -> Publisher:
    """Let a pipeline write for the system. A publisher never changes: create a new one, and delete the old one.

    If another repository than the system's own may write deployments or verifications of a production environment, send
    a `reason`.
    """
    issuer = rules.issuer_of(body, settings().issuers_of("github-actions"))
    systems.lock(call.db, system)
    existing = store.surroundings(call.db, system, issuer, body.repository_id)
    if existing is None:
        raise systems.not_found(system)
    rules.require_environments(body, existing.environments)
    rules.require_few(existing)
    require_reason(body.reason, rules.loosened(body, existing, issuer))
    publisher = store.insert(call.db, system, body, issuer=issuer, created_by=call.principal.subject)
    audit.record(call, f"{system}/publishers/{publisher.id}", system=system, after=publisher, reason=body.reason)
    return call.created(f"{call.address}/{publisher.id}", publisher)


@operation(blueprint, "GET /v1/systems/{system}/publishers/{id}", role=Role.maintainer)
def get_publisher(call: Call, system: str, id: str) -> Publisher:  # noqa: A002
    """Read a publisher."""
    return store.get(call.db, system, id)


@operation(blueprint, "DELETE /v1/systems/{system}/publishers/{id}", role=Role.maintainer, status=204)
def delete_publisher(call: Call, system: str, id: str) -> None:  # noqa: A002
    """Delete a publisher. From the next request on, the publisher lets no pipeline write."""
    systems.lock(call.db, system)
    before = store.get(call.db, system, id)
    require_unchanged(call.if_match, before)
    store.delete(call.db, id)
    audit.record(call, f"{system}/publishers/{id}", system=system, before=before)
