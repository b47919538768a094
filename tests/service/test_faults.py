"""Faults of the database server: it stops, dies, freezes, is slow, has no free connection, or is no longer a writer."""

import json
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path

import psycopg2
import pytest

from chalicelib import NAME
from chalicelib.database import connection, opening
from chalicelib.database.connection import DatabaseUnavailable, database, forget_connections, lock_key
from tests.support.cluster import Cluster
from tests.support.postgres import server_folder, stop
from tests.support.races import at_once, eventually, held

PATH = "/v1/systems/azul"
WRITE = {"name": "development", "rank": 1}
LOCK = f"SELECT pg_advisory_xact_lock({lock_key('system azul')})"


@pytest.fixture(scope="module")
def cluster():
    folder = server_folder()
    cluster = Cluster(folder)
    yield cluster
    stop(folder)


@pytest.fixture
def database_url(cluster):
    """The address of a database on a server that only these tests use, so they may break the server."""
    cluster.start()
    yield cluster.new_database()
    forget_connections()


def assert_unavailable(answer):
    assert (answer.status, answer.problem) == (503, "unavailable")
    assert int(answer.headers["Retry-After"]) > 0


@contextmanager
def frozen(cluster):
    """Freeze the server during the block. The server keeps its connections, but answers nothing.

    Requests wait only briefly for the server.
    """
    cluster.freeze()
    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(connection, "REQUEST_SECONDS", 0.3)
            yield
    finally:
        cluster.thaw()


def sessions(given):
    """Return the pids of PostgreSQL's processes for the connections of the service."""
    return given.sql(
        f"SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND application_name = '{NAME}'"
    )


def test_requests_get_503_while_the_server_is_stopped_and_answers_afterwards(api, given, cluster):
    given.a_system()
    cluster.stop()

    answers = at_once(*[lambda: api.get(PATH)] * 20, *[lambda: api.post(f"{PATH}/environments", WRITE)] * 20)
    for answer in (*answers, api.get("/v1/ready")):
        assert_unavailable(answer)
    cluster.start()

    assert api.get("/v1/ready").status == 200
    assert api.get(PATH).status == 200
    assert api.post(f"{PATH}/environments", WRITE).status == 201


def test_a_server_killed_in_a_transaction_keeps_only_what_was_acknowledged(api, given, cluster):
    given.a_system()
    db = database()

    def write_and_lose_the_server():
        with db.transaction():
            db.execute("INSERT INTO systems (key, name, description, artifact_kind) VALUES ('lost', '', '', 'tree')")
            cluster.kill()
            db.execute("UPDATE systems SET name = 'Lost'")

    with pytest.raises(DatabaseUnavailable):
        write_and_lose_the_server()
    db.close()
    cluster.start()

    assert api.get(PATH).status == 200
    assert api.get("/v1/systems/lost").status == 404


def test_a_request_whose_server_is_killed_has_no_effect_until_retried(api, given, cluster, database_url):
    given.a_system()

    def send():
        return api.post(f"{PATH}/environments", WRITE, idempotency_key="one")

    def kill_while_it_waits():
        with held(database_url, LOCK) as hold:
            answers.append(hold.waiting(send))
            cluster.kill()

    answers = []
    with pytest.raises(psycopg2.OperationalError):
        kill_while_it_waits()
    assert_unavailable(answers[0].result())
    cluster.start()

    assert api.get(f"{PATH}/environments")["items"] == []
    assert send().status == 201


def test_a_server_killed_after_its_answer_has_lost_nothing(api, given, cluster):
    given.a_system()
    first = api.post(f"{PATH}/environments", WRITE, idempotency_key="one")
    cluster.kill()
    cluster.start()

    again = api.post(f"{PATH}/environments", WRITE, idempotency_key="one")

    assert (again.status, again.body) == (first.status, first.body)
    assert "Idempotency-Replayed" in again.headers


@pytest.mark.parametrize("connected", [True, False])
def test_requests_to_a_frozen_server_end_and_later_ones_are_served(api, given, cluster, connected):
    given.a_system()
    if not connected:
        forget_connections()

    with frozen(cluster):
        assert_unavailable(api.get(PATH))
        assert_unavailable(api.post(f"{PATH}/environments", WRITE))
        assert_unavailable(api.get("/v1/ready"))
        assert api.get("/v1/health").status == 200

    assert api.get("/v1/ready").status == 200
    assert api.post(f"{PATH}/environments", WRITE).status == 201


def test_a_write_to_a_frozen_server_has_one_effect_when_retried(api, given, cluster):
    given.a_system()
    with frozen(cluster):
        assert_unavailable(api.post(f"{PATH}/environments", WRITE, idempotency_key="one"))

    assert api.post(f"{PATH}/environments", WRITE, idempotency_key="one").status == 201
    assert given.sql("SELECT count(*) FROM environments") == [(1,)]


def test_a_request_waits_less_than_function_and_gateway_allow():
    config = json.loads((Path(__file__).parents[2] / ".chalice" / "config.json").read_text())

    assert opening.CONNECT_SECONDS < connection.REQUEST_SECONDS
    assert opening.STATEMENT_SECONDS < connection.REQUEST_SECONDS
    assert connection.REQUEST_SECONDS + 2 < config["lambda_timeout"] < 29


def test_a_server_without_free_connections_is_unavailable_until_one_is_free(api, given, cluster, database_url):
    given.a_system()
    forget_connections()

    def take_all(taken):
        with suppress(psycopg2.OperationalError):
            while True:
                taken.enter_context(closing(psycopg2.connect(database_url)))

    with ExitStack() as taken:
        take_all(taken)
        refused = api.get(PATH)

    assert_unavailable(refused)
    assert "too many clients" not in refused.body
    assert api.get(PATH).status == 200


@pytest.mark.parametrize("in_transaction", [True, False])
def test_after_a_statement_timeout_the_connection_serves_the_next_request(api, given, monkeypatch, in_transaction):
    given.a_system()
    forget_connections()
    with monkeypatch.context() as patch:
        patch.setitem(opening._SETTINGS, "statement_timeout", "100ms")
        api.get(PATH)
    before = sessions(given)
    db = database()

    def take_too_long():
        if in_transaction:
            with db.transaction():
                db.execute("UPDATE systems SET name = 'Lost'")
                db.value("SELECT pg_sleep(10)")
        else:
            db.value("SELECT pg_sleep(10)")

    with pytest.raises(DatabaseUnavailable):
        take_too_long()
    db.close()

    assert api.get(PATH)["name"] == "Azul"
    assert sessions(given) == before


def test_a_request_that_waits_too_long_for_a_lock_is_told_to_retry(api, given, database_url, monkeypatch):
    given.a_system()
    forget_connections()

    with held(database_url, LOCK), monkeypatch.context() as patch:
        patch.setitem(opening._SETTINGS, "statement_timeout", "100ms")
        answer = api.post(f"{PATH}/environments", WRITE)
    forget_connections()

    assert_unavailable(answer)
    assert api.post(f"{PATH}/environments", WRITE).status == 201


def test_the_server_ends_statements_that_the_service_gave_up_on(api, given, database_url, monkeypatch):
    monkeypatch.setitem(opening._SETTINGS, "statement_timeout", "1h")
    given.a_system()

    with held(database_url, LOCK):
        with monkeypatch.context() as patch:
            patch.setattr(connection, "REQUEST_SECONDS", 0.3)
            assert_unavailable(api.post(f"{PATH}/environments", WRITE))
        eventually(lambda: sessions(given) == [])

    assert given.sql("SELECT count(*) FROM environments") == [(0,)]
    assert api.post(f"{PATH}/environments", WRITE).status == 201


def test_a_connection_to_a_former_writer_is_replaced_within_the_request(api, given):
    given.a_system()
    before = sessions(given)
    _read_only_session()

    assert api.post(f"{PATH}/environments", WRITE).status == 201
    # PostgreSQL ends a process a moment after its connection was closed.
    eventually(lambda: not set(sessions(given)) & set(before))


def test_if_a_failover_breaks_one_request_the_next_is_served(api, given):
    given.a_system_with_an_environment()
    _read_only_session()

    # The service repeats only the first statement of a transaction. Here the second statement fails.
    assert_unavailable(api.patch(f"{PATH}/environments/development", {"rank": 2}, if_match="*"))

    assert api.patch(f"{PATH}/environments/development", {"rank": 2}, if_match="*").status == 200


def test_without_a_writer_requests_get_503(api, given, cluster):
    given.a_system()
    with cluster.as_reader():
        forget_connections()
        answers = [api.get("/v1/ready"), api.post(f"{PATH}/environments", WRITE)]

    for answer in answers:
        assert_unavailable(answer)


def _read_only_session():
    """Make the kept connection read-only, as a failover does."""
    db = database()
    db.execute("SET default_transaction_read_only = on")
    db.close()
