"""The windows of freezes, compared with windows that are found minute by minute on the local clock."""

from datetime import UTC, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo

import pytest

from chalicelib.holds.model import WEEKDAYS, HoldFact, Recurrence
from chalicelib.holds.windows import Window, covering, free_at, windows

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
AT = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)  # a Monday
ZONES = ["Europe/Berlin", "America/Sao_Paulo", "Australia/Lord_Howe", "Asia/Kathmandu"]
YEARS = [2018, datetime.now(UTC).year]
# The begin, the end, and the days between them. Clocks change between 23:00 and 03:00 in these zones.
SPANS = [
    ("16:00", "08:00", 1),
    ("02:15", "02:45", 0),
    ("02:15", "02:15", 1),
    ("01:30", "03:00", 0),
    ("00:30", "02:30", 2),
    ("23:30", "00:30", 1),
    ("00:00", "00:00", 1),
    ("23:00", "23:59", 0),
    ("02:00", "02:00", 1),
    ("03:00", "02:00", 1),
    ("23:00", "01:30", 1),
]


def a_freeze(starts_at=AT - 400 * DAY, ends_at=None, recurrence=None):
    return HoldFact(
        id="1",
        kind="freeze",
        environment=None,
        over_systems=False,
        production=False,
        artifact=None,
        reason="Release week",
        created_by="jane",
        starts_at=starts_at,
        ends_at=ends_at,
        recurrence=recurrence,
        blocks_rollbacks=False,
    )


def weekly(begin, end, days, zone="UTC", by_day=WEEKDAYS):
    return Recurrence(by_day=tuple(by_day), from_=begin, to=end, days=days, time_zone=zone)


@cache
def changes(zone, year):
    """Return the moments at which the clock changes in a year, or a day in May if it does not change."""
    hours = [datetime(year, 1, 1, tzinfo=UTC) + number * HOUR for number in range(366 * 24)]
    offsets = [hour.astimezone(ZoneInfo(zone)).utcoffset() for hour in hours]
    found = [hour for hour, before, after in zip(hours[1:], offsets, offsets[1:], strict=False) if before != after]
    return found or [datetime(year, 5, 6, tzinfo=UTC)]


@cache
def clock(zone, change):
    """Return each minute of the ten days around a change, with the time that the local clock shows."""
    minutes = [change - 5 * DAY + number * MINUTE for number in range(10 * 24 * 60)]
    return [(minute, minute.astimezone(ZoneInfo(zone)).replace(tzinfo=None)) for minute in minutes]


def expected(zone, change, begin, end, days):
    """Return the windows that begin up to two days before or after a change, found minute by minute."""
    shown = clock(zone, change)
    middle = change.astimezone(ZoneInfo(zone)).date()
    found = []
    for day in (middle + number * DAY for number in range(-2, 3)):
        first = datetime.combine(day, time.fromisoformat(begin))
        last = datetime.combine(day + days * DAY, time.fromisoformat(end))
        start = next(minute for minute, local in shown if local >= first)
        # The last minute that shows the end. In a gap no minute does: then the first one after it.
        stop = next((minute for minute, local in reversed(shown) if local == last), None)
        stop = stop or next(minute for minute, local in reversed(shown) if local < last) + MINUTE
        if start < stop:
            found.append(Window(start, stop))
    return found


@pytest.mark.parametrize("span", SPANS, ids=str)
@pytest.mark.parametrize("year", YEARS)
@pytest.mark.parametrize("zone", ZONES)
def test_windows_follow_the_local_clock_through_every_change(zone, year, span):
    for change in changes(zone, year):
        wanted = expected(zone, change, *span)

        found = windows(change - 30 * DAY, change + 30 * DAY, weekly(*span, zone), change - 30 * DAY)

        assert [each for each in found if wanted[0].start <= each.start <= wanted[-1].start] == wanted


@pytest.mark.parametrize("year", YEARS)
@pytest.mark.parametrize("zone", ZONES)
def test_freezes_are_free_where_no_window_of_any_covers(zone, year):
    for change in changes(zone, year):
        spans = [("22:00", "01:30", 1), ("01:00", "02:30", 0), ("02:15", "03:30", 0)]
        freezes = [a_freeze(change - 30 * DAY, None, weekly(*span, zone)) for span in spans]
        wanted = [expected(zone, change, *span) for span in spans]

        for minutes in range(-6 * 60, 6 * 60, 7):
            at = change + minutes * MINUTE
            free = at
            while any(window.start <= free < window.end for found in wanted for window in found):
                free += MINUTE

            assert free_at(freezes, at) == free
            for freeze, found in zip(freezes, wanted, strict=True):
                around = [window for window in found if window.start <= at < window.end]
                assert covering(freeze, at) == (around[0] if around else None)


def test_a_gap_ends_a_window_in_it_and_begins_one_at_the_first_moment_after_it():
    gap = datetime(2018, 3, 25, 1, 0, tzinfo=UTC)  # 02:00 became 03:00 in Berlin
    sunday = {"zone": "Europe/Berlin", "by_day": ["SU"]}

    begun = next(windows(gap - HOUR, None, weekly("02:10", "09:00", 0, **sunday), gap - HOUR))
    ended = next(windows(gap - DAY, None, weekly("01:00", "02:50", 0, **sunday), gap - HOUR))

    assert (begun.start, ended.end) == (gap, gap)


def test_a_repeated_hour_begins_a_window_early_and_ends_one_late():
    first = datetime(2018, 10, 28, 0, 30, tzinfo=UTC)  # 02:30 in Berlin, and 02:30 again an hour later
    window = next(windows(first - DAY, None, weekly("02:30", "02:31", 0, "Europe/Berlin", ["SU"]), first - 12 * HOUR))

    assert window == Window(first, first + HOUR + MINUTE)


def test_a_freeze_without_a_recurrence_holds_from_its_start_until_before_its_end():
    freeze = a_freeze(AT, AT + HOUR)

    assert covering(freeze, AT - MINUTE) is None
    assert covering(freeze, AT) == Window(AT, AT + HOUR)
    assert covering(freeze, AT + HOUR) is None
    assert free_at([freeze], AT) == AT + HOUR


def test_a_window_is_cut_to_the_period_of_its_freeze():
    always = weekly("00:00", "00:00", 1, by_day=["MO"])
    freeze = a_freeze(AT - HOUR, AT + HOUR, always)

    assert covering(freeze, AT) == Window(AT - HOUR, AT + HOUR)
    assert covering(freeze, AT - 2 * HOUR) is None
    assert free_at([freeze], AT) == AT + HOUR


def test_windows_of_one_freeze_that_overlap_count_as_one():
    freeze = a_freeze(recurrence=weekly("10:00", "14:00", 6, by_day=["SU", "MO"]))

    assert covering(freeze, AT) == Window(datetime(2026, 5, 3, 10, tzinfo=UTC), datetime(2026, 5, 10, 14, tzinfo=UTC))


def test_freezes_that_touch_or_overlap_are_merged():
    freezes = [a_freeze(AT + HOUR, AT + 3 * HOUR), a_freeze(AT, AT + HOUR), a_freeze(AT + 2 * HOUR, AT + 5 * HOUR)]

    assert free_at(freezes, AT) == AT + 5 * HOUR
    assert free_at(freezes, AT - MINUTE) == AT - MINUTE
    assert free_at([], AT) == AT


@pytest.mark.parametrize(
    "freeze",
    [
        a_freeze(AT),
        a_freeze(AT, AT + 90 * DAY + MINUTE),
        a_freeze(recurrence=weekly("00:00", "00:00", 1)),
        a_freeze(recurrence=weekly("09:00", "08:00", 6, by_day=["SA", "WE"])),
    ],
    ids=["until its release", "long", "every day", "longer than until its next begin"],
)
def test_a_freeze_of_more_than_90_days_has_no_known_end(freeze):
    assert free_at([freeze], AT) is None


def test_a_freeze_may_end_90_days_ahead():
    assert free_at([a_freeze(AT, AT + 90 * DAY)], AT) == AT + 90 * DAY


def test_as_many_freezes_as_are_allowed_are_merged_window_by_window():
    slices = [f"{minute // 60:02}:{minute % 60:02}" for minute in range(0, 24 * 60, 8)]
    freezes = [
        a_freeze(recurrence=weekly(begin, end, 0 if begin < end else 1))
        for begin, end in zip(slices, [*slices[1:], slices[0]], strict=True)
    ]

    assert free_at(freezes, AT) is None
    assert free_at(freezes[:-1], AT) == datetime(2026, 5, 4, 23, 52, tzinfo=UTC)
