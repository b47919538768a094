"""Rule 14 of docs/registry/rules.md: the holds that stop an artifact, and the rules for new holds."""

from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from chalicelib.holds import rules
from chalicelib.holds.model import MOST_FREEZES, HoldFact, NewHold, NewHoldFacts, Recurrence
from chalicelib.rest.problems import Problem

AT = datetime(2026, 5, 8, 18, 0, tzinfo=UTC)  # a Friday
DAY = timedelta(days=1)
FRIDAYS = Recurrence(by_day=("FR",), from_="16:00", to="08:00", days=3, time_zone="Europe/Berlin")


def a_hold(kind="freeze", **fields):
    known = {
        "id": "1",
        "kind": kind,
        "environment": "production",
        "over_systems": False,
        "production": False,
        "artifact": None if kind == "freeze" else "tree:one",
        "reason": "Because",
        "created_by": "jane",
        "starts_at": AT - DAY,
        "ends_at": None,
        "recurrence": None,
        "blocks_rollbacks": False,
    }
    return HoldFact(**{**known, **fields})


FREEZE = a_hold(recurrence=FRIDAYS)
LATER = a_hold(starts_at=datetime(2026, 5, 11, 6, 0, tzinfo=UTC), ends_at=datetime(2026, 5, 12, 6, 0, tzinfo=UTC))
PIN, BAD = a_hold("pin"), a_hold("bad")
ALL = [FREEZE, LATER, PIN, BAD]


def test_the_freezes_in_force_have_one_window_each():
    [held] = rules.in_force(ALL, AT)

    assert (held.id, held.recurrence) == (FREEZE.id, None)
    assert held.ends_at == rules.lifts_at([FREEZE], AT) == rules.lifts_at([held], AT) is not None


@pytest.mark.parametrize(
    ("freeze", "environment", "production", "concerned"),
    [
        ({"environment": None}, "development", False, True),
        ({"environment": "development"}, "development", False, True),
        ({"environment": "development"}, "production", True, False),
        ({"environment": None, "production": True}, "production", True, True),
        ({"environment": None, "production": True}, "development", False, False),
    ],
)
def test_a_freeze_concerns_one_or_all_environments_or_all_production_ones(freeze, environment, production, concerned):
    assert bool(rules.concerning([a_hold(**freeze)], environment, production=production)) is concerned


def test_a_freeze_stops_an_artifact_in_its_windows_only():
    assert rules.freezing(ALL, AT) == [FREEZE]
    assert rules.freezing(ALL, AT - 5 * timedelta(hours=1)) == []
    assert rules.freezing(ALL, datetime(2026, 5, 11, 7, 0, tzinfo=UTC)) == [LATER]


def test_a_pin_stops_other_artifacts():
    assert rules.pinning(ALL, "tree:two") == [PIN]
    assert rules.pinning(ALL, "tree:one") == []


def test_a_bad_mark_stops_its_artifact():
    assert rules.bad(ALL) == [BAD]


def test_freezes_that_follow_one_another_lift_together():
    assert rules.lifts_at([FREEZE], AT) == datetime(2026, 5, 11, 6, 0, tzinfo=UTC)
    assert rules.lifts_at(ALL, AT) == LATER.ends_at
    assert rules.lifts_at([a_hold()], AT) is None


def a_new(**fields):
    return NewHold(**{"kind": "freeze", "reason": "Because", **fields})


def refused(check, *arguments):
    with pytest.raises(Problem) as refusal:
        check(*arguments)
    return [fault.pointer for fault in refusal.value.errors]


@pytest.mark.parametrize(
    ("fields", "pointer"),
    [
        ({"starts_at": AT - timedelta(seconds=61)}, "#/starts_at"),
        ({"starts_at": AT + 1831 * DAY}, "#/starts_at"),
        ({"ends_at": AT + 1831 * DAY}, "#/ends_at"),
        ({"ends_at": AT}, "#/ends_at"),
        ({"starts_at": AT - timedelta(seconds=59), "ends_at": AT}, "#/ends_at"),
        ({"recurrence": msgspec.structs.replace(FRIDAYS, time_zone="Europe/Atlantis")}, "#/recurrence/time_zone"),
        ({"recurrence": msgspec.structs.replace(FRIDAYS, time_zone="America/Argentina")}, "#/recurrence/time_zone"),
        ({"recurrence": FRIDAYS, "starts_at": AT + 4 * DAY, "ends_at": AT + 5 * DAY}, "#/recurrence"),
    ],
)
def test_a_period_that_makes_no_sense_is_refused(fields, pointer):
    assert refused(rules.require_period, a_new(**fields), AT) == [pointer]


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"starts_at": AT - timedelta(seconds=59)},
        {"starts_at": AT + DAY, "ends_at": AT + 1829 * DAY},
        {"recurrence": FRIDAYS},
        {"recurrence": FRIDAYS, "ends_at": AT + DAY},
    ],
)
def test_a_period_now_or_later_is_accepted(fields):
    rules.require_period(a_new(**fields), AT)


def test_the_number_of_freezes_is_bounded():
    rules.require_few(a_new(), MOST_FREEZES - 1)
    rules.require_few(a_new(kind="bad"), MOST_FREEZES)
    with pytest.raises(Problem, match="the most"):
        rules.require_few(a_new(), MOST_FREEZES)


def test_an_environment_has_one_pin_and_an_artifact_one_bad_mark():
    facts = NewHoldFacts(at=AT, freezes=0, pin="7", bad_mark="8")

    rules.require_single(a_new(), facts)
    assert refused(rules.require_single, a_new(kind="pin"), facts) == ["#/environment"]
    assert refused(rules.require_single, a_new(kind="bad"), facts) == ["#/artifact"]


def test_a_pin_is_by_default_to_the_artifact_that_runs():
    facts = NewHoldFacts(at=AT, freezes=0, current_artifact="tree:one")
    nothing = NewHoldFacts(at=AT, freezes=0)

    assert rules.artifact_of(a_new(kind="pin"), facts) == "tree:one"
    assert rules.artifact_of(a_new(kind="pin", artifact="tree:two"), facts) == "tree:two"
    assert rules.artifact_of(a_new(), facts) is None
    assert refused(rules.artifact_of, a_new(kind="pin", environment="production"), nothing) == ["#/artifact"]
