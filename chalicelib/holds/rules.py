"""The holds that stop an artifact, and the rules for new holds (rule 14 of docs/registry/rules.md)."""

from collections.abc import Iterable
from datetime import datetime, timedelta

import msgspec

from chalicelib.holds.model import (
    MOST_FREEZES,
    Hold,
    HoldFact,
    NewHold,
    NewHoldFacts,
    NewHoldOverSystems,
    hold_ended,
    too_many_freezes,
)
from chalicelib.holds.windows import covering, free_at, windows, zone_of
from chalicelib.rest.problems import Fault, Problem, conflict, invalid_field

MAX_BEHIND = timedelta(seconds=60)
MAX_AHEAD = timedelta(days=5 * 366)


def freezing(holds: Iterable[HoldFact], at: datetime) -> list[HoldFact]:
    """Return the freezes that hold at a moment. A freeze that repeats holds only within its windows."""
    return [hold for hold in holds if hold.kind == "freeze" and covering(hold, at)]


def in_force(holds: Iterable[HoldFact], at: datetime) -> list[HoldFact]:
    """Return the freezes that hold at a moment, each with its one window around the moment.

    So many decisions about that moment work out the windows of a freeze once.
    """
    return [
        msgspec.structs.replace(each, recurrence=None, ends_at=lifts_at([each], at)) for each in freezing(holds, at)
    ]


def concerning(freezes: Iterable[HoldFact], environment: str, *, production: bool) -> list[HoldFact]:
    """Return the freezes that concern an environment, of those of its system and of those over several systems."""
    return [each for each in freezes if each.environment in (None, environment) and (production or not each.production)]


def pinning(holds: Iterable[HoldFact], artifact: str) -> list[HoldFact]:
    """Return the pins to another artifact."""
    return [hold for hold in holds if hold.kind == "pin" and hold.artifact != artifact]


def bad(holds: Iterable[HoldFact]) -> list[HoldFact]:
    """Return the bad marks. The facts have only bad marks of the artifact that the gate decides about."""
    return [hold for hold in holds if hold.kind == "bad"]


def lifts_at(holds: Iterable[HoldFact], at: datetime) -> datetime | None:
    """Return the first moment from `at` on when none of the freezes holds. None if it is unknown or beyond 90 days."""
    return free_at([hold for hold in holds if hold.kind == "freeze"], at)


def require_period(new: NewHold | NewHoldOverSystems, at: datetime) -> None:
    """A hold starts now or later, and ends within five years. Clocks may differ by a minute.

    A freeze that repeats has a known time zone, and a window in its period.
    """
    for name, moment in {"starts_at": new.starts_at, "ends_at": new.ends_at}.items():
        if moment is not None and moment > at + MAX_AHEAD:
            raise invalid_field(f"#/{name}", "is more than five years ahead: send an earlier time")
    if new.starts_at is not None and new.starts_at < at - MAX_BEHIND:
        raise invalid_field("#/starts_at", "is in the past: send a later time, or leave it out for now")
    starts_at = new.starts_at or at
    if new.ends_at is not None and new.ends_at <= max(starts_at, at):
        raise invalid_field("#/ends_at", "is in the past: send a later time")
    if new.recurrence is None:
        return
    try:
        zone_of(new.recurrence.time_zone)
    except LookupError:
        raise invalid_field(
            "#/recurrence/time_zone", "is not a time zone of the tz database: send one such as `Europe/Berlin`"
        ) from None
    if not any(True for _ in windows(starts_at, new.ends_at, new.recurrence, starts_at)):
        raise invalid_field("#/recurrence", "has no window between `starts_at` and `ends_at`: correct one of them")


def require_few(new: NewHold | NewHoldOverSystems, freezes: int) -> None:
    """A system has at most MOST_FREEZES freezes that are not over. So have all systems together."""
    if new.kind == "freeze" and freezes >= MOST_FREEZES:
        raise Problem(
            too_many_freezes, f"{freezes} freezes are not over, which is the most: release one that nobody needs"
        )


def require_single(new: NewHold, facts: NewHoldFacts) -> None:
    """An environment has one pin, and an artifact one bad mark, until their release."""
    if new.kind == "pin" and facts.pin is not None:
        raise _held("#/environment", f"is pinned by hold {facts.pin}: release that hold first")
    if new.kind == "bad" and facts.bad_mark is not None:
        raise _held("#/artifact", f"is marked bad by hold {facts.bad_mark}: keep that hold, or release it first")


def artifact_of(new: NewHold, facts: NewHoldFacts) -> str | None:
    """Return the artifact of a new hold. A pin's artifact is by default the one that runs in the environment."""
    if new.kind != "pin" or new.artifact is not None:
        return new.artifact
    if facts.current_artifact is None:
        raise invalid_field("#/artifact", f"is required, because no artifact runs in {new.environment} yet: send one")
    return facts.current_artifact


def require_standing(hold: Hold) -> None:
    """Only a hold that is scheduled or active can be released."""
    if hold.state in ("released", "ended"):
        moment = hold.released_at or hold.ends_at
        raise Problem(hold_ended, f"The hold ended at {moment:%Y-%m-%dT%H:%M:%SZ}: create another hold if you need one")


def _held(pointer: str, detail: str) -> Problem:
    return Problem(conflict, f"{pointer}: {detail}", errors=[Fault(pointer, detail)])
