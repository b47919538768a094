"""What may become of a deployment: who may open it, where it may go, when it is over."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from chalicelib.deployments.model import (
    LEASE_EXPIRED,
    Deployment,
    NewDeployment,
    OpeningFacts,
    deployment_final,
    lease_expired,
    rollback_refused,
    target_busy,
)
from chalicelib.identity.roles import Role
from chalicelib.identity.trust import TrustRule
from chalicelib.promotions.model import Decision, promotion_denied
from chalicelib.promotions.rules import decide
from chalicelib.rest.problems import Fault, Problem, invalid_field
from chalicelib.targets.rules import require_active, require_known

MAX_AHEAD = timedelta(seconds=60)


def role_to_open(new: NewDeployment) -> Role:
    """To record history, and to pass the gate, takes a maintainer."""
    return Role.maintainer if new.imported or new.override_reason is not None else Role.pipeline


def require_revision(new: NewDeployment, permits: Sequence[TrustRule], run_sha: str | None) -> None:
    """A pipeline rolls out the commit that its run is of, unless a publisher that lets it says otherwise.

    A rollback is of the revision that it goes back to. Who needs no publisher says what he likes.
    """
    if not permits or new.kind == "rollback" or any(publisher.any_revision for publisher in permits):
        return
    if new.revision != run_sha:
        raise invalid_field("#/revision", f"is not {run_sha}, the commit that the run is of")


def require_target(new: NewDeployment, facts: OpeningFacts) -> None:
    """A deployment goes to an environment, or to an active workspace of it. History may be of one that is no more."""
    state = require_known(new.workspace, facts.workspace_state)
    if not new.imported:
        require_active(new.environment, new.workspace, state)


def require_past(at: datetime, **moments: datetime | None) -> None:
    """What is recorded has happened; clocks may differ by a minute."""
    for name, moment in moments.items():
        if moment is not None and moment > at + MAX_AHEAD:
            raise invalid_field(f"#/{name}", "lies in the future")


def gate_decision(new: NewDeployment, facts: OpeningFacts) -> Decision | None:
    """What the gate says; None where it is not asked: rollbacks and other workspaces pass it by."""
    if new.kind == "rollback" or new.workspace != "default":
        return None
    return decide(facts.gate, facts.at)


def denial(new: NewDeployment, decision: Decision) -> Problem | None:
    """A deployment passes the gate with its grant, or with a maintainer's reason. Return the denial, else None."""
    if not decision.blockers or new.override_reason is not None:
        return None
    return Problem(
        promotion_denied,
        "; ".join(f"{blocker.code}: {blocker.detail}" for blocker in decision.blockers),
        blockers=decision.blockers,
    )


def require_good_rollback(new: NewDeployment, facts: OpeningFacts) -> None:
    """A rollback goes to another artifact that succeeded on this target, and did not fail there since."""
    if new.kind != "rollback":
        return
    if new.artifact == facts.current_artifact:
        reason = "it is what runs there now"
    elif not facts.standing.has_succeeded:
        reason = "it has never succeeded there"
    elif facts.standing.failed_suites:
        reason = f"its latest verification there failed ({', '.join(facts.standing.failed_suites)})"
    else:
        return
    raise Problem(rollback_refused, f"{new.artifact} is no way back: {reason}", errors=[Fault("#/artifact", reason)])


def require_free(facts: OpeningFacts) -> None:
    """One deployment at a time for a target."""
    if facts.holder is not None:
        raise Problem(
            target_busy,
            f"Deployment {facts.holder.id} holds the target until {facts.holder.lease_expires_at:%Y-%m-%dT%H:%M:%SZ}",
            holder=facts.holder,
        )


def require_open(deployment: Deployment, at: datetime) -> None:
    """A status reaches a deployment that is in progress and whose lease has not run out."""
    expires_at = deployment.lease_expires_at
    if deployment.state == "in_progress":
        expired = expires_at is not None and expires_at <= at
    else:
        # A lease that was found expired made its end the deployment's.
        expired = deployment.state == "cancelled" and deployment.detail == LEASE_EXPIRED
        expired = expired and deployment.finished_at == expires_at
        if not expired:
            raise Problem(deployment_final, f"The deployment {deployment.state} at {deployment.finished_at}")
    if expired:
        raise Problem(lease_expired, f"The lease ran out at {expires_at}; the deployment counts as cancelled")
