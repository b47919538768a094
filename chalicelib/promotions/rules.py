"""The gate: may an artifact enter an environment with a rollout or a hotfix?

Each rule is one function, whose docstring states the rule. The function yields a blocker for everything that
breaks the rule.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta

from chalicelib.identity.roles import Role
from chalicelib.promotions.model import MOST_BLOCKERS, Blocker, Decision, EnvironmentBefore, GateFacts


def decide(facts: GateFacts, at: datetime) -> Decision:
    """Grant the promotion at this moment if no rule yields a blocker. Otherwise deny it with the blockers."""
    if facts.before is None:  # the environment with the lowest rank takes every artifact
        return Decision(blockers=())
    blockers = tuple(blocker for rule in RULES for blocker in rule(facts, facts.before, at))
    return Decision(blockers=blockers[:MOST_BLOCKERS], more_blockers=len(blockers) > MOST_BLOCKERS)


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


def verified(facts: GateFacts, before: EnvironmentBefore, at: datetime) -> Iterator[Blocker]:
    """Every required suite has a verification that counts: see EnvironmentBefore.

    If no suite is required, at least one suite has a verification that counts.
    """
    if before.deployed_at is None:
        return
    ran = {verification.suite for verification in before.verifications}
    for suite in sorted(set(facts.required_suites) - ran):
        yield Blocker(
            code="not-verified",
            environment=before.name,
            suite=suite,
            detail=f"{suite} has not run in {before.name} since the artifact was deployed there: run the suite",
        )
    if not ran and not facts.required_suites:
        yield Blocker(
            code="not-verified",
            environment=before.name,
            detail=f"no suite has run in {before.name} since the artifact was deployed there: run a suite",
        )


def verified_successfully(facts: GateFacts, before: EnvironmentBefore, at: datetime) -> Iterator[Blocker]:
    """No suite failed in its latest verification that counts. This includes suites that are not required."""
    for verification in before.verifications:
        if verification.outcome == "failure":
            yield Blocker(
                code="verification-failed",
                environment=before.name,
                suite=verification.suite,
                detail=f"{verification.suite} failed in {before.name}: correct the fault, then run the suite again",
            )


def verified_lately(facts: GateFacts, before: EnvironmentBefore, at: datetime) -> Iterator[Blocker]:
    """No verification that counts is older than the environment allows."""
    if facts.verification_max_age_seconds is None:
        return
    max_age = timedelta(seconds=facts.verification_max_age_seconds)
    for verification in before.verifications:
        if at - verification.finished_at > max_age:
            yield Blocker(
                code="verification-expired",
                environment=before.name,
                suite=verification.suite,
                detail=f"{verification.suite} ran in {before.name} more than {max_age} ago: run the suite again",
            )


def soaked(facts: GateFacts, before: EnvironmentBefore, at: datetime) -> Iterator[Blocker]:
    """The artifact has soaked for the required time in the environment with the next lower rank.

    The time starts when the artifact's latest deployment there has finished.
    """
    if before.deployed_at is None:
        return
    soaked_at = before.deployed_at + timedelta(seconds=facts.required_soak_seconds)
    if at < soaked_at:
        yield Blocker(
            code="soaking",
            environment=before.name,
            detail=f"the artifact must soak in {before.name} for {facts.required_soak_seconds} s: "
            f"wait until {soaked_at:%Y-%m-%dT%H:%M:%SZ}",
            available_at=soaked_at,
        )


# A decision lists its blockers in this order.
RULES = (deployed, verified, verified_successfully, verified_lately, soaked)


def role_to_decide(*, dry_run: bool) -> Role:
    """A viewer may ask the gate. Recording the decision takes the role pipeline."""
    return Role.viewer if dry_run else Role.pipeline
