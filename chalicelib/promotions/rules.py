"""The gate: may an artifact enter an environment with a rollout or a hotfix?

Each rule is one function, whose docstring states the rule. The function yields a blocker for everything that
breaks the rule.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

import msgspec

from chalicelib.approvals.model import Person
from chalicelib.approvals.rules import counting
from chalicelib.holds.model import HoldFact
from chalicelib.holds.rules import bad, freezing, lifts_at, pinning
from chalicelib.identity.roles import Role
from chalicelib.promotions.model import (
    Blocker,
    BlockerCode,
    Decision,
    EnvironmentBefore,
    GateFacts,
    NewPromotion,
    RolledBack,
    StillRequired,
)
from chalicelib.rest.problems import invalid_field

# A dry run may ask about the time until then.
MAX_AHEAD = timedelta(days=90)
_CLOCKS_DIFFER = timedelta(minutes=1)
# The characters of a hold's reason, and of its owner, that a blocker repeats.
_MOST_REPEATED = 100


def decide(facts: GateFacts, at: datetime, opener: Person | None = None) -> Decision:
    """Grant the promotion at this moment if no rule yields a blocker. Otherwise deny it with the blockers.

    `opener` is the person who opens a deployment: their own approval does not count.
    """
    blockers = [
        *(blocker for rule in RULES if facts.before for blocker in rule(facts, facts.before, at)),
        *approved(facts, at, opener),
        *held(facts, at),
    ]
    return Decision.because(blockers, still_required(facts, at, opener, blockers))


def rollback_blockers(facts: GateFacts, at: datetime) -> Iterator[Blocker]:
    """Yield the holds that stop a rollback: freezes that say so, a pin to another artifact, and bad marks."""
    yield from held(msgspec.structs.replace(facts, holds=of_rollbacks(facts.holds)), at)


def of_rollbacks(holds: Iterable[HoldFact]) -> tuple[HoldFact, ...]:
    """Return the holds that concern rollbacks."""
    return tuple(hold for hold in holds if hold.kind != "freeze" or hold.blocks_rollbacks)


def deployed(facts: GateFacts, before: EnvironmentBefore, at: datetime) -> Iterator[Blocker]:
    """A deployment of the artifact to the environment with the next lower rank has succeeded.

    If several deployments have succeeded, the latest counts.
    """
    if before.deployed_at is None:
        yield Blocker(
            code="not-deployed",
            environment=before.name,
            detail=f"no deployment of the artifact to {before.name} has succeeded: deploy the artifact there first",
        )


def not_rolled_back(facts: GateFacts, before: EnvironmentBefore, at: datetime) -> Iterator[Blocker]:
    """No rollback, there or in the environment itself, went back behind the artifact since that deployment.

    A rollback goes back behind the artifact from the artifact or a later one to an earlier one.
    """
    if before.rolled_back is not None:
        yield rolled_back(before.rolled_back, before.name)


def verified(facts: GateFacts, before: EnvironmentBefore, at: datetime) -> Iterator[Blocker]:
    """Every required suite has a verdict on that deployment.

    If no suite is required, at least one suite has a verdict.
    """
    if before.deployed_at is None:
        return
    ran = {verdict.suite for verdict in before.verdicts}
    for suite in sorted(set(facts.required_suites) - ran):
        yield Blocker(
            code="not-verified",
            environment=before.name,
            suite=suite,
            detail=f"{suite} has not run in {before.name} on the artifact's latest deployment there: run the suite",
        )
    if not ran and not facts.required_suites:
        yield Blocker(
            code="not-verified",
            environment=before.name,
            detail=f"no suite has run in {before.name} on the artifact's latest deployment there: run a suite",
        )


def verified_successfully(facts: GateFacts, before: EnvironmentBefore, at: datetime) -> Iterator[Blocker]:
    """No verdict on that deployment is a failure. This includes suites that are not required."""
    for verdict in before.verdicts:
        if verdict.outcome == "failure":
            yield failed(verdict.suite, before.name)


def verified_lately(facts: GateFacts, before: EnvironmentBefore, at: datetime) -> Iterator[Blocker]:
    """No verdict of a required suite is older than the environment allows. If no suite is required, no verdict is."""
    if facts.verification_max_age_seconds is None:
        return
    max_age = timedelta(seconds=facts.verification_max_age_seconds)
    for verdict in before.verdicts:
        counts = not facts.required_suites or verdict.suite in facts.required_suites
        if counts and at - verdict.counts_at > max_age:
            yield Blocker(
                code="verification-expired",
                environment=before.name,
                suite=verdict.suite,
                detail=f"{verdict.suite} ran in {before.name} more than {max_age} ago: run the suite again",
            )


def soaked(facts: GateFacts, before: EnvironmentBefore, at: datetime) -> Iterator[Blocker]:
    """The artifact was current in the environment with the next lower rank for the required time.

    The time starts when the artifact's latest deployment there has finished. If another artifact replaced it sooner,
    only another deployment helps.
    """
    if before.deployed_at is None:
        return
    soaked_at = before.deployed_at + timedelta(seconds=facts.required_soak_seconds)
    if before.replaced_at is not None and before.replaced_at < soaked_at:
        yield Blocker(
            code="soaking",
            environment=before.name,
            detail=f"the artifact must soak in {before.name} for {facts.required_soak_seconds} s, but was replaced at "
            f"{_moment(before.replaced_at)}: deploy the artifact there again",
        )
    elif at < soaked_at:
        yield Blocker(
            code="soaking",
            environment=before.name,
            detail=f"the artifact must soak in {before.name} for {facts.required_soak_seconds} s: "
            f"wait until {_moment(soaked_at)}",
            available_at=soaked_at,
        )


# Rules about the environment before. The lowest environment has none. A decision lists its blockers in this order,
# followed by those of `approved` and `held`.
RULES = (deployed, not_rolled_back, verified, verified_successfully, verified_lately, soaked)


def approved(facts: GateFacts, at: datetime, opener: Person | None) -> Iterator[Blocker]:
    """As many people as the environment requires approve the artifact. The person who opens the deployment is none."""
    if missing := _missing_approvals(facts, at, opener):
        given = facts.required_approvals - missing
        yield Blocker(
            code="not-approved",
            environment=facts.environment,
            detail=f"{given} of {facts.required_approvals} required approvals are given: ask another maintainer of "
            f"{facts.system} to approve, with POST /v1/systems/{facts.system}/approvals",
        )


def held(facts: GateFacts, at: datetime) -> Iterator[Blocker]:
    """No freeze holds, the environment has no pin to another artifact, and the artifact has no bad mark."""
    for freeze in freezing(facts.holds, at):
        ends_at = lifts_at([freeze], at)
        wait = f"wait until {_moment(ends_at)}, or release it" if ends_at else "release it"
        yield _stopped("frozen", facts, freeze, f"{facts.environment} is frozen", wait, ends_at)
    for pin in pinning(facts.holds, facts.artifact):
        yield _stopped("pinned", facts, pin, f"{facts.environment} is pinned to {pin.artifact}", "release it")
    for mark in bad(facts.holds):
        yield _stopped("marked-bad", facts, mark, "the artifact is marked bad", "use another artifact, or release it")


def still_required(
    facts: GateFacts, at: datetime, opener: Person | None, blockers: Iterable[Blocker]
) -> StillRequired | None:
    """Return the requirements that start anew. None unless the artifact must be deployed to the environment before."""
    redeploy = ("not-deployed", "rolled-back")
    if any(each.code in redeploy or (each.code == "soaking" and each.available_at is None) for each in blockers):
        return StillRequired(
            suites=facts.required_suites,
            soak_seconds=facts.required_soak_seconds,
            approvals=_missing_approvals(facts, at, opener),
        )
    return None


def rolled_back(rollback: RolledBack, deploy_to: str) -> Blocker:
    return Blocker(
        code="rolled-back",
        environment=rollback.environment,
        detail=f"a rollback in {rollback.environment} went back to {rollback.artifact} at {_moment(rollback.at)}: "
        f"correct the fault, or deploy the artifact to {deploy_to} again",
    )


def failed(suite: str, environment: str) -> Blocker:
    return Blocker(
        code="verification-failed",
        environment=environment,
        suite=suite,
        detail=f"{suite} failed in {environment}: correct the fault, then run the suite again",
    )


def role_to_decide(*, dry_run: bool) -> Role:
    """A viewer may ask the gate. Recording the decision takes the role pipeline."""
    return Role.viewer if dry_run else Role.pipeline


def moment_of(new: NewPromotion, at: datetime) -> datetime:
    """Return the moment that a decision is about. A dry run may ask about the next 90 days."""
    if new.at is None:
        return at
    if not at - _CLOCKS_DIFFER <= new.at <= at + MAX_AHEAD:
        raise invalid_field("#/at", "is past, or more than 90 days ahead: send a moment in the next 90 days")
    return new.at


def _missing_approvals(facts: GateFacts, at: datetime, opener: Person | None) -> int:
    return max(0, facts.required_approvals - len(counting(facts.approvals, at, opener)))


def _stopped(
    code: BlockerCode, facts: GateFacts, hold: HoldFact, what: str, next_step: str, ends_at: datetime | None = None
) -> Blocker:
    path = "/v1/holds" if hold.over_systems else f"/v1/systems/{facts.system}/holds"
    return Blocker(
        code=code,
        environment=facts.environment,
        hold=hold.id,
        detail=f"{what} by {_cut(hold.created_by)} ({_cut(hold.reason)}): {next_step}, "
        f"with POST {path}/{hold.id}/release",
        available_at=ends_at,
    )


def _cut(text: str) -> str:
    return text if len(text) <= _MOST_REPEATED else f"{text[:_MOST_REPEATED]}…"


def _moment(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%SZ}"
