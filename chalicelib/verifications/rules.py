"""The rules of a verification: the role to record it, the deployment that it tested, its times."""

from datetime import datetime, timedelta

from chalicelib.deployments.rules import MAX_AHEAD, require_before_recorded, require_past
from chalicelib.identity.roles import Role
from chalicelib.rest import problems
from chalicelib.rest.problems import Problem, invalid_field
from chalicelib.targets.rules import require_known, require_standing
from chalicelib.verifications.model import (
    MOST_SUITES,
    ImportedTarget,
    NewVerification,
    RecordedImport,
    VerifiedDeployment,
    deployment_not_current,
    too_many_suites,
)

# A suite that was running when another deployment replaced its own still counts for its own.
TESTABLE_AFTER_REPLACEMENT = timedelta(hours=24)


def role_to_record(new: NewVerification) -> Role:
    """A pipeline may record verifications. Importing history needs the role maintainer."""
    return Role.maintainer if new.imported else Role.pipeline


def unknown_deployment(system: str, id_: str) -> Problem:
    return invalid_field("#/deployment", f"{id_!r} is not a deployment of {system!r}: correct the id, or the system")


def require_testable(tested: VerifiedDeployment) -> None:
    """Rule 13: the deployment is in progress, is the current one, or was replaced less than 24 hours ago.

    Its workspace may have expired, but was not destroyed.
    """
    require_standing(tested.environment, tested.workspace, tested.workspace_state)
    if tested.state in ("failed", "cancelled"):
        raise Problem(
            deployment_not_current,
            f"Deployment {tested.id} ended as {tested.state}, so it never ran: verify the current deployment",
        )
    if tested.replaced_at is not None and tested.at - tested.replaced_at >= TESTABLE_AFTER_REPLACEMENT:
        raise Problem(
            deployment_not_current,
            f"Deployment {tested.id} was replaced at {tested.replaced_at:%Y-%m-%dT%H:%M:%SZ}, which is 24 hours ago or "
            "more: verify the current deployment",
        )


def require_few_suites(new: NewVerification, tested: VerifiedDeployment | ImportedTarget) -> None:
    """At most MOST_SUITES suites verify a deployment, beside those that an environment of the system requires."""
    if tested.other_suites >= MOST_SUITES:
        raise Problem(
            too_many_suites,
            f"{tested.other_suites} other suites have verified the deployment, which is the most: record this run of "
            f"{new.suite!r} under the name of one of them",
        )


def imported_deployment(new: NewVerification, target: ImportedTarget) -> str:
    """Return the id of the deployment that an imported verification tested.

    It is the artifact's last deployment to the target that had succeeded before the run started. The run ended before
    the service recorded the target's first own deployment. The workspace may be a destroyed one.
    """
    require_known(new.workspace or "default", target.workspace_state)
    require_before_recorded(new.finished_at, target.recorded_from)
    if target.deployment_id is None:
        raise invalid_field(
            "#/artifact",
            "had no succeeded deployment to the target before `started_at`: import the deployment first, or correct "
            "the times",
        )
    return target.deployment_id


def require_same_import(new: NewVerification, recorded: RecordedImport) -> None:
    """Rule 16: a repeated import says the same as the first one."""
    facts = ("outcome", "trigger", "started_at", "passed", "failed", "skipped")
    if other := [name for name in facts if getattr(new, name) != getattr(recorded, name)]:
        raise Problem(
            problems.conflict,
            f"This run was imported as verification {recorded.id}, with the outcome {recorded.outcome}. There, this is "
            f"different: {', '.join(other)}. Find out which is true",
        )


def period(new: NewVerification, at: datetime) -> tuple[datetime, datetime]:
    """Return when the run started and finished. A missing finish is now; a missing start is the finish.

    A time up to a minute ahead counts as now. Otherwise the verification would count as later than others in that
    minute. Imported history keeps its exact times, so that a repeated import is recognised.
    """
    times = {"started_at": new.started_at, "finished_at": new.finished_at}
    require_past(at, may_differ=timedelta() if new.imported else MAX_AHEAD, **times)
    if new.imported:
        assert new.started_at is not None
        assert new.finished_at is not None
        return new.started_at, new.finished_at
    finished_at = min(new.finished_at or at, at)
    return min(new.started_at or finished_at, finished_at), finished_at
