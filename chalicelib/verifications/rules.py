"""What may be recorded as a verification."""

from datetime import datetime

from chalicelib.deployments.rules import require_past
from chalicelib.identity.roles import Role
from chalicelib.rest.problems import Problem, invalid_field
from chalicelib.verifications.model import NewVerification, VerifiedTarget, artifact_not_current


def role_to_record(new: NewVerification) -> Role:
    """To record history takes a maintainer."""
    return Role.maintainer if new.imported else Role.pipeline


def verified_artifact(new: NewVerification, target: VerifiedTarget) -> str:
    """The artifact that was verified: what runs on the target, unless history is imported."""
    if new.imported:
        assert new.artifact is not None
        return new.artifact
    if target.current_artifact is None:
        raise Problem(artifact_not_current, "Nothing has been deployed to the target successfully")
    if new.artifact not in (None, target.current_artifact):
        raise Problem(artifact_not_current, f"{target.current_artifact} runs on the target, not {new.artifact}")
    return target.current_artifact


def period(new: NewVerification, at: datetime) -> tuple[datetime, datetime]:
    """When it started and finished; what is not given is now."""
    require_past(at, started_at=new.started_at, finished_at=new.finished_at)
    # A start within the tolerated minute ahead of our clock moves the end along.
    finished_at = new.finished_at or max(at, new.started_at or at)
    started_at = new.started_at or finished_at
    if started_at > finished_at:
        raise invalid_field("#/finished_at", "is before started_at")
    return started_at, finished_at
