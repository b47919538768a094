"""`/v1/systems/{system}/verifications`"""

from chalice.app import Blueprint

from chalicelib.environments import store as environments
from chalicelib.identity.roles import Role
from chalicelib.rest.operation import Call, operation
from chalicelib.rest.types import Page
from chalicelib.systems import store as systems
from chalicelib.systems.rules import require_kind
from chalicelib.targets.model import workspace_not_active
from chalicelib.verifications import rules, store
from chalicelib.verifications.model import (
    NewVerification,
    Verification,
    VerificationQuery,
    artifact_not_current,
)

blueprint = Blueprint(__name__)


@operation(blueprint, "GET /v1/systems/{system}/verifications", role=Role.viewer)
def list_verifications(call: Call, system: str, query: VerificationQuery) -> Page[Verification]:
    """List verifications, the last finished first."""
    page = call.page(query, store.ORDER, lambda **page: store.list_(call.db, system, query, **page))
    return systems.page_of(call.db, system, page)


@operation(
    blueprint,
    "POST /v1/systems/{system}/verifications",
    role=Role.pipeline,
    status=201,
    existing_status=True,
    raises=[artifact_not_current, workspace_not_active],
)
def record_verification(call: Call, system: str, body: NewVerification) -> Verification:
    """Record how a test suite ended on a target. A repeated import gets what is there, with status 200."""
    call.require(rules.role_to_record(body), system)
    call.require_publisher(system, "verifications", body.environment)
    systems.lock(call.db, system)
    target = store.target(call.db, system, body)
    if target is None:
        raise environments.not_found(system, body.environment)
    if target.recorded_id is not None:
        return call.existing(store.get(call.db, system, target.recorded_id))
    rules.require_target(body, target)
    artifact = rules.verified_artifact(body, target)
    require_kind(artifact, target.artifact_kind)
    started_at, finished_at = rules.period(body, target.at)
    verification = store.insert(
        call.db,
        system,
        body,
        call.principal,
        artifact=artifact,
        started_at=started_at,
        finished_at=finished_at,
    )
    action = "verification.import" if body.imported else None
    call.record(f"{system}/verifications/{verification.id}", action=action, system=system, after=verification)
    return call.created(f"{call.address}/{verification.id}", verification)


@operation(blueprint, "GET /v1/systems/{system}/verifications/{id}", role=Role.viewer)
def get_verification(call: Call, system: str, id: str) -> Verification:  # noqa: A002
    """Read a verification."""
    return store.get(call.db, system, id)
