"""Requests take few round trips to PostgreSQL. The benchmark's bare views give the same answers as the service."""

import pytest

import app as application
from chalicelib.database.connection import Database
from tests.service.deployments.records import an_artifact
from tests.support.claims import RUN
from tools.checks.bench import handler, roundtrips, service
from tools.checks.bench.exchanges import recorded, replayed

DEPLOYMENTS = "/v1/systems/azul/deployments"
VERIFICATION = {"environment": "development", "suite": "acceptance", "trigger": "manual", "outcome": "success"}


@pytest.fixture
def history(stage):
    """Record the history that the benchmark reads and extends."""
    service.tell_history()


def round_trips(request):
    with recorded() as exchanges:
        assert request().status < 300
    return len(exchanges)


@pytest.mark.parametrize("path", ["/v1/systems/azul", "/v1/systems/azul/environments/development", DEPLOYMENTS])
def test_reading_one_resource_or_a_page_is_one_round_trip(api, given, path):
    given.the_usual()
    given.a_deployment()

    assert round_trips(lambda: api.get(path)) == 1


def test_reading_a_deployment_is_one_round_trip(api, given):
    given.the_usual()
    opened = given.a_deployment()["id"]

    assert round_trips(lambda: api.get(f"{DEPLOYMENTS}/{opened}")) == 1


def test_reading_a_verification_is_one_round_trip(api, given):
    given.the_usual()
    given.a_deployment()
    recorded_one = given.a_verification()["id"]

    assert round_trips(lambda: api.get(f"/v1/systems/azul/verifications/{recorded_one}")) == 1


@pytest.fixture(params=["local", "person", "run"])
def pipeline(request, api, given):
    """A pipeline of each kind of issuer.

    For a run, the statement that reads a stored answer also reads the publishers.
    """
    given.the_usual()
    given.a_publisher()
    return {
        "local": api.as_("pipeline"),
        "person": api.as_member("azul-pipelines"),
        "run": api.as_run(),
    }[request.param]


def test_opening_a_deployment_is_four_round_trips_with_its_key(pipeline):
    body = {"environment": "development", "artifact": an_artifact(), "revision": RUN["sha"]}

    assert round_trips(lambda: pipeline.post(DEPLOYMENTS, body, idempotency_key="once")) <= 4


def test_recording_a_status_is_three_round_trips(given):
    given.the_usual()
    opened = given.a_deployment(state="in_progress")["id"]

    assert round_trips(lambda: given.a_status(opened, "succeeded")) <= 3


def test_recording_a_verification_is_four_round_trips_with_its_key(pipeline, given):
    given.a_deployment()

    assert (
        round_trips(lambda: pipeline.post("/v1/systems/azul/verifications", VERIFICATION, idempotency_key="once")) <= 4
    )


def test_a_read_by_a_run_takes_one_more_round_trip_for_its_publishers(api, given):
    given.the_usual()
    given.a_publisher()

    assert round_trips(lambda: api.as_run().get("/v1/systems/azul")) == 2


def test_begin_and_commit_count_as_statements(api, given):
    with recorded() as exchanges:
        given.a_system()

    # The service sends BEGIN together with the first statement, and COMMIT together with the audit event.
    assert [exchange.statements for exchange in exchanges] == [2, 2]


def test_the_benchmarks_counts_are_within_their_bounds(history):
    figures = list(roundtrips.figures())

    assert [figure.bound for figure in figures if figure.bound is not None] == [1, 4, 4]
    assert all(figure.holds for figure in figures)


@pytest.mark.parametrize("composed", [False, True])
def test_the_bare_views_give_the_services_answers(history, composed):
    for request in handler.requests():
        with replayed(request.exchanges, composed=composed):
            ours = application.app(request.event, None)
            theirs = handler.bare_view(request)(request.event, None)

        assert ours["statusCode"] in (200, 201)
        assert theirs == ours, request.what


def test_the_benchmark_reads_a_full_page_and_opens_a_gated_deployment(history):
    _, page, opening = handler.requests()

    [listed] = page.exchanges
    assert len(listed.rows[1]) == service.HISTORY == 200
    _, inserted, _ = opening.exchanges
    assert dict(zip(inserted.rows[0], inserted.rows[1][0], strict=True))["promotion_id"] is not None


def test_a_replay_sends_the_same_statements(history, monkeypatch):
    *_, opening = handler.requests()
    sent = []
    send = Database._send
    monkeypatch.setattr(
        Database, "_send", lambda self, statements: (sent.append(len(statements)), send(self, statements))[1]
    )

    with replayed(opening.exchanges, composed=True):
        application.app(opening.event, None)

    assert sent == [exchange.statements for exchange in opening.exchanges]


def test_replayed_requests_do_not_reach_the_database(history, given):
    *_, opening = handler.requests()
    before = given.sql("SELECT count(*) FROM deployments")

    with replayed(opening.exchanges, composed=True):
        answers = [application.app(opening.event, None) for _ in range(2)]

    assert answers[0] == answers[1]
    assert given.sql("SELECT count(*) FROM deployments") == before
