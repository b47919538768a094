"""What may be recorded as a verification."""

from datetime import datetime

from chalicelib.deployments.rules import require_past
from chalicelib.identity.roles import Role
from chalicelib.rest.problems import Problem
from chalicelib.targets.rules import require_known, require_standing
from chalicelib.verifications.model import NewVerification, VerifiedTarget, artifact_not_current


def role_to_record(new: NewVerification) -> Role:
    """To record history takes a maintainer."""
    return Role.maintainer if new.imported else Role.pipeline


def require_target(new: NewVerification, target: VerifiedTarget) -> None:
    """What is verified is there, be its time over. History may be of a workspace that is no more."""
    state = require_known(new.workspace, target.workspace_state)
    if not new.imported:
        require_standing(new.environment, new.workspace, state)


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
    """When it started and finished; what is not given is now.

    A clock that is ahead of ours by less than a minute is forgiven, and read as now: else what it dated ahead would
    count as later than what happens in that minute. History keeps its times to the letter, so that a repeated import
    is recognised.
    """
    require_past(at, started_at=new.started_at, finished_at=new.finished_at)
    if new.imported:
        assert new.started_at is not None
        assert new.finished_at is not None
        return new.started_at, new.finished_at
    finished_at = min(new.finished_at or at, at)
    return min(new.started_at or finished_at, finished_at), finished_at
