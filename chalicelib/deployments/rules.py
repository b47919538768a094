"""The rules for opening a deployment, and for recording its statuses."""

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
from chalicelib.targets.model import DEFAULT
from chalicelib.targets.rules import require_active, require_known

MAX_AHEAD = timedelta(seconds=60)


def role_to_open(new: NewDeployment) -> Role:
    """A pipeline may open deployments. Importing history and overriding the gate need the role maintainer."""
    return Role.maintainer if new.imported or new.override_reason is not None else Role.pipeline


def require_revision(new: NewDeployment, permits: Sequence[TrustRule], run_sha: str | None) -> None:
    """A pipeline's rollout or hotfix has the commit of the run, unless a publisher allows any revision.

    A rollback may have any revision. Callers that need no publisher may record any revision.
    """
    if not permits or new.kind == "rollback" or any(publisher.any_revision for publisher in permits):
        return
    if new.revision != run_sha:
        raise invalid_field(
            "#/revision",
            f"is not the commit of this run: send {run_sha!r}",
        )


def require_target(new: NewDeployment, facts: OpeningFacts) -> None:
    """A deployment goes to an active workspace of an environment. Imported history may name any workspace."""
    state = require_known(new.workspace, facts.workspace_state)
    if not new.imported:
        require_active(new.environment, new.workspace, state)


def require_past(at: datetime, **moments: datetime | None) -> None:
    """A recorded time is not in the future. Clocks may differ by a minute."""
    for name, moment in moments.items():
        if moment is not None and moment > at + MAX_AHEAD:
            raise invalid_field(f"#/{name}", f"is in the future: send {at:%Y-%m-%dT%H:%M:%SZ} or earlier")


def gate_decision(new: NewDeployment, facts: OpeningFacts) -> Decision | None:
    """Return the gate's decision. None for a rollback or a workspace other than `default`, which need no decision."""
    if new.kind == "rollback" or new.workspace != DEFAULT:
        return None
    return decide(facts.gate, facts.at)


def denial(new: NewDeployment, decision: Decision) -> Problem | None:
    """Return the gate's denial. None if the gate grants the promotion, or if `override_reason` overrides the gate."""
    if not decision.blockers or new.override_reason is not None:
        return None
    return Problem(
        promotion_denied,
        "; ".join(f"{blocker.code}: {blocker.detail}" for blocker in decision.blockers),
        blockers=decision.blockers,
        more_blockers=decision.more_blockers,
    )


def require_good_rollback(new: NewDeployment, facts: OpeningFacts) -> None:
    """A rollback goes to another artifact that succeeded on this target and failed no suite's latest run there."""
    if new.kind != "rollback":
        return
    target = new.environment if new.workspace == DEFAULT else f"the workspace {new.workspace} of {new.environment}"
    if new.artifact == facts.current_artifact:
        reason = f"the artifact runs in {target} now"
    elif not facts.standing.has_succeeded:
        reason = f"no deployment of the artifact to {target} has succeeded"
    elif facts.standing.failed_suites:
        reason = f"{', '.join(facts.standing.failed_suites)} failed in {target}"
    else:
        return
    raise Problem(
        rollback_refused,
        f"A rollback to {new.artifact!r} is refused, because {reason}. Choose another artifact.",
        errors=[Fault("#/artifact", f"{reason}: choose another artifact")],
    )


def require_free(facts: OpeningFacts) -> None:
    """A target takes one deployment at a time."""
    if facts.holder is not None:
        raise Problem(
            target_busy,
            f"Deployment {facts.holder.id} holds the target until {facts.holder.lease_expires_at:%Y-%m-%dT%H:%M:%SZ}. "
            "Wait for this deployment, then try again.",
            holder=facts.holder,
        )


def require_open(deployment: Deployment, at: datetime) -> None:
    """A status needs a deployment that is in progress and whose lease has not expired."""
    expires_at = deployment.lease_expires_at
    if deployment.state == "in_progress":
        expired = expires_at is not None and expires_at <= at
    else:
        # A deployment that was cancelled because its lease expired has the end of the lease as `finished_at`.
        expired = deployment.state == "cancelled" and deployment.detail == LEASE_EXPIRED
        expired = expired and deployment.finished_at == expires_at
        if not expired:
            raise Problem(
                deployment_final,
                f"The deployment ended as {deployment.state} at {deployment.finished_at:%Y-%m-%dT%H:%M:%SZ}: "
                "open a new deployment",
            )
    if expired:
        raise Problem(lease_expired, f"The lease expired at {expires_at:%Y-%m-%dT%H:%M:%SZ}: open a new deployment")
