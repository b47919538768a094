"""The endpoints of holds: `/v1/holds`, `/v1/systems/{system}/holds`, and the paths below."""

from chalice.app import Blueprint

from chalicelib.environments import store as environments
from chalicelib.holds import rules, store
from chalicelib.holds.model import (
    Hold,
    HoldOverSystemsQuery,
    HoldQuery,
    NewHold,
    NewHoldOverSystems,
    Release,
    hold_ended,
    too_many_freezes,
)
from chalicelib.identity.roles import Role
from chalicelib.rest import audit, paging, problems
from chalicelib.rest.call import Call
from chalicelib.rest.operation import operation
from chalicelib.rest.types import Id, Page
from chalicelib.systems import store as systems
from chalicelib.targets.rules import require_kind

blueprint = Blueprint(__name__)


@operation(blueprint, "GET /v1/systems/{system}/holds", role=Role.viewer)
def list_holds(call: Call, system: str, query: HoldQuery) -> Page[Hold]:
    """List the holds of a system, the newest first. `GET /v1/holds` lists the holds over several systems."""
    page = paging.page(call.address, query, store.ORDER, lambda **page: store.list_(call.db, system, query, **page))
    return systems.page_of(call.db, system, page)


@operation(
    blueprint,
    "POST /v1/systems/{system}/holds",
    role=Role.maintainer,
    status=201,
    raises=[problems.conflict, too_many_freezes],
)
def create_hold(call: Call, system: str, body: NewHold) -> Hold:
    """Create a freeze, a pin or a bad mark. A hold never changes: release it, and create another one.

    A deployment that is in progress when a hold begins may finish.
    """
    systems.lock(call.db, system)
    facts = store.facts(call.db, system, body)
    if facts is None or facts.artifact_kind is None:
        raise systems.not_found(system)
    if body.environment is not None and not facts.has_environment:
        raise environments.not_found(system, body.environment)
    if body.artifact is not None:
        require_kind(body.artifact, facts.artifact_kind)
    rules.require_period(body, facts.at)
    rules.require_few(body, facts.freezes)
    rules.require_single(body, facts)
    artifact = rules.artifact_of(body, facts)
    hold = store.insert(call.db, system, body, call.principal, artifact=artifact, at=facts.at)
    audit.record(call, f"{system}/holds/{hold.id}", system=system, after=hold)
    return call.created(f"{call.address}/{hold.id}", hold)


@operation(blueprint, "GET /v1/systems/{system}/holds/{id}", role=Role.viewer)
def get_hold(call: Call, system: str, id: str) -> Hold:  # noqa: A002
    """Read a hold of a system."""
    return store.get(call.db, system, id)


@operation(blueprint, "POST /v1/systems/{system}/holds/{id}/release", role=Role.maintainer, raises=[hold_ended])
def release_hold(call: Call, system: str, id: str, body: Release) -> Hold:  # noqa: A002
    """Release a hold that is scheduled or active. The hold stays readable, with the release."""
    systems.lock(call.db, system)
    return _release(call, system, id, body)


@operation(blueprint, "GET /v1/holds", role=Role.viewer)
def list_freezes(call: Call, query: HoldOverSystemsQuery) -> Page[Hold]:
    """List the holds over several systems, the newest first. All of them are freezes."""
    return paging.page(call.address, query, store.ORDER, lambda **page: store.list_over_systems(call.db, query, **page))


@operation(blueprint, "POST /v1/holds", role=Role.admin, status=201, raises=[too_many_freezes])
def create_freeze(call: Call, body: NewHoldOverSystems) -> Hold:
    """Freeze all environments of all systems, or all production environments."""
    systems.lock_holds(call.db)
    facts = store.facts_over_systems(call.db)
    rules.require_period(body, facts.at)
    rules.require_few(body, facts.freezes)
    hold = store.insert(call.db, None, body, call.principal, artifact=None, at=facts.at)
    audit.record(call, f"holds/{hold.id}", after=hold)
    return call.created(f"{call.address}/{hold.id}", hold)


@operation(blueprint, "GET /v1/holds/{hold}", role=Role.viewer)
def get_freeze(call: Call, hold: Id) -> Hold:
    """Read a hold over several systems."""
    return store.get(call.db, None, hold)


@operation(blueprint, "POST /v1/holds/{hold}/release", role=Role.admin, raises=[hold_ended])
def release_freeze(call: Call, hold: Id, body: Release) -> Hold:
    """Release a hold over several systems that is scheduled or active. The hold stays readable, with the release."""
    systems.lock_holds(call.db)
    return _release(call, None, hold, body)


def _release(call: Call, system: str | None, id_: str, body: Release) -> Hold:
    before = store.get(call.db, system, id_)
    rules.require_standing(before)
    after = store.release(call.db, id_, body.reason, call.principal.subject)
    resource = f"holds/{id_}" if system is None else f"{system}/holds/{id_}"
    audit.record(call, resource, system=system, before=before, after=after)
    return after
