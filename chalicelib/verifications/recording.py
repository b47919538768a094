"""Record a verification of a deployment, or import an old verification."""

from chalicelib.environments import store as environments
from chalicelib.rest import audit
from chalicelib.rest.admission import require_publisher, require_role
from chalicelib.rest.call import Call
from chalicelib.systems import store as systems
from chalicelib.targets.rules import require_kind
from chalicelib.verifications import rules, store
from chalicelib.verifications.model import NewVerification, Verification


def record_verification(call: Call, system: str, new: NewVerification) -> Verification:
    """Record a verification. A repeated import gets the recorded verification."""
    require_role(call, rules.role_to_record(new), system)
    systems.lock(call.db, system)
    return _import(call, system, new) if new.imported else _record(call, system, new)


def _record(call: Call, system: str, new: NewVerification) -> Verification:
    assert new.deployment is not None
    tested = store.verified_deployment(call.db, system, new.deployment, new.suite)
    if tested is None:
        systems.get(call.db, system)
        raise rules.unknown_deployment(system, new.deployment)
    require_publisher(call, system, "verifications", tested.environment)
    rules.require_testable(tested)
    rules.require_few_suites(new, tested)
    started_at, finished_at = rules.period(new, tested.at)
    verification = store.insert(
        call.db, new, call.principal, deployment=tested.id, started_at=started_at, finished_at=finished_at
    )
    audit.record(call, f"{system}/verifications/{verification.id}", system=system, after=verification)
    return call.created(f"{call.address}/{verification.id}", verification)


def _import(call: Call, system: str, new: NewVerification) -> Verification:
    assert new.environment is not None
    assert new.artifact is not None
    target = store.imported_target(call.db, system, new)
    if target is None:
        raise environments.not_found(system, new.environment)
    if target.recorded is not None:
        rules.require_same_import(new, target.recorded)
        return call.existing(store.get(call.db, system, target.recorded.id))
    require_kind(new.artifact, target.artifact_kind)
    deployment = rules.imported_deployment(new, target)
    rules.require_few_suites(new, target)
    started_at, finished_at = rules.period(new, target.at)
    verification = store.insert(
        call.db,
        new,
        call.principal,
        deployment=deployment,
        started_at=started_at,
        finished_at=finished_at,
        late=target.recorded_from is not None,
    )
    resource = f"{system}/verifications/{verification.id}"
    audit.record(call, resource, action="verification.import", system=system, after=verification)
    return call.created(f"{call.address}/{verification.id}", verification)
