"""The benchmark measures the most frequent requests of pipelines."""

import pytest

from tools.checks.bench import handler, roundtrips, service


@pytest.fixture
def history(stage):
    """Record the history that the benchmark reads and extends."""
    service.tell_history()


def test_the_benchmark_bounds_the_round_trips_of_three_requests(history):
    bounds = [figure.bound for figure in roundtrips.figures()]

    assert [bound for bound in bounds if bound is not None] == [1, 4, 4]


def test_the_benchmark_reads_a_full_page_and_opens_a_gated_deployment(history):
    _, page, opening = handler.requests()

    [listed] = page.exchanges
    assert len(listed.rows[1]) == service.HISTORY == 200
    _, inserted, _ = opening.exchanges
    assert dict(zip(inserted.rows[0], inserted.rows[1][0], strict=True))["promotion_id"] is not None
