"""Figures of AWS follow from measured ones by the formulas of docs/capacity.md."""

import pytest

from tools.checkout import ENVIRONMENTS
from tools.checks.capacity import computing, page
from tools.checks.capacity.measuring import Cost, Floor, Measured

READ = Cost("read", 1, share=0.75, trips=1.0, took=3.0, function=1.0, postgres=0.5, kilobytes=2.0)
WRITE = Cost("write", 4, share=0.25, trips=3.0, took=7.0, function=2.0, postgres=2.5, kilobytes=1.0)
MEASURED = Measured("2 cores of a machine", "26 November 2026", [READ, WRITE], [Floor("SELECT", 1, 20000, 0.025)])
SETTINGS = computing.Settings(
    "production", least_acus=1, most_acus=16, instances=2, reserved_concurrency=100, per_second=200
)


@pytest.fixture(autouse=True)
def a_function_with_half_a_vcpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(computing, "memory_megabytes", lambda: computing.MEGABYTES_OF_A_VCPU / 2)


def test_the_mean_weighs_each_journey_by_its_share_of_the_requests() -> None:
    mean = MEASURED.mean

    assert (mean.requests, mean.share, mean.trips) == (5, 1.0, 1.5)
    assert (mean.took, mean.function, mean.postgres, mean.kilobytes) == (4.0, 1.25, 1.0, 1.75)


def test_less_than_a_vcpu_stretches_the_functions_own_time_and_each_round_trip_pays_the_network() -> None:
    assert computing.milliseconds_on_aws(READ) == 2.0 + 2.0 + 1.0
    assert computing.per_execution(READ) == 200


def test_a_unit_of_capacity_has_a_quarter_of_a_vcpu() -> None:
    assert computing.per_acu(MEASURED.mean) == 250


def test_a_rate_needs_executions_and_capacity() -> None:
    milliseconds = computing.milliseconds_on_aws(MEASURED.mean)

    [ten, hundred, thousand] = computing.needs(SETTINGS, MEASURED)

    assert [each.executions for each in (ten, hundred, thousand)] == pytest.approx(
        [rate * milliseconds / 1000 for rate in (10, 100, 1000)]
    )
    assert [each.acus for each in (ten, hundred, thousand)] == [1, 1, 4]
    # At a low rate, the least capacity runs for longer while a million requests come.
    assert ten.dollars > hundred.dollars > thousand.dollars


def test_the_most_frequent_method_is_throttled_first() -> None:
    # A write's four requests go to four methods.
    throttled = next(each for each in computing.limits(SETTINGS, MEASURED) if "throttling" in each.what)

    assert throttled.per_second == pytest.approx(200 / 0.75)


def test_the_limits_are_those_of_the_settings() -> None:
    found = {each.what.split(" (")[0]: each.per_second for each in computing.limits(SETTINGS, MEASURED)}
    per_execution = computing.per_execution(MEASURED.mean)

    assert found["16 ACUs"] == 16 * 250
    assert found["100 concurrent executions"] == pytest.approx(100 * per_execution)
    assert found["2,883 connections to the database"] == pytest.approx(2883 * per_execution)


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_each_environments_settings_are_read(name: str) -> None:
    settings = computing.settings(name)

    assert 0 <= settings.least_acus < settings.most_acus
    assert settings.per_second > 0
    assert (settings.reserved_concurrency is None) == (name != "production")


def test_the_page_keeps_the_measured_figures() -> None:
    assert page.read("\n".join(page.lines(MEASURED))) == MEASURED
