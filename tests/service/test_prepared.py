"""A prepared statement is planned once for a connection, and survives errors and lost connections."""

import pytest

from chalicelib.database.connection import Database, DatabaseUnavailable, UnusableValue, database, forget_connections
from chalicelib.database.prepared import Prepared

KEYS = Prepared("SELECT key, %(factor)s * 2 AS twice, %(factor)s AS once FROM systems WHERE key = %(key)s")


@pytest.fixture
def sent(monkeypatch, given):
    """The messages that are sent to PostgreSQL. The test starts with a new connection."""
    given.a_system()
    forget_connections()
    messages = []
    exchange = Database._exchange
    monkeypatch.setattr(
        Database, "_exchange", lambda self, message: messages.append(message) or exchange(self, message)
    )
    return messages


def asked(key="azul"):
    db = database()
    try:
        return db.row(KEYS, key=key, factor=21)
    finally:
        db.close()


def test_values_are_passed_by_name(sent):
    assert asked() == {"key": "azul", "twice": 42, "once": 21}
    assert asked("it's nothing") is None


def test_a_statement_is_prepared_with_its_first_use(sent, given):
    asked()
    asked()

    db = database()
    assert db.value("SELECT count(*) FROM pg_prepared_statements WHERE name = %(name)s", name=KEYS.name) == 1
    assert db.value("SELECT generic_plans FROM pg_prepared_statements WHERE name = %(name)s", name=KEYS.name) == 2
    db.close()


def test_another_connection_prepares_it_again(sent):
    asked()
    forget_connections()

    assert asked()["key"] == "azul"


def test_after_an_error_nobody_relies_on_what_was_prepared(sent):
    db = database()
    with pytest.raises((UnusableValue, DatabaseUnavailable)):
        db.row(KEYS, key="azul", factor="no number")
    db.close()

    assert asked()["key"] == "azul"
    assert asked()["key"] == "azul"


def test_in_a_transaction_it_is_prepared_before_the_queued_statements(sent):
    db = database()
    with db.transaction():
        db.lock("a name")
        assert db.row(KEYS, key="azul", factor=1)["once"] == 1
        assert db.row(KEYS, key="azul", factor=2)["once"] == 2
    db.close()

    assert [message.count("EXECUTE") for message in sent[:2]] == [1, 1]
