"""Create the roles on a new server, with a login that is not a superuser."""

from contextlib import closing

import psycopg2
import pytest
from psycopg2.errors import InsufficientPrivilege
from psycopg2.extensions import make_dsn

from chalicelib.database.connection import database
from chalicelib.database.migrate import MigrationRefused, expected_version, migrate
from chalicelib.database.roles import APP, MIGRATOR, statements
from tests.support.api import Api
from tests.support.postgres import SUPERUSER, as_login, server, server_folder, stop
from tests.support.stage import local_stage
from tools.checkout import ToolError
from tools.local.bootstrap import bootstrap, let_roles_log_in

NAME = 'a "database" of ours'  # SQL must quote this name
MASTER = "master user"
SOMEBODY = "some-body"


@pytest.fixture(scope="module")
def bare_server():
    """The address of a new PostgreSQL server, without the roles."""
    folder = server_folder()
    yield server(folder / "data").get_uri()
    stop(folder)


@pytest.fixture
def owned(bare_server):
    """The address of a database whose owner is not a superuser but may create roles, as on Amazon RDS."""
    run(
        bare_server,
        f'CREATE ROLE "{MASTER}" LOGIN CREATEDB CREATEROLE',
        f'CREATE ROLE "{SOMEBODY}" LOGIN',
        f'CREATE DATABASE {quoted(NAME)} OWNER "{MASTER}"',
    )
    yield make_dsn(bare_server, dbname=NAME, user=MASTER)
    run(
        bare_server,
        f"DROP DATABASE {quoted(NAME)} WITH (FORCE)",
        f'DROP ROLE IF EXISTS {APP}, {MIGRATOR}, "{MASTER}", "{SOMEBODY}"',
    )


def run(address, *statements):
    """Run each statement in its own transaction; return the rows of the last statement."""
    with closing(psycopg2.connect(address)) as connection, connection.cursor() as cursor:
        connection.autocommit = True
        for statement in statements:
            cursor.execute(statement)
        return cursor.fetchall() if cursor.description else []


def quoted(name):
    return '"' + name.replace('"', '""') + '"'


def assert_served(address, contract):
    """Require that the service works with this database, in the role APP."""
    with local_stage(address):
        api = Api(contract).as_("admin")
        assert api.as_(None).get("/v1/ready")["schema_version"] == expected_version()
        assert api.post("/v1/systems", {"key": "azul", "name": "Azul"}).status == 201
        assert database().value("SELECT current_user") == APP


def test_a_database_owner_who_may_create_roles_creates_them_migrates_and_serves(owned, contract):
    for _ in range(2):
        run(owned, "BEGIN", *statements(NAME), "COMMIT")
        migrate(owned)

    assert_served(owned, contract)
    assert run(owned, "SELECT DISTINCT tableowner FROM pg_tables WHERE schemaname = 'public'") == [(MIGRATOR,)]


def test_the_statements_also_work_one_by_one(owned, contract):
    for statement in statements(NAME):
        run(owned, statement)

    migrate(owned)

    assert_served(owned, contract)


def test_the_creator_of_the_roles_needs_set_role_to_use_them(owned):
    bootstrap(owned)
    migrate(owned)

    with pytest.raises(InsufficientPrivilege):
        run(owned, "SELECT FROM public.systems")

    assert run(owned, f"SET ROLE {APP}", "SELECT count(*) FROM systems") == [(0,)]


def test_the_roles_cannot_log_in_until_the_server_is_trusted(owned, contract):
    bootstrap(owned)
    for role in (APP, MIGRATOR):
        with pytest.raises(psycopg2.OperationalError, match="not permitted to log in"):
            run(as_login(owned, role), "SELECT")

    let_roles_log_in(owned)

    migrate(as_login(owned, MIGRATOR))

    assert_served(as_login(owned, APP), contract)


def test_other_logins_can_no_longer_connect(owned):
    run(as_login(owned, SOMEBODY), "SELECT")
    bootstrap(owned)

    with pytest.raises(psycopg2.OperationalError):
        run(as_login(owned, SOMEBODY), "SELECT")


def test_a_login_that_may_not_create_roles_gets_the_sql_for_an_administrator(owned, contract):
    somebody = as_login(owned, SOMEBODY)

    with pytest.raises(ToolError) as refused:
        bootstrap(somebody)
    what_to_run = str(refused.value).partition("\n\n")[2]
    run(as_login(owned, SUPERUSER), what_to_run)

    bootstrap(somebody)
    migrate(somebody)
    assert_served(somebody, contract)


def test_the_owner_can_run_that_sql_too(owned, contract):
    somebody = as_login(owned, SOMEBODY)

    for login in (SOMEBODY, MASTER):
        run(owned, *statements(NAME, login))
    bootstrap(somebody)

    migrate(somebody)
    assert_served(somebody, contract)


@pytest.mark.parametrize("missing", [APP, MIGRATOR])
def test_a_login_with_only_one_of_the_roles_is_refused(owned, missing):
    bootstrap(owned)
    [other] = {APP, MIGRATOR} - {missing}
    run(owned, f'GRANT {other} TO "{SOMEBODY}"', f'GRANT CONNECT ON DATABASE {quoted(NAME)} TO "{SOMEBODY}"')

    with pytest.raises(ToolError):
        bootstrap(as_login(owned, SOMEBODY))


def test_acting_as_the_roles_is_not_enough_if_they_do_not_own_the_schema(owned):
    """The roles exist already, as they do if another database of the server uses them."""
    run(owned, *statements(NAME, SOMEBODY))
    run(as_login(owned, SUPERUSER), f'ALTER SCHEMA public OWNER TO "{MASTER}"')

    with pytest.raises(ToolError):
        bootstrap(as_login(owned, SOMEBODY))


@pytest.mark.parametrize("role", [APP, MIGRATOR])
def test_the_roles_are_not_told_to_be_granted_each_other(owned, role):
    bootstrap(owned)
    let_roles_log_in(owned)

    with pytest.raises(ToolError) as refused:
        bootstrap(as_login(owned, role))

    assert "GRANT" not in str(refused.value)


def test_migrations_are_refused_before_the_roles_exist(owned):
    for login in (MASTER, SUPERUSER):
        with pytest.raises(MigrationRefused, match="GRANT"):
            migrate(as_login(owned, login))


def test_migrations_are_refused_to_logins_without_the_migrator_role(owned):
    bootstrap(owned)
    let_roles_log_in(owned)
    run(owned, f'GRANT CONNECT ON DATABASE {quoted(NAME)} TO "{SOMEBODY}"')

    for login in (SOMEBODY, APP):
        with pytest.raises(MigrationRefused):
            migrate(as_login(owned, login))

    assert run(owned, "SELECT FROM pg_tables WHERE schemaname = 'public'") == []


def test_migrations_are_refused_if_the_migrator_does_not_own_the_schema(owned):
    bootstrap(owned)
    run(as_login(owned, SUPERUSER), f'ALTER SCHEMA public OWNER TO "{MASTER}"')

    with pytest.raises(MigrationRefused, match="GRANT"):
        migrate(owned)


def test_migrations_are_refused_if_the_migrator_does_not_own_the_tables(owned):
    run(owned, "CREATE TABLE schema_migrations (version integer, name text, checksum text)", *statements(NAME))

    with pytest.raises(MigrationRefused, match=MASTER):
        migrate(owned)


def test_a_database_with_other_tables_is_not_changed(owned):
    run(owned, "CREATE TABLE theirs ()")
    access = """
        SELECT nspowner, nspacl::text, datacl::text FROM pg_namespace, pg_database
        WHERE nspname = 'public' AND datname = current_database()
    """
    before = run(owned, access)

    with pytest.raises(ToolError, match="theirs"):
        bootstrap(owned)

    assert run(owned, access) == before


def test_tables_of_extensions_are_ignored(owned):
    run(owned, "CREATE TABLE of_an_extension ()")
    run(as_login(owned, SUPERUSER), "ALTER EXTENSION plpgsql ADD TABLE of_an_extension")

    bootstrap(owned)


def test_the_service_is_unavailable_with_a_login_without_its_role(owned, contract):
    bootstrap(owned)
    migrate(owned)
    run(owned, f'GRANT CONNECT ON DATABASE {quoted(NAME)} TO "{SOMEBODY}"')

    with local_stage(as_login(owned, SOMEBODY)):
        answer = Api(contract).as_(None).get("/v1/ready")

    assert (answer.status, answer.problem) == (503, "unavailable")
