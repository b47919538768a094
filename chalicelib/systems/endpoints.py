"""The endpoints of systems: `/v1/systems` and the paths below."""

from chalice.app import Blueprint

from chalicelib.identity.roles import Role
from chalicelib.rest import audit, paging, problems
from chalicelib.rest.call import Call
from chalicelib.rest.changes import changed
from chalicelib.rest.conditional import require_unchanged
from chalicelib.rest.operation import operation
from chalicelib.rest.types import Page, PageQuery
from chalicelib.systems import rules, store
from chalicelib.systems.model import NewSystem, System, SystemChange, SystemDeletion

blueprint = Blueprint(__name__)


@operation(blueprint, "GET /v1/systems", role=Role.viewer)
def list_systems(call: Call, query: PageQuery) -> Page[System]:
    """List systems by key. A pipeline gets only the systems whose publishers trust it."""
    only = call.principal.readable
    return paging.page(call.address, query, store.ORDER, lambda **page: store.list_(call.db, only=only, **page))


@operation(blueprint, "POST /v1/systems", role=Role.admin, status=201, raises=[problems.already_exists])
def create_system(call: Call, body: NewSystem) -> System:
    """Create a system."""
    system = store.insert(call.db, body)
    audit.record(call, system.key, system=system.key, after=system)
    return call.created(f"/v1/systems/{system.key}", system)


@operation(blueprint, "GET /v1/systems/{system}", role=Role.viewer)
def get_system(call: Call, system: str) -> System:
    """Read a system."""
    return store.get(call.db, system)


@operation(blueprint, "PATCH /v1/systems/{system}", role=Role.maintainer, raises=[problems.reason_required])
def change_system(call: Call, system: str, body: SystemChange) -> System:
    """Change a system. Fields that you leave out stay as they are.

    If a system with a production environment gets another `repository`, or its first one, send a `reason`.
    """
    store.lock(call.db, system)
    before = store.get(call.db, system, for_change=True)
    require_unchanged(call.if_match, before)
    after = changed(before, body)
    store.update(call.db, after)
    if after.repository != before.repository:
        of_production = store.production_environments(call.db, system)
        rules.require_reason(body.reason, [f"{name} would have another repository" for name in of_production])
    audit.record(call, system, system=system, before=before, after=after, reason=body.reason)
    return after


@operation(
    blueprint,
    "DELETE /v1/systems/{system}",
    role=Role.admin,
    status=204,
    raises=[problems.has_history, problems.reason_required],
)
def delete_system(call: Call, system: str, query: SystemDeletion) -> None:
    """Delete a system that has no records yet, with its environments and publishers.

    If it has a production environment, send a `reason`.
    """
    store.lock(call.db, system)
    before = store.get(call.db, system, for_change=True)
    require_unchanged(call.if_match, before)
    deleted = store.production_environments(call.db, system)
    store.delete(call.db, system)
    rules.require_reason(query.reason, [f"{name} would be deleted" for name in deleted])
    audit.record(call, system, system=system, before=before, reason=query.reason)
