"""The windows of freezes: the periods in which a freeze stops promotion.

A freeze without a recurrence has one window. A window contains its start, and not its end.
"""

from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from heapq import merge
from itertools import takewhile
from operator import attrgetter
from typing import NamedTuple

from chalicelib.holds.model import WEEKDAYS, HoldFact, Recurrence

HORIZON = timedelta(days=90)

_DAY = timedelta(days=1)
_SECOND = timedelta(seconds=1)


class Window(NamedTuple):
    """A period in which a freeze holds. `end` is None if the freeze lasts until its release."""

    start: datetime
    end: datetime | None


def covering(freeze: HoldFact, at: datetime) -> Window | None:
    """Return the window that contains the moment, or None. Windows of the freeze that contain it count as one."""
    around = [*takewhile(lambda window: window.start <= at, _of(freeze, at))]
    if not around:
        return None
    ends = [window.end for window in around if window.end is not None]
    return Window(around[0].start, max(ends) if len(ends) == len(around) else None)


def free_at(freezes: Iterable[HoldFact], at: datetime, horizon: timedelta = HORIZON) -> datetime | None:
    """Return the first moment, not before `at`, at which none of the freezes holds. None if it is beyond the horizon.

    The windows of all freezes are merged in the order of their starts, so each window is looked at once.
    """
    free = at
    for window in merge(*(_of(freeze, at) for freeze in freezes), key=attrgetter("start")):
        if window.start > free:
            break
        if window.end is None:
            return None
        free = max(free, window.end)
        if free > at + horizon:
            return None
    return free


def windows(
    starts_at: datetime, ends_at: datetime | None, recurrence: Recurrence | None, since: datetime
) -> Iterator[Window]:
    """Yield the windows that end after `since`, in the order of their starts. Without `ends_at`, they never stop."""
    if recurrence is None:
        if ends_at is None or ends_at > since:
            yield Window(starts_at, ends_at)
        return
    zone = zone_of(recurrence.time_zone)
    # A window can begin up to `days` before it ends. One more day, because a change of the clock can skip a day.
    day = max(starts_at, since).astimezone(zone).date() - (recurrence.days + 1) * _DAY
    while True:
        if WEEKDAYS[day.weekday()] in recurrence.by_day:
            begin = _moment(day, recurrence.from_, zone, later=False)
            end = _moment(day + recurrence.days * _DAY, recurrence.to, zone, later=True)
            if ends_at is not None:
                if begin >= ends_at:
                    return
                end = min(end, ends_at)
            begin = max(begin, starts_at)
            if begin < end and since < end:
                yield Window(begin, end)
        day += _DAY


def zone_of(name: str) -> tzinfo:
    """Return the time zone. Raise LookupError if the tz database does not have it."""
    # Only a freeze that repeats needs time zones, so other requests do not pay for the import.
    from zoneinfo import ZoneInfo  # noqa: PLC0415

    try:
        return ZoneInfo(name)
    except (ValueError, OSError) as error:  # the name of a directory of the tz database, for example
        raise LookupError(name) from error


def _of(freeze: HoldFact, since: datetime) -> Iterator[Window]:
    return windows(freeze.starts_at, freeze.ends_at, freeze.recurrence, since)


def _moment(day: date, clock: str, zone: tzinfo, *, later: bool) -> datetime:
    """Return the moment of a local time. If the time comes twice, return the later or the earlier moment.

    If the clock skips the time, return the first moment after the gap.
    """
    local = datetime.combine(day, time.fromisoformat(clock), zone)
    # PEP 495: the two folds differ only in a gap and in a repeated hour. In a gap, the second fold is before the first.
    first, second = local.astimezone(UTC), local.replace(fold=1).astimezone(UTC)
    if first > second:
        return _end_of_gap(second, first, zone)
    return second if later else first


def _end_of_gap(before: datetime, after: datetime, zone: tzinfo) -> datetime:
    """Return the moment at which the clock jumps, between a moment before and a moment not before the jump."""
    offset = after.astimezone(zone).utcoffset()
    while after - before > _SECOND:
        middle = before + (after - before) // _SECOND // 2 * _SECOND
        if middle.astimezone(zone).utcoffset() == offset:
            after = middle
        else:
            before = middle
    return after
