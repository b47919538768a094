"""A role may store settings for itself. They change nothing for the service, which sends its own settings."""

from contextlib import closing

import psycopg2
import pytest
from psycopg2.errors import InsufficientPrivilege

from chalicelib.database.connection import database, forget_connections
from chalicelib.database.opening import _SETTINGS, connect
from chalicelib.database.roles import APP
from tests.support.postgres import SUPERUSER

# The values with which an attacker would stop the service, make it lose data, or change its answers.
HARMFUL = {
    "search_path": "nowhere",
    "default_transaction_read_only": "on",
    "default_transaction_isolation": "serializable",
    "local_preload_libraries": "nothing",
    "exit_on_error": "on",
    "synchronous_commit": "off",
    "client_encoding": "LATIN1",
    "timezone": "Asia/Tokyo",
    "datestyle": "SQL, DMY",
    "intervalstyle": "iso_8601",
    "extra_float_digits": "-15",
    "standard_conforming_strings": "off",
    "transform_null_equals": "on",
    "jit": "on",
    "plan_cache_mode": "force_custom_plan",
    "statement_timeout": "1ms",
    "lock_timeout": "1ms",
    "idle_in_transaction_session_timeout": "1ms",
    "idle_session_timeout": "1ms",
    "client_connection_check_interval": "0",
    "role": "none",
}
SYSTEM = {"key": "blue", "name": "Blåu 🙂", "description": "C:\\\\temp"}


@pytest.fixture
def store(given, database_url):
    """`store(name)` stores a harmful setting as the service's own role, for all databases and for this one."""
    here = psycopg2.extensions.parse_dsn(database_url)["dbname"]

    def run(*names):
        with closing(psycopg2.connect(database_url)) as connection, connection.cursor() as cursor:
            connection.autocommit = True
            for name in names:
                for where in ("", f"IN DATABASE {here}"):
                    cursor.execute(f"ALTER ROLE {APP} {where} SET {name} = {HARMFUL[name]!r}")
        forget_connections()

    yield run
    # The tests' databases share their roles.
    given.sql(f"ALTER ROLE {APP} RESET ALL")


@pytest.mark.parametrize("names", [*([name] for name in HARMFUL), list(HARMFUL)], ids=lambda names: "+".join(names[:2]))
def test_settings_that_its_role_stored_change_nothing_for_the_service(api, given, store, names):
    given.a_system()
    store(*names)

    answers = [
        api.as_("admin").post("/v1/systems", SYSTEM),
        api.as_("admin").post("/v1/systems", SYSTEM),
        api.get("/v1/systems/blue"),
        api.get("/v1/systems/azul"),
    ]

    assert [answer.status for answer in answers] == [201, 409, 200, 200]
    assert {name: answers[2][name] for name in SYSTEM} == SYSTEM
    shown = {name: database().value(f"SHOW {name}") for name in names if name != "role"}
    assert shown == {name: EXPECTED.get(name, _SETTINGS[name]) for name in shown}
    assert database().value("SELECT current_user") == APP


# PostgreSQL shows these values in another form.
EXPECTED = {
    "datestyle": "ISO, MDY",
    "default_transaction_isolation": "read committed",
    "idle_session_timeout": "4min",
}


def test_every_setting_of_a_connection_is_tested():
    assert set(HARMFUL) == {*_SETTINGS, "role"}


def test_migrations_run_with_the_same_settings(given, store, database_url):
    store("search_path", "default_transaction_read_only")

    with closing(connect(database_url)) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('search_path'), current_setting('default_transaction_read_only')")
        assert cursor.fetchall() == [("public", "off")]


def test_large_objects_and_a_password_open_nothing_of_others(given, database_url):
    """The master is no superuser, and can't take these rights away. They reach only what the role itself made."""
    of_another = given.sql("SELECT lo_from_bytea(0, 'of the superuser')")[0][0]
    with closing(psycopg2.connect(database_url)) as connection, connection.cursor() as cursor:
        connection.autocommit = True
        cursor.execute("SELECT lo_from_bytea(0, 'its own')")
        cursor.execute(f"ALTER ROLE {APP} PASSWORD 'known'")
        refused = [
            f"SELECT lo_get({of_another})",
            f"SELECT lo_put({of_another}, 0, 'changed')",
            f"SELECT lo_unlink({of_another})",
            "SELECT lo_import('/etc/passwd')",
            f"SELECT lo_export({of_another}, '/tmp/file')",
            f"ALTER ROLE {SUPERUSER} PASSWORD 'known'",
        ]

        for statement in refused:
            with pytest.raises(InsufficientPrivilege):
                cursor.execute(statement)

    given.sql(f"ALTER ROLE {APP} PASSWORD NULL")
    assert given.sql(f"SELECT lo_get({of_another})::text") == [("\\x" + b"of the superuser".hex(),)]
