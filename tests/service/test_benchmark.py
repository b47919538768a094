"""The benchmark's bare views give the same answers as the service, and its replays leave PostgreSQL alone."""

import pytest

import app as application
from chalicelib.database.connection import Database
from tests.support.writes import everything
from tools.checks.bench import handler, roundtrips, service
from tools.checks.bench.exchanges import replayed


@pytest.fixture
def history(stage):
    """Record the history that the benchmark reads and extends."""
    service.tell_history()


def test_the_benchmarks_counts_are_within_their_bounds(history):
    figures = list(roundtrips.figures())

    assert any(figure.bound is not None for figure in figures)
    assert all(figure.holds for figure in figures)


@pytest.mark.parametrize("composed", [False, True])
def test_the_bare_views_give_the_services_answers(history, composed):
    for request in handler.requests():
        with replayed(request.exchanges, composed=composed):
            ours = application.app(request.event, None)
            theirs = handler.bare_view(request)(request.event, None)

        assert ours["statusCode"] in (200, 201)
        assert theirs == ours, request.what


def test_a_replay_sends_the_same_statements(history, monkeypatch):
    *_, write = handler.requests()
    sent = []
    send = Database._send
    monkeypatch.setattr(
        Database, "_send", lambda self, statements: (sent.append(len(statements)), send(self, statements))[1]
    )

    with replayed(write.exchanges, composed=True):
        application.app(write.event, None)

    assert sent == [exchange.statements for exchange in write.exchanges]


def test_replayed_requests_do_not_reach_the_database(history, given):
    *_, write = handler.requests()
    before = everything(given)

    with replayed(write.exchanges, composed=True):
        answers = [application.app(write.event, None) for _ in range(2)]

    assert answers[0] == answers[1]
    assert everything(given) == before
