"""The logins of a deployed database: those of the functions, and the reader for people."""

import json
import re
from base64 import b64decode
from contextlib import closing

import psycopg2
import pytest
from psycopg2.errors import InsufficientPrivilege
from psycopg2.extensions import encrypt_password, make_dsn

from chalicelib.database import maintenance
from chalicelib.database.connection import database
from chalicelib.database.passwords import new_password, verifier
from chalicelib.database.roles import APP, MIGRATOR, READER
from tests.support.aurora import (
    APP_LOGIN,
    MASTER,
    MIGRATOR_LOGIN,
    RDS_MEMBERS,
    Secret,
    as_reader,
    data_api,
    logins,
    sql,
)
from tests.support.postgres import SUPERUSER, as_login
from tests.support.stage import local_stage

ROLES = {APP_LOGIN: APP, MIGRATOR_LOGIN: MIGRATOR}


def test_after_two_deployments_only_the_logins_use_tokens_and_the_master_still_has_its_password(empty, monkeypatch):
    """Amazon RDS refuses the password of a member of a login, which PostgreSQL makes the creator of the login."""
    for _ in range(2):
        data_api(monkeypatch, empty)
        maintenance.bootstrap({}, None)

        assert sql(empty, "SELECT current_user") == [(MASTER,)]
        assert sql(empty, f"SELECT {RDS_MEMBERS} ORDER BY 1") == [(APP_LOGIN,), (MIGRATOR_LOGIN,)]
        assert sql(empty, "SELECT rolname FROM pg_roles WHERE rolname LIKE '%maker%'") == []


def test_the_server_refuses_the_password_of_members_of_members(empty):
    sql(as_login(empty, SUPERUSER), f"CREATE ROLE between; GRANT rds_iam TO between; GRANT between TO {MASTER}")

    with pytest.raises(psycopg2.OperationalError, match="authentication failed"):
        sql(empty, "SELECT")

    sql(as_login(empty, SUPERUSER), "DROP ROLE between")


@pytest.mark.parametrize("role", [APP, MIGRATOR])
def test_the_roles_cannot_log_in(migrated, role):
    url, _ = migrated

    assert sql(url, f"SELECT rolcanlogin FROM pg_roles WHERE rolname = '{role}'") == [(False,)]


@pytest.mark.parametrize(("login", "role"), ROLES.items())
def test_a_login_acts_as_its_role_from_the_start_and_has_no_other_right(migrated, login, role):
    url, _ = migrated
    [other] = {APP, MIGRATOR} - {role}
    with closing(psycopg2.connect(as_login(url, login))) as connection, connection.cursor() as cursor:
        connection.autocommit = True
        cursor.execute("SELECT session_user, current_user")
        assert cursor.fetchall() == [(login, role)]
        cursor.execute("SELECT count(*) FROM systems")

        for escape in ("SET ROLE NONE", f"SET ROLE {login}"):
            cursor.execute(escape)
            with pytest.raises(InsufficientPrivilege):
                cursor.execute("SELECT FROM public.systems")
            with pytest.raises(InsufficientPrivilege):
                cursor.execute("CREATE TEMPORARY TABLE more (id integer)")
        for become in (other, MASTER, READER, *(ROLES.keys() - {login})):
            with pytest.raises(InsufficientPrivilege):
                cursor.execute(f"SET ROLE {become}")
        for more in (
            f"GRANT {other} TO {login}",
            f"GRANT {role} TO {READER}",
            f"ALTER ROLE {login} CREATEROLE",
            "CREATE ROLE more",
            "SELECT FROM pg_authid",
        ):
            with pytest.raises(InsufficientPrivilege):
                cursor.execute(more)
        cursor.execute("RESET ROLE")
        cursor.execute("SELECT current_user")
        assert cursor.fetchall() == [(role,)]


def test_the_functions_serve_with_the_login_of_the_service(migrated):
    url, _ = migrated

    with local_stage(as_login(url, APP_LOGIN)):
        user = database().row("SELECT session_user, current_user")

    assert user == {"session_user": APP_LOGIN, "current_user": APP}


@pytest.mark.parametrize("login", [APP_LOGIN, MIGRATOR_LOGIN, READER])
def test_other_databases_are_closed(migrated, login):
    url, secret = migrated

    for other in ("postgres", "template1"):
        with pytest.raises(psycopg2.OperationalError, match="permission denied for database"):
            sql(make_dsn(url, dbname=other, user=login, password=secret.password), "SELECT")


def test_bootstrap_in_a_clone_adds_the_clones_logins(migrated, monkeypatch):
    url, secret = migrated
    clone = {"APP_LOGIN": f"{APP_LOGIN}_d", "MIGRATOR_LOGIN": f"{MIGRATOR_LOGIN}_d"}
    for name, value in clone.items():
        monkeypatch.setenv(f"SLIPWAY_DATABASE_{name}", value)
    secret_of_clone = Secret()
    data_api(monkeypatch, url, secret_of_clone)

    answer = maintenance.bootstrap({}, None)
    with local_stage(as_login(url, clone["MIGRATOR_LOGIN"])):
        assert maintenance.migrate({}, None)["applied"] == []

    assert answer == {"roles": [MIGRATOR, APP], "logins": [clone["MIGRATOR_LOGIN"], clone["APP_LOGIN"], READER]}
    assert set(logins(url)) == {APP_LOGIN, MIGRATOR_LOGIN, *clone.values()}
    assert sql(as_reader(url, secret_of_clone.password), "SELECT count(*) FROM systems") == [(0,)]
    with pytest.raises(psycopg2.OperationalError):
        sql(as_reader(url, secret.password), "SELECT")


def test_bootstrap_can_be_repeated_and_keeps_the_readers_password(migrated, monkeypatch):
    url, secret = migrated
    password = secret.password

    for _ in range(2):
        data_api(monkeypatch, url, secret)
        answer = maintenance.bootstrap({}, None)

    assert password not in str(answer)
    assert [json.loads(value) for value in secret.values] == [{"username": READER, "password": password}]
    assert sql(as_reader(url, password), "SELECT current_user") == [(READER,)]


def test_the_database_follows_the_secret(migrated, monkeypatch):
    """An earlier run may have failed after it wrote the secret, or somebody may have changed the secret."""
    url, secret = migrated
    secret.values.append(json.dumps({"username": READER, "password": new_password()}))
    sql(as_reader(url, json.loads(secret.values[0])["password"]), f"ALTER ROLE {READER} PASSWORD 'of-the-reader'")
    data_api(monkeypatch, url, secret)

    maintenance.bootstrap({}, None)

    assert sql(as_reader(url, secret.password), "SELECT current_user") == [(READER,)]


def test_without_a_place_for_the_readers_password_nothing_changes(empty, monkeypatch):
    secret = Secret()
    secret.fails = True
    data_api(monkeypatch, empty, secret)

    with pytest.raises(ConnectionError):
        maintenance.bootstrap({}, None)

    assert logins(empty) == []


def test_no_statement_has_the_readers_password(empty, monkeypatch):
    """PostgreSQL's log shows statements that change roles."""
    secret = Secret()
    client = data_api(monkeypatch, empty, secret)
    sent = []
    monkeypatch.setattr(client, "execute_statement", lambda sql, **_: sent.append(sql))

    maintenance.bootstrap({}, None)

    assert any("PASSWORD E'SCRAM-SHA-256$" in statement for statement in sent)
    assert secret.password not in " ".join(sent)
    # The Data API might take these for parameters.
    assert re.findall(r"(?<!:):\w+", " ".join(sent)) == []


def test_the_verifier_is_that_of_libpq(cluster):
    password = new_password()
    with closing(psycopg2.connect(cluster)) as connection:
        of_libpq = encrypt_password(password, READER, connection, "scram-sha-256")

    salt = b64decode(of_libpq.split("$")[1].partition(":")[2])
    assert verifier(password, salt) == of_libpq
    assert verifier(password) != verifier(password)


WRITES = [
    "INSERT INTO systems (key, name) VALUES ('azul', 'Azul')",
    "UPDATE systems SET name = 'Azul'",
    "DELETE FROM audit_events",
    "TRUNCATE systems",
    "SELECT FROM systems FOR UPDATE",
    "SELECT nextval('audit_events_id_seq')",
    "CREATE TABLE more (id integer)",
    "CREATE TEMPORARY TABLE more (id integer)",
    "CREATE SCHEMA more",
    "ALTER TABLE systems ADD COLUMN colour text",
    "CREATE ROLE more",
    f"ALTER ROLE {READER} CREATEROLE",
    f"ALTER ROLE {APP_LOGIN} PASSWORD 'known'",
    f"GRANT {APP} TO {READER}",
    f"SET ROLE {APP}",
    f"SET ROLE {MIGRATOR}",
    f"SET ROLE {APP_LOGIN}",
    f"SET ROLE {MASTER}",
    "SELECT FROM pg_authid",
    "SELECT pg_read_file('PG_VERSION')",
    "COPY systems TO PROGRAM 'cat'",
]


def test_the_reader_reads_every_table_also_later_ones_and_does_nothing_else(migrated):
    url, secret = migrated
    sql(as_login(url, MIGRATOR_LOGIN), "CREATE TABLE made_later (id integer)")
    sql(as_login(url, MIGRATOR_LOGIN), "CREATE FUNCTION of_the_owner() RETURNS integer LANGUAGE sql RETURN 1")
    tables = [table for (table,) in sql(url, "SELECT tablename FROM pg_tables WHERE schemaname = 'public'")]

    with closing(psycopg2.connect(as_reader(url, secret.password))) as connection, connection.cursor() as cursor:
        connection.autocommit = True
        for table in tables:
            cursor.execute(f"SELECT FROM {table}")
        for statement in [*WRITES, "SELECT of_the_owner()"]:
            with pytest.raises(InsufficientPrivilege):
                cursor.execute(statement)

    assert {"made_later", "systems", "audit_events"} <= set(tables)


def test_the_reader_needs_its_password_and_is_a_member_of_no_role(migrated):
    url, _ = migrated

    with pytest.raises(psycopg2.OperationalError):
        sql(as_reader(url, "wrong"), "SELECT")

    assert sql(url, f"SELECT FROM pg_auth_members WHERE member = '{READER}'::regrole") == []
