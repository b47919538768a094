"""`make capacity` measures the journeys of the load test with the handler in its own process."""

import pytest

from tools.checks.capacity import measuring
from tools.local.load.mixes import journeys


def test_each_journey_is_measured(stage: None) -> None:
    costs = [*measuring.costs(seconds=0.01)]

    assert [each.name for each in costs] == [each.name for each in journeys()]
    assert sum(each.share for each in costs) == pytest.approx(1)
    for each in costs:
        assert each.took > 0
        assert each.function > 0
        assert each.trips >= 1


@pytest.mark.slow
def test_pgbench_runs_on_the_same_postgresql(stage: None) -> None:
    floors = [*measuring.floors(seconds=1, scale=1)]

    assert {each.name for each in floors} == {"SELECT of one row", "UPDATE, SELECT and INSERT"}
    assert all(each.per_second > 10 and each.postgres > 0 for each in floors)
