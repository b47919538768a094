"""Record a verification of the artifact that runs on a target, or import an old verification."""

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
    require_publisher(call, system, "verifications", new.environment)

    systems.lock(call.db, system)
    target = store.target(call.db, system, new)
    if target is None:
        raise environments.not_found(system, new.environment)
    if target.recorded_id is not None:
        return call.existing(store.get(call.db, system, target.recorded_id))
    rules.require_target(new, target)
    artifact = rules.verified_artifact(new, target)
    require_kind(artifact, target.artifact_kind)
    rules.require_few_suites(new, target)
    started_at, finished_at = rules.period(new, target.at)

    verification = store.insert(
        call.db,
        system,
        new,
        call.principal,
        artifact=artifact,
        started_at=started_at,
        finished_at=finished_at,
    )
    action = "verification.import" if new.imported else None
    audit.record(call, f"{system}/verifications/{verification.id}", action=action, system=system, after=verification)
    return call.created(f"{call.address}/{verification.id}", verification)
