"""The gate: may an artifact enter an environment with a rollout or a hotfix?

The environment with the lowest rank takes every artifact. Any other one takes an artifact that has proved itself in
the environment before, which has the next lower rank. Each rule is one function, whose docstring states it. The
function yields a blocker for everything that breaks the rule.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta

from chalicelib.identity.roles import Role
from chalicelib.promotions.model import Blocker, Decision, EnvironmentBefore, GateFacts


def decide(facts: GateFacts, at: datetime) -> Decision:
    """Grant the promotion at this moment if no rule yields a blocker; else deny it with all blockers."""
    if facts.before is None:
        return Decision(blockers=())
    return Decision(blockers=tuple(blocker for rule in RULES for blocker in rule(facts, facts.before, at)))


def deployed(facts: GateFacts, before: EnvironmentBefore, at: datetime) -> Iterator[Blocker]:
    """The artifact has a succeeded deployment in the environment before. The latest one counts."""
    if before.deployed_at is None:
        yield Blocker(
            code="not-deployed",
            environment=before.name,
            detail=f"the artifact has no succeeded deployment in {before.name}",
        )


def verified(facts: GateFacts, before: EnvironmentBefore, at: datetime) -> Iterator[Blocker]:
    """Every required suite has verified it since that deployment. If none is required, any suite has."""
    if before.deployed_at is None:
        return
    ran = {verification.suite for verification in before.verifications}
    for suite in sorted(set(facts.required_suites) - ran):
        yield Blocker(
            code="not-verified",
            environment=before.name,
            suite=suite,
            detail=f"{suite} has not run in {before.name} since the artifact was deployed there",
        )
    if not ran and not facts.required_suites:
        yield Blocker(
            code="not-verified",
            environment=before.name,
            detail=f"no suite has run in {before.name} since the artifact was deployed there",
        )


def verified_successfully(facts: GateFacts, before: EnvironmentBefore, at: datetime) -> Iterator[Blocker]:
    """The latest verification of every suite succeeded, required or not."""
    for verification in before.verifications:
        if verification.outcome == "failure":
            yield Blocker(
                code="verification-failed",
                environment=before.name,
                suite=verification.suite,
                detail=f"{verification.suite} failed in {before.name}",
            )


def verified_lately(facts: GateFacts, before: EnvironmentBefore, at: datetime) -> Iterator[Blocker]:
    """None of these verifications is older than the environment allows."""
    if facts.verification_max_age_seconds is None:
        return
    max_age = timedelta(seconds=facts.verification_max_age_seconds)
    for verification in before.verifications:
        if at - verification.finished_at > max_age:
            yield Blocker(
                code="verification-expired",
                environment=before.name,
                suite=verification.suite,
                detail=f"{verification.suite} ran in {before.name} more than {max_age} ago",
            )


def soaked(facts: GateFacts, before: EnvironmentBefore, at: datetime) -> Iterator[Blocker]:
    """That deployment finished at least the required soak ago."""
    if before.deployed_at is None:
        return
    soaked_at = before.deployed_at + timedelta(seconds=facts.required_soak_seconds)
    if at < soaked_at:
        yield Blocker(
            code="soaking",
            environment=before.name,
            detail=f"the artifact has to soak in {before.name} for {facts.required_soak_seconds} s",
            available_at=soaked_at,
        )


# In the order in which a decision lists its blockers.
RULES = (deployed, verified, verified_successfully, verified_lately, soaked)


def role_to_decide(*, dry_run: bool) -> Role:
    """A viewer may ask. Recording the decision takes a pipeline."""
    return Role.viewer if dry_run else Role.pipeline
