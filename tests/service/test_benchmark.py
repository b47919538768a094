"""The benchmark's bare views give the same answers as the service, and its replays leave PostgreSQL alone."""

import pytest

import app as application
from chalicelib.database.connection import Database
from tests.support.writes import everything
from tools.checks.bench import handler, roundtrips
from tools.checks.bench.exchanges import replayed
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


@pytest.mark.parametrize("composed", [False, True])
def test_the_bare_views_give_the_services_answers(bench, composed):
    for request in handler.requests(bench):
        with replayed(request.exchanges, composed=composed):
            ours = application.app(request.event, None)
            theirs = handler.bare_view(request)(request.event, None)

        assert ours["statusCode"] in (200, 201)
        assert theirs == ours, request.what


def test_a_replay_sends_the_same_statements(bench, monkeypatch):
    *_, write = handler.requests(bench)
    sent = []
    send = Database._send
    monkeypatch.setattr(
        Database,
        "_send",
        lambda self, statements, last: (sent.append(len(statements)), send(self, statements, last))[1],
    )

    with replayed(write.exchanges, composed=True):
        application.app(write.event, None)

    assert sent == [exchange.statements for exchange in write.exchanges]


def test_replayed_requests_do_not_reach_the_database(bench, given):
    *_, write = handler.requests(bench)
    before = everything(given)

    with replayed(write.exchanges, composed=True):
        answers = [application.app(write.event, None) for _ in range(2)]

    assert answers[0] == answers[1]
    assert everything(given) == before
