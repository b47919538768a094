"""The benchmark measures the most frequent requests of pipelines."""

from tools.checks.bench import handler, roundtrips
from tools.checks.bench.deployments import BENCH


def test_the_benchmark_bounds_the_round_trips_of_four_requests(stage):
    BENCH.prepare()

    bounds = [figure.bound for figure in roundtrips.counted(BENCH)]

    assert [bound for bound in bounds if bound is not None] == [1, 1, 4, 4]


def test_the_benchmark_opens_a_gated_deployment(stage):
    BENCH.prepare()

    *_, opening = handler.requests(BENCH)

    _, inserted, _ = opening.exchanges
    assert dict(zip(inserted.rows[0], inserted.rows[1][0], strict=True))["promotion_id"] is not None
