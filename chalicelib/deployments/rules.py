"""The rules for opening a deployment, and for recording its statuses."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from chalicelib.approvals.model import Person
from chalicelib.deployments.model import (
    LEASE_EXPIRED,
    Deployment,
    NewDeployment,
    OpeningFacts,
    Recorded,
    deployment_final,
    lease_expired,
    rollback_refused,
    target_busy,
)
from chalicelib.holds.rules import freezing
from chalicelib.identity.roles import Role
from chalicelib.identity.trust import TrustRule
from chalicelib.promotions import rules as promotions
from chalicelib.promotions.model import Blocker, Decision, promotion_denied
from chalicelib.rest import problems
from chalicelib.rest.problems import Fault, Problem, invalid_field
from chalicelib.targets.model import DEFAULT, Maker
from chalicelib.targets.rules import is_same, require_active, require_known

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


def require_past(at: datetime, *, may_differ: timedelta = MAX_AHEAD, **moments: datetime | None) -> None:
    """A recorded time is not in the future. Clocks may differ by a minute, except in imported history."""
    for name, moment in moments.items():
        if moment is not None and moment > at + may_differ:
            raise invalid_field(f"#/{name}", f"is in the future: send {at:%Y-%m-%dT%H:%M:%SZ} or earlier")


def require_before_recorded(finished_at: datetime | None, recorded_from: datetime | None) -> None:
    """Rule 16: what is imported ended before the first deployment to the target that the service recorded itself."""
    if finished_at is not None and recorded_from is not None and finished_at > recorded_from:
        raise invalid_field(
            "#/finished_at",
            f"is later than {recorded_from:%Y-%m-%dT%H:%M:%SZ}, when the service recorded the first deployment to the "
            "target itself: only import what ended before",
        )


def require_same_import(new: NewDeployment, recorded: Recorded) -> None:
    """Rule 16: a repeated import says the same as the first one."""
    sent = {"kind": new.kind, "state": new.state, "started_at": new.started_at, "commit_count": len(new.commits)}
    other = [name for name, value in sent.items() if value != getattr(recorded, name)]
    if new.imported and other:
        raise Problem(
            problems.conflict,
            f"This was imported as deployment {recorded.id}, a {recorded.kind} that ended as {recorded.state}. There, "
            f"this is different: {', '.join(other)}. Find out which is true",
        )


def decision(new: NewDeployment, facts: OpeningFacts, opener: Person) -> Decision | None:
    """Return the decision about a deployment. None for a rollout or hotfix to a workspace, which needs none."""
    if new.kind == "rollback":
        blockers = [*rollback_blockers(facts)]
        if new.workspace == DEFAULT:
            blockers += promotions.rollback_blockers(facts.gate, facts.at)
        return Decision.because(blockers)
    return promotions.decide(facts.gate, facts.at, opener) if new.workspace == DEFAULT else None


def require_right_to_override(new: NewDeployment, facts: OpeningFacts, role: Role) -> None:
    """Rule 4: only an admin deploys past a hold over several systems. A decision may leave out its last blockers."""
    if new.override_reason is None or new.workspace != DEFAULT or role >= Role.admin:
        return
    holds = promotions.of_rollbacks(facts.gate.holds) if new.kind == "rollback" else facts.gate.holds
    stopping = [hold for hold in freezing(holds, facts.at) if hold.over_systems]
    if stopping:
        raise Problem(
            problems.forbidden,
            f"The hold {stopping[0].id} is over several systems, and only an admin may deploy past it: ask an admin",
        )


def refusal(new: NewDeployment, facts: OpeningFacts, decision: Decision) -> Problem | None:
    """Return the refusal of a deployment. None if nothing blocks it, or if `override_reason` overrides what does.

    Rule 2: a rollback also goes to another artifact than the current one, unless the last attempt to deploy failed.
    """
    if new.override_reason is not None:
        return None
    blocked = "; ".join(f"{blocker.code}: {blocker.detail}" for blocker in decision.blockers)
    if new.kind != "rollback":
        return _denied(blocked, decision) if blocked else None
    if new.artifact == facts.current_artifact and facts.last_state == "succeeded":
        blocked = "; ".join(filter(None, ["it runs there now", blocked]))
    return _refused_rollback(new, blocked, decision) if blocked else None


def require_former(new: NewDeployment, facts: OpeningFacts) -> None:
    """Rule 2: a rollback goes to an artifact that succeeded on this target. No override passes this."""
    if new.kind == "rollback" and facts.standing.deployed_at is None:
        raise _refused_rollback(new, "no deployment of the artifact there has succeeded", Decision.because(()))


def rollback_blockers(facts: OpeningFacts) -> Iterator[Blocker]:
    """Rule 2: no rollback went back behind the artifact, and its latest verification on the target did not fail."""
    standing, environment = facts.standing, facts.gate.environment
    if standing.rolled_back is not None:
        yield promotions.rolled_back(standing.rolled_back, environment)
    for suite in standing.failed_suites:
        yield promotions.failed(suite, environment)


def _denied(blocked: str, decision: Decision) -> Problem:
    return Problem(
        promotion_denied,
        blocked,
        blockers=decision.blockers,
        more_blockers=decision.more_blockers,
        still_required=decision.still_required,
    )


def _refused_rollback(new: NewDeployment, reason: str, decision: Decision) -> Problem:
    target = new.environment if new.workspace == DEFAULT else f"the workspace {new.workspace} of {new.environment}"
    return Problem(
        rollback_refused,
        f"A rollback of {target} to {new.artifact!r} is refused: {reason}. Choose another artifact.",
        errors=[Fault("#/artifact", f"is refused: {reason}. Choose another artifact")],
        blockers=decision.blockers,
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


def require_right_to_continue(id_: str, opener: Maker, caller: Maker, role: Role) -> None:
    """A pipeline sends statuses only for deployments of its own repository, and for those that a person opened.

    So a run can continue a deployment that a maintainer opened with an override. A maintainer may end any deployment.
    """
    if role >= Role.maintainer or opener.repository_id is None or is_same(opener, caller):
        return
    raise Problem(
        problems.forbidden,
        f"A run of another repository, {opener.subject!r}, opened the deployment {id_!r}: let that repository or a "
        "maintainer end it",
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
