"""The rules of a verification: the role to record it, its target, its artifact, its times."""

from datetime import datetime

from chalicelib.deployments.rules import require_past
from chalicelib.identity.roles import Role
from chalicelib.rest.problems import Problem
from chalicelib.targets.rules import require_known, require_standing
from chalicelib.verifications.model import (
    MOST_SUITES,
    NewVerification,
    VerifiedTarget,
    artifact_not_current,
    too_many_suites,
)


def role_to_record(new: NewVerification) -> Role:
    """A pipeline may record verifications. Importing history needs the role maintainer."""
    return Role.maintainer if new.imported else Role.pipeline


def require_target(new: NewVerification, target: VerifiedTarget) -> None:
    """An expired workspace may still be verified. Imported history may also name a destroyed workspace."""
    state = require_known(new.workspace, target.workspace_state)
    if not new.imported:
        require_standing(new.environment, new.workspace, state)


def require_few_suites(new: NewVerification, target: VerifiedTarget) -> None:
    """At most MOST_SUITES suites verify an artifact on a target."""
    if target.other_suites >= MOST_SUITES:
        raise Problem(
            too_many_suites,
            f"{target.other_suites} other suites have verified the artifact on the target, which is the most: record "
            f"this run of {new.suite!r} under the name of one of them",
        )


def verified_artifact(new: NewVerification, target: VerifiedTarget) -> str:
    """Return the verified artifact: the one that runs on the target, or the one that imported history names."""
    if new.imported:
        assert new.artifact is not None
        return new.artifact
    if target.current_artifact is None:
        raise Problem(artifact_not_current, "No deployment to the target has succeeded: deploy to the target first")
    if new.artifact not in (None, target.current_artifact):
        raise Problem(
            artifact_not_current,
            f"{target.current_artifact!r} runs on the target, not {new.artifact!r}: "
            "verify the artifact that runs there",
        )
    return target.current_artifact


def period(new: NewVerification, at: datetime) -> tuple[datetime, datetime]:
    """Return when the run started and finished. A missing finish is now; a missing start is the finish.

    A time up to a minute ahead counts as now. Otherwise the verification would count as later than others in that
    minute. Imported history keeps its exact times, so that a repeated import is recognised.
    """
    require_past(at, started_at=new.started_at, finished_at=new.finished_at)
    if new.imported:
        assert new.started_at is not None
        assert new.finished_at is not None
        return new.started_at, new.finished_at
    finished_at = min(new.finished_at or at, at)
    return min(new.started_at or finished_at, finished_at), finished_at
