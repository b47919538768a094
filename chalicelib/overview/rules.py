"""The rules of the overview: what blocks the next promotion into an environment, and what needs attention."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta

import msgspec

from chalicelib.holds.model import HoldFact
from chalicelib.holds.rules import concerning, in_force
from chalicelib.overview.model import (
    MOST_CHARACTERS,
    VERIFY_WITHIN_MINUTES,
    AttemptFacts,
    AttentionReason,
    Blocked,
    CurrentDeployment,
    CurrentFacts,
    EnvironmentFacts,
    EnvironmentOverview,
    HoldOverview,
    LastAttempt,
    OverviewQuery,
    ScannedFacts,
    SystemOverview,
)
from chalicelib.promotions.rules import decide

VERIFY_WITHIN = timedelta(minutes=VERIFY_WITHIN_MINUTES)


def overviews(facts: ScannedFacts, query: OverviewQuery) -> Iterator[SystemOverview]:
    """Yield the systems with the environments that a query asks for. A filter leaves out systems without any."""
    over_systems = in_force(facts.freezes_over_systems, facts.at)
    for system in facts.systems:
        freezes = [*in_force(system.freezes, facts.at), *over_systems]
        environments = [environment_overview(each, freezes, facts.at) for each in system.environments]
        if query.attention:
            environments = [each for each in environments if each.attention]
        if environments or not (query.attention or query.production):
            yield SystemOverview(
                key=system.key, name=system.name, environments=environments, more_environments=system.more_environments
            )


def environment_overview(facts: EnvironmentFacts, freezes: Iterable[HoldFact], at: datetime) -> EnvironmentOverview:
    """Return the overview of an environment. `freezes` are those of its system that are in force."""
    freezes = concerning(freezes, facts.name, production=facts.production)
    current, attempt = facts.current, facts.last_attempt
    blocked = blocked_by(facts, freezes, at)
    return EnvironmentOverview(
        name=facts.name,
        rank=facts.rank,
        production=facts.production,
        current=_current(current) if current else None,
        last_attempt=_attempt(attempt) if attempt and not _is_current(attempt, current) else None,
        blocked=blocked,
        commits_behind=facts.commits_behind,
        holds=tuple(_hold(hold) for hold in (*freezes, *facts.marks)),
        workspaces=facts.workspaces,
        attention=tuple(attention(facts, blocked, at)),
    )


def blocked_by(facts: EnvironmentFacts, freezes: Sequence[HoldFact], at: datetime) -> Blocked | None:
    """Return why the gate denies the artifact that runs in the environment before. None if it grants it."""
    if facts.gate is None:
        return None
    marks = [mark for mark in facts.marks if mark.kind == "pin" or mark.artifact == facts.gate.artifact]
    decision = decide(msgspec.structs.replace(facts.gate, holds=(*freezes, *marks)), at)
    if not decision.blockers:
        return None
    ends = [blocker.available_at for blocker in decision.blockers if blocker.available_at is not None]
    all_end = len(ends) == len(decision.blockers) and not decision.more_blockers
    before = facts.gate.before
    return Blocked(
        since=_to_the_second(before.deployed_at) if before and before.deployed_at else None,
        codes=tuple(dict.fromkeys(blocker.code for blocker in decision.blockers)),
        until=max(ends) if all_end else None,
    )


def attention(facts: EnvironmentFacts, blocked: Blocked | None, at: datetime) -> Iterator[AttentionReason]:
    """Yield why a person on call should look at the environment. See `AttentionReason`."""
    attempt = facts.last_attempt
    if attempt and attempt.state == "failed":
        yield "failed"
    if blocked and facts.commits_behind != 0 and set(blocked.codes) - _passing(facts, at):
        yield "blocked"
    if attempt and is_stuck(attempt, at):
        yield "stuck"
    if facts.current and (facts.current.failed_suites or is_late(facts.current, at)):
        yield "unverified"
    if attempt and attempt.lease_expired:
        yield "lease-expired"


def is_stuck(attempt: AttemptFacts, at: datetime) -> bool:
    """True if the deployment is in progress, and has sent no status for half of its lease."""
    if attempt.state != "in_progress" or attempt.lease_expires_at is None or attempt.lease_seconds is None:
        return False
    return attempt.lease_expires_at - at <= timedelta(seconds=attempt.lease_seconds) / 2


def is_late(current: CurrentFacts, at: datetime) -> bool:
    """True if no suite has verified the current deployment although there was time for it."""
    return not current.suites and at - current.since >= VERIFY_WITHIN


def _passing(facts: EnvironmentFacts, at: datetime) -> set[str]:
    """Return the codes of blockers that are usual after a deployment to the environment before, and pass."""
    assert facts.gate is not None
    before = facts.gate.before
    fresh = before is not None and before.deployed_at is not None and at - before.deployed_at < VERIFY_WITHIN
    return {"soaking", "not-verified"} if fresh else {"soaking"}


def _is_current(attempt: AttemptFacts, current: CurrentFacts | None) -> bool:
    return current is not None and attempt.id == current.id


def _current(facts: CurrentFacts) -> CurrentDeployment:
    return CurrentDeployment(
        id=facts.id,
        artifact=facts.artifact,
        since=facts.since,
        verified=facts.suites > 0 and not facts.failed_suites,
        failed_suites=facts.failed_suites,
    )


def _attempt(facts: AttemptFacts) -> LastAttempt:
    return LastAttempt(
        id=facts.id,
        artifact=facts.artifact,
        kind=facts.kind,
        state=facts.state,
        started_at=facts.started_at,
        finished_at=facts.finished_at,
        lease_expires_at=facts.lease_expires_at if facts.state == "in_progress" else None,
        detail=facts.detail if facts.state == "failed" else None,
    )


def _to_the_second(at: datetime) -> datetime:
    """Cut a time, because the overview has many of them."""
    return at.replace(microsecond=0)


def _hold(facts: HoldFact) -> HoldOverview:
    return HoldOverview(
        id=facts.id,
        kind=facts.kind,
        since=_to_the_second(facts.starts_at),
        created_by=facts.created_by[:MOST_CHARACTERS],
        reason=facts.reason[:MOST_CHARACTERS],
    )
