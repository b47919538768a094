"""What the database may do to us: be away, die, freeze, be full, be slow, or be a writer no more."""

import json
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path

import psycopg2
import pytest

from chalicelib.database import connection, opening
from chalicelib.database.connection import DatabaseUnavailable, database, forget_connections
from tests.support.cluster import Cluster
from tests.support.postgres import server_folder, stop
from tests.support.races import at_once, eventually, held

PATH = "/v1/systems/azul"
WRITE = {"name": "development", "rank": 1}
LOCK = "SELECT pg_advisory_xact_lock(hashtextextended('system azul', 0))"


@pytest.fixture(scope="module")
def cluster():
    folder = server_folder()
    cluster = Cluster(folder)
    yield cluster
    stop(folder)


@pytest.fixture
def database_url(cluster):
    """A database of a server that only this test uses, and may do anything to."""
    cluster.start()
    yield cluster.new_database()
    forget_connections()


def assert_unavailable(answer):
    assert (answer.status, answer.problem) == (503, "unavailable")
    assert int(answer.headers["Retry-After"]) > 0


@contextmanager
def frozen(cluster):
    """Meanwhile the server holds its connections and answers nothing, and requests do not wait for long."""
    cluster.freeze()
    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(connection, "REQUEST_SECONDS", 0.3)
            yield
    finally:
        cluster.thaw()


def sessions(given):
    """The processes of PostgreSQL that serve us."""
    return given.sql(
        "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'slipway'"
    )


def test_while_the_server_is_stopped_everybody_is_told_so_and_afterwards_served(api, given, cluster):
    given.a_system()
    cluster.stop()

    answers = at_once(*[lambda: api.get(PATH)] * 20, *[lambda: api.post(f"{PATH}/environments", WRITE)] * 20)
    for answer in (*answers, api.get("/v1/ready")):
        assert_unavailable(answer)
    cluster.start()

    assert api.get("/v1/ready").status == 200
    assert api.get(PATH).status == 200
    assert api.post(f"{PATH}/environments", WRITE).status == 201


def test_a_server_that_is_killed_within_a_transaction_keeps_what_was_acknowledged_and_no_more(api, given, cluster):
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


def test_a_request_whose_server_is_killed_has_no_effect_until_it_is_retried(api, given, cluster, database_url):
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


def test_a_server_that_is_killed_after_its_answer_has_lost_nothing(api, given, cluster):
    given.a_system()
    first = api.post(f"{PATH}/environments", WRITE, idempotency_key="one")
    cluster.kill()
    cluster.start()

    again = api.post(f"{PATH}/environments", WRITE, idempotency_key="one")

    assert (again.status, again.body) == (first.status, first.body)
    assert "Idempotency-Replayed" in again.headers


@pytest.mark.parametrize("connected", [True, False])
def test_requests_to_a_frozen_server_end_and_once_it_thaws_are_served(api, given, cluster, connected):
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


def test_a_write_to_a_frozen_server_has_one_effect_when_it_is_retried(api, given, cluster):
    given.a_system()
    with frozen(cluster):
        assert_unavailable(api.post(f"{PATH}/environments", WRITE, idempotency_key="one"))

    assert api.post(f"{PATH}/environments", WRITE, idempotency_key="one").status == 201
    assert given.sql("SELECT count(*) FROM environments") == [(1,)]


def test_what_a_request_may_wait_is_less_than_function_and_gateway_allow():
    config = json.loads((Path(__file__).parents[2] / ".chalice" / "config.json").read_text())

    assert opening.CONNECT_SECONDS < connection.REQUEST_SECONDS
    assert opening.STATEMENT_SECONDS < connection.REQUEST_SECONDS
    assert connection.REQUEST_SECONDS + 2 < config["lambda_timeout"] < 29


def test_a_server_with_all_its_connections_taken_is_unavailable_until_one_is_free(api, given, cluster, database_url):
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
def test_a_statement_that_takes_too_long_leaves_its_connection_to_the_next_request(
    api, given, monkeypatch, in_transaction
):
    given.a_system()
    forget_connections()
    with monkeypatch.context() as patch:
        patch.setattr(opening, "STATEMENT_SECONDS", 0.1)
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


def test_who_waits_too_long_for_a_lock_is_told_to_try_again(api, given, database_url, monkeypatch):
    given.a_system()
    forget_connections()

    with held(database_url, LOCK), monkeypatch.context() as patch:
        patch.setattr(opening, "STATEMENT_SECONDS", 0.1)
        answer = api.post(f"{PATH}/environments", WRITE)
    forget_connections()

    assert_unavailable(answer)
    assert api.post(f"{PATH}/environments", WRITE).status == 201


def test_what_we_have_given_up_the_server_gives_up_too(api, given, database_url, monkeypatch):
    monkeypatch.setattr(opening, "STATEMENT_SECONDS", 3600)
    given.a_system()

    with held(database_url, LOCK):
        with monkeypatch.context() as patch:
            patch.setattr(connection, "REQUEST_SECONDS", 0.3)
            assert_unavailable(api.post(f"{PATH}/environments", WRITE))
        eventually(lambda: sessions(given) == [])

    assert given.sql("SELECT count(*) FROM environments") == [(0,)]
    assert api.post(f"{PATH}/environments", WRITE).status == 201


def test_a_connection_to_what_is_no_writer_any_more_is_replaced_within_the_request(api, given):
    given.a_system()
    before = sessions(given)
    _read_only_session()

    assert api.post(f"{PATH}/environments", WRITE).status == 201
    assert not set(sessions(given)) & set(before)


def test_where_that_shows_too_late_the_next_request_is_served(api, given):
    given.a_system()
    given.an_environment()
    given.a_deployment()
    verification = {"environment": "development", "suite": "s", "trigger": "manual", "outcome": "success"}
    _read_only_session()

    # Its first statement reads, so what was sent is lost when the second is refused.
    assert_unavailable(api.post(f"{PATH}/verifications", verification))

    assert api.post(f"{PATH}/verifications", verification).status == 201


def test_while_there_is_no_writer_nothing_is_served(api, given, cluster):
    given.a_system()
    forget_connections()
    cluster.sql("ALTER SYSTEM SET default_transaction_read_only = on")
    cluster.sql("SELECT pg_reload_conf()")
    try:
        answers = [api.get("/v1/ready"), api.post(f"{PATH}/environments", WRITE)]
    finally:
        cluster.sql("ALTER SYSTEM RESET default_transaction_read_only")
        cluster.sql("SELECT pg_reload_conf()")

    for answer in answers:
        assert_unavailable(answer)


def _read_only_session():
    """What a failover does to the connection that is kept: it leads to a reader now."""
    db = database()
    db.execute("SET default_transaction_read_only = on")
    db.close()
