"""The benchmark's bare views give the same answers as the service, and its replays leave PostgreSQL alone."""

from contextlib import closing

import pytest
from psycopg2.extensions import TRANSACTION_STATUS_IDLE

import app as application
from chalicelib.database.connection import connect
from tests.support.writes import everything
from tools.checks.bench import handler, roundtrips
from tools.checks.bench.exchanges import replayed, undone
from tools.checks.bench.packages import benches
from tools.checks.bench.service import PAGE


@pytest.fixture(params=benches().values(), ids=benches())
def bench(request, stage):
    """The benchmark of each package, after it has created its records."""
    request.param.prepare()
    return request.param


def test_the_sample_resource_is_measured():
    assert "environments" in benches()


def test_the_benchmarks_counts_are_within_their_bounds(bench):
    figures = list(roundtrips.counted(bench))

    assert any(figure.bound is not None for figure in figures)
    assert all(figure.holds for figure in figures)


def test_a_full_page_is_read(bench):
    _, page, _ = handler.requests(bench)

    [listed] = page.exchanges
    assert len(listed.rows[1]) == PAGE == 200


def test_the_bare_views_give_the_services_answers(bench):
    for request in handler.requests(bench):
        with replayed(request.exchanges):
            ours = application.app(request.event, None)
            theirs = handler.bare_view(request)(request.event, None)

        assert ours["statusCode"] in (200, 201)
        assert theirs == ours, request.what


def test_the_bare_views_send_the_services_statements(bench, database_url):
    with closing(connect(database_url)) as connection:
        for request in handler.requests(bench):
            answer = handler.bare_view(request, connection)(request.event, None)

            assert answer["statusCode"] in (200, 201), request.what
            assert connection.info.transaction_status == TRANSACTION_STATUS_IDLE


def test_what_is_measured_changes_no_record(bench, given):
    before = everything(given)
    *_, write = handler.requests(bench)

    with undone():
        with_sql = [application.app(write.event, None) for _ in range(2)]
    with replayed(write.exchanges):
        alone = [application.app(write.event, None) for _ in range(2)]

    assert {answer["statusCode"] for answer in with_sql} == {201}
    assert alone[0] == alone[1]
    assert everything(given) == before
