"""The load is the busiest hour of azul's history, in 500 systems at once."""

from datetime import UTC, datetime, timedelta

from tools.local.load.mixes.registry import JOURNEYS, busiest_hour
from tools.local.registry.replay import Deployment, read_history

BEGIN = datetime(2018, 10, 29, 20, 51, tzinfo=UTC)


def deployments(*minutes: int) -> list[Deployment]:
    return [Deployment("dev", BEGIN + timedelta(minutes=each), "a" * 40, "b" * 40) for each in minutes]


def test_the_busiest_hour_is_any_60_minutes() -> None:
    assert busiest_hour(deployments(0, 50, 70, 100, 200)) == 3


def test_the_order_of_the_history_does_not_matter() -> None:
    assert busiest_hour(deployments(200, 0, 59)) == 2


def test_the_journeys_have_the_rates_of_the_real_history() -> None:
    history, _ = read_history()
    rates = {each.name: each.per_hour for each in JOURNEYS}

    assert busiest_hour(history) == 4
    assert rates["deploy"] == 2000
    assert 83 < rates["verify again"] < 84
