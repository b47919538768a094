"""The verifications that may be recorded, with their artifact and times."""

from datetime import datetime

from chalicelib.deployments.rules import require_past
from chalicelib.identity.roles import Role
from chalicelib.rest.problems import Problem
from chalicelib.targets.rules import require_known, require_standing
from chalicelib.verifications.model import NewVerification, VerifiedTarget, artifact_not_current


def role_to_record(new: NewVerification) -> Role:
    """A pipeline records verifications. Importing history takes a maintainer."""
    return Role.maintainer if new.imported else Role.pipeline


def require_target(new: NewVerification, target: VerifiedTarget) -> None:
    """A workspace that has expired may still be verified. Imported history may name a destroyed one."""
    state = require_known(new.workspace, target.workspace_state)
    if not new.imported:
        require_standing(new.environment, new.workspace, state)


def verified_artifact(new: NewVerification, target: VerifiedTarget) -> str:
    """Return the artifact that was verified: the one that runs on the target. Imported history names its own."""
    if new.imported:
        assert new.artifact is not None
        return new.artifact
    if target.current_artifact is None:
        raise Problem(artifact_not_current, "The target has no succeeded deployment: deploy to it first")
    if new.artifact not in (None, target.current_artifact):
        raise Problem(artifact_not_current, f"{target.current_artifact} runs on the target, not {new.artifact}")
    return target.current_artifact


def period(new: NewVerification, at: datetime) -> tuple[datetime, datetime]:
    """Return when it started and finished. A time that is missing is now.

    A time up to a minute ahead of our clock is read as now: otherwise it would count as later than what happens in that
    minute. Imported history keeps its exact times, so that a repeated import is recognised.
    """
    require_past(at, started_at=new.started_at, finished_at=new.finished_at)
    if new.imported:
        assert new.started_at is not None
        assert new.finished_at is not None
        return new.started_at, new.finished_at
    finished_at = min(new.finished_at or at, at)
    return min(new.started_at or finished_at, finished_at), finished_at
