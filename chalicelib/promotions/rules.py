"""The gate: from facts to a decision.

A rollout or hotfix may enter an environment's default workspace when no hold stops it and, unless the
environment has the lowest rank, the artifact has proved itself in the environment before. Each rule below yields
the blockers that it sees; the order of the rules is the order of the blockers.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta

from chalicelib.identity.roles import Role
from chalicelib.promotions.model import Blocker, Decision, GateFacts


def decide(facts: GateFacts, at: datetime) -> Decision:
    """What the gate says at a moment. Every blocker that applies is listed."""
    rules = HOLDS if facts.environment_before is None else (*PROOFS, *HOLDS)
    return Decision(blockers=tuple(blocker for rule in rules for blocker in rule(facts, at)))


def role_to_decide(*, dry_run: bool) -> Role:
    """Asking is free to viewers; a decision that is recorded takes a pipeline."""
    return Role.viewer if dry_run else Role.pipeline


def not_deployed(facts: GateFacts, at: datetime) -> Iterator[Blocker]:
    """The artifact has a succeeded deployment in the environment before."""
    if facts.deployed_at is None:
        yield _blocker("not-deployed", facts, f"it has not been deployed to {facts.environment_before}")


def not_verified(facts: GateFacts, at: datetime) -> Iterator[Blocker]:
    """Something was verified since that deployment, and every required suite was."""
    if facts.deployed_at is None:
        return
    counted = {verification.suite for verification in facts.verifications}
    for suite in sorted(set(facts.required_suites) - counted):
        yield _blocker("not-verified", facts, f"{suite} has not run there since it was deployed", suite=suite)
    if not counted and not facts.required_suites:
        yield _blocker("not-verified", facts, "nothing has been verified there since it was deployed")


def verification_failed(facts: GateFacts, at: datetime) -> Iterator[Blocker]:
    """The latest verification of every suite succeeded."""
    for verification in _by_suite(facts):
        if verification.outcome == "failure":
            yield _blocker("verification-failed", facts, f"{verification.suite} failed there", suite=verification.suite)


def verification_expired(facts: GateFacts, at: datetime) -> Iterator[Blocker]:
    """No verification is older than the environment allows."""
    if facts.verification_max_age_seconds is None:
        return
    max_age = timedelta(seconds=facts.verification_max_age_seconds)
    for verification in _by_suite(facts):
        if at - verification.finished_at > max_age:
            yield _blocker(
                "verification-expired",
                facts,
                f"{verification.suite} ran longer ago than {max_age}; run it again",
                suite=verification.suite,
            )


def soaking(facts: GateFacts, at: datetime) -> Iterator[Blocker]:
    """The artifact has soaked long enough since that deployment finished."""
    if facts.deployed_at is None:
        return
    available_at = facts.deployed_at + timedelta(seconds=facts.required_soak_seconds)
    if at < available_at:
        yield _blocker(
            "soaking", facts, f"it soaks there for {facts.required_soak_seconds} s", available_at=available_at
        )


PROOFS = (not_deployed, not_verified, verification_failed, verification_expired, soaking)

# Holds (frozen, pinned, marked-bad) stop an artifact whatever it has proved, also from the lowest environment. Their
# rules come here, their facts into GateFacts.
HOLDS = ()


def _blocker(
    code: str, facts: GateFacts, detail: str, suite: str | None = None, available_at: datetime | None = None
) -> Blocker:
    assert facts.environment_before is not None
    return Blocker(
        code=code,  # type: ignore[arg-type]
        environment=facts.environment_before,
        suite=suite,
        detail=detail,
        available_at=available_at,
    )


def _by_suite(facts: GateFacts):  # type: ignore[no-untyped-def]
    return sorted(facts.verifications, key=lambda verification: verification.suite)
