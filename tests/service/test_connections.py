"""The connection to PostgreSQL recovers from failures."""

import psycopg2
import pytest

from chalicelib import NAME
from chalicelib.database import connection
from chalicelib.database.connection import DatabaseUnavailable, database


def end_connections(given):
    """End the service's connections, as a restart of the server does."""
    given.sql(
        f"""
        SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE datname = current_database() AND application_name = '{NAME}'
        """
    )


def test_the_next_read_works_after_the_server_restarted(api, given):
    given.a_system()
    api.get("/v1/systems/azul")

    end_connections(given)

    assert api.get("/v1/systems/azul").status == 200


def test_the_next_write_works_after_the_server_restarted(api, given):
    given.a_system()

    end_connections(given)

    assert given.an_environment().status == 201


def test_a_connection_that_dies_in_a_transaction_loses_all_of_it(api, given):
    db = database()

    def write_and_die():
        with db.transaction():
            db.execute("INSERT INTO systems (key, name, description, artifact_kind) VALUES ('lost', '', '', 'tree')")
            end_connections(given)
            db.value("SELECT 1")

    with pytest.raises(DatabaseUnavailable):
        write_and_die()

    assert api.get("/v1/systems/lost").status == 404


def test_a_commit_with_an_unknown_outcome_is_an_error(given):
    db = database()
    db.value("SELECT 1")
    end_connections(given)

    def commit_at_once():
        with db.transaction():
            db.queue("INSERT INTO systems (key, name, description, artifact_kind) VALUES ('lost', '', '', 'tree')")

    with pytest.raises(DatabaseUnavailable):
        commit_at_once()


def test_a_connection_that_timed_out_is_closed(given, monkeypatch):
    monkeypatch.setattr(connection, "REQUEST_SECONDS", 0.1)
    db = database()

    with pytest.raises(DatabaseUnavailable):
        db.value("SELECT pg_sleep(10)")

    assert db._connection.closed


def test_an_interrupted_connection_is_not_used_again(api, given, monkeypatch):
    given.a_system()
    db = database()

    def interrupted(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(connection, "wait", interrupted)
        with pytest.raises(KeyboardInterrupt):
            db.value("SELECT 1")
    db.close()

    assert api.get("/v1/systems/azul").status == 200


def test_a_refused_statement_leaves_the_connection_usable(api, given):
    given.a_system()

    assert api.post("/v1/systems", {"key": "azul", "name": "Again"}).status == 409
    assert api.get("/v1/systems/azul").status == 200


def test_an_unreachable_server_is_a_503_with_retry_after(api, given, monkeypatch):
    given.a_system()

    def unreachable(*args, **kwargs):
        raise psycopg2.OperationalError("could not connect")

    end_connections(given)
    monkeypatch.setattr(psycopg2, "connect", unreachable)

    answer = api.get("/v1/systems/azul")

    assert (answer.status, answer.problem) == (503, "unavailable")
    assert int(answer.headers["Retry-After"]) > 0
    assert "could not connect" not in answer.body
