"""The service's rights in the database: all that it needs, and no right to change records or the schema."""

from contextlib import closing

import psycopg2
import pytest
from psycopg2.errors import InsufficientPrivilege
from psycopg2.extensions import parse_dsn

from chalicelib.database.connection import database, forget_connections
from chalicelib.database.roles import APP, MIGRATOR
from chalicelib.settings import settings
from tests.support.expected import WHOLE
from tests.support.operations import OPERATIONS, address, entry, require_entries, route_of
from tests.support.postgres import SUPERUSER, as_login
from tests.support.resources import RESOURCES
from tests.support.writes import WRITES, everything, send

# The rights of the service's role to each table. The tables of the resources are in their EXPECTED.
MAY = {
    "hourly_writes": {"SELECT": WHOLE, "INSERT": WHOLE, "UPDATE": "hour writes allowed"},
    "idempotency_keys": {
        "SELECT": WHOLE,
        "INSERT": WHOLE,
        "UPDATE": "request_digest status headers body created_at",
        "DELETE": WHOLE,
    },
    "schema_migrations": {"SELECT": WHOLE},
    **{table: may for each in RESOURCES.values() for table, may in each.rights.items()},
}

# Tables of records whose rows change while they are open, each with the condition that a row is open.
OPEN = {table: condition for each in RESOURCES.values() for table, condition in each.open_records.items()}

# Tables of records: the service inserts rows, and can't delete them. It can change rows only in OPEN.
RECORDS = [
    table
    for table, may in MAY.items()
    if "INSERT" in may and "DELETE" not in may and ("UPDATE" not in may or table in OPEN)
]


def test_every_table_is_in_the_list_of_rights(given):
    lines = {table: f'        "{table}": {may},'.replace(f"'{WHOLE}'", "WHOLE") for table, may in rights(given).items()}

    require_entries(
        entry("rights"),
        MAY,
        lines,
        ", with the rights that the service should have",
    )


def test_the_service_has_exactly_the_rights_listed_here(given):
    others = {table: may for table, may in rights(given).items() if may != MAY.get(table, may)}

    assert others == {}


def rights(given):
    found = {}
    for table, privilege, columns in given.sql(
        """
        SELECT relname, privilege, CASE
            WHEN has_table_privilege(%s, c.oid, privilege) THEN %s
            WHEN privilege IN ('SELECT', 'INSERT', 'UPDATE', 'REFERENCES') THEN (
                SELECT CASE privilege
                    WHEN 'INSERT' THEN 'all but ' || string_agg(attname, ' ' ORDER BY attnum) FILTER (WHERE NOT may)
                    ELSE string_agg(attname, ' ' ORDER BY attnum) FILTER (WHERE may)
                END
                FROM pg_attribute, has_column_privilege(%s, c.oid, attnum, privilege) AS may
                WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped
                HAVING bool_or(may)
            )
        END
        FROM pg_class c, unnest(%s) AS privilege
        WHERE relnamespace = 'public'::regnamespace AND relkind NOT IN ('i', 'S')
        """,
        APP,
        WHOLE,
        APP,
        privileges(given),
    ):
        found.setdefault(table, {})
        if columns:
            found[table][privilege] = columns
    return found


def privileges(given):
    """Return all rights that exist for a table. The owner of a table has all of them by default."""
    rows = given.sql(f"SELECT privilege_type FROM aclexplode(acldefault('r', '{MIGRATOR}'::regrole))")
    known = [privilege for (privilege,) in rows]
    assert {"SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE", "REFERENCES", "TRIGGER"} <= set(known)
    return known


def test_it_may_not_grant_its_rights_to_others(given):
    assert (
        given.sql(
            """
        SELECT acl FROM (
            SELECT relacl FROM pg_class UNION ALL SELECT attacl FROM pg_attribute
            UNION ALL SELECT nspacl FROM pg_namespace UNION ALL SELECT datacl FROM pg_database
        ) AS every (acls), aclexplode(acls) AS acl
        WHERE acl.grantee = %s::regrole AND acl.is_grantable
        """,
            APP,
        )
        == []
    )


def test_everything_in_the_schema_belongs_to_the_migrator(given):
    owners = given.sql(
        """
        SELECT pg_get_userbyid(nspowner) FROM pg_namespace WHERE nspname = 'public'
        UNION SELECT pg_get_userbyid(relowner) FROM pg_class WHERE relnamespace = 'public'::regnamespace
        UNION SELECT pg_get_userbyid(proowner) FROM pg_proc WHERE pronamespace = 'public'::regnamespace
        UNION SELECT pg_get_userbyid(typowner) FROM pg_type WHERE typnamespace = 'public'::regnamespace
        """
    )

    assert owners == [(MIGRATOR,)]


def test_the_roles_can_log_in_and_have_no_special_attributes(given):
    assert given.sql(
        """
        SELECT rolname, rolcanlogin, rolpassword, rolsuper OR rolcreatedb OR rolcreaterole OR rolinherit
            OR rolreplication OR rolbypassrls OR EXISTS (SELECT FROM pg_auth_members WHERE member = pg_authid.oid)
        FROM pg_authid WHERE rolname IN (%s, %s) ORDER BY rolname
        """,
        APP,
        MIGRATOR,
    ) == [(APP, True, None, False), (MIGRATOR, True, None, False)]


def test_only_the_roles_have_rights_to_schema_and_database(given):
    assert given.sql(
        """
        SELECT coalesce(grantee.rolname, 'everybody'), string_agg(privilege_type, ' ' ORDER BY privilege_type)
        FROM (
            SELECT nspacl FROM pg_namespace WHERE nspname = 'public'
            UNION ALL SELECT datacl FROM pg_database WHERE datname = current_database()
        ) AS each (acl), aclexplode(acl) LEFT JOIN pg_roles AS grantee ON grantee.oid = grantee
        WHERE grantee.rolname IS DISTINCT FROM %s
        GROUP BY 1 ORDER BY 1
        """,
        SUPERUSER,
    ) == [(APP, "CONNECT USAGE"), (MIGRATOR, "CONNECT CREATE CREATE TEMPORARY USAGE")]


def test_a_new_function_may_not_be_executed_without_a_grant(given, database_url):
    with closing(psycopg2.connect(as_login(database_url, MIGRATOR))) as connection, connection:
        connection.cursor().execute("CREATE FUNCTION a_new_function() RETURNS integer LANGUAGE sql RETURN 1")

    callable_ = given.sql(
        """
        SELECT proname FROM pg_proc
        WHERE pronamespace = 'public'::regnamespace AND has_function_privilege(%s, oid, 'EXECUTE')
        """,
        APP,
    )
    assert sorted(name for (name,) in callable_) == sorted(
        name for each in RESOURCES.values() for name in each.granted_functions
    )


def test_functions_with_their_owners_rights_have_a_safe_search_path(given):
    rows = given.sql(
        "SELECT proname, proconfig FROM pg_proc WHERE pronamespace = 'public'::regnamespace AND prosecdef ORDER BY 1"
    )

    require_entries(
        entry("owners_functions"),
        [name for each in RESOURCES.values() for name in each.owners_functions],
        {name: f'    owners_functions=("{name}",),' for name, _ in rows},
        ", if the function needs its owner's rights",
    )
    assert {name: config for name, config in rows if config != ["search_path=pg_catalog, public, pg_temp"]} == {}


def test_an_account_is_claimed_with_any_search_path(given, as_the_service):
    given.a_system()

    as_the_service.execute("SET search_path = pg_temp")
    as_the_service.execute(
        """
        INSERT INTO public.environments (
            system_id, name, rank, aws_account_id, production, required_soak_seconds, required_suites
        )
        SELECT id, 'production', 1, '111122223333', true, 0, '{}' FROM public.systems
        """
    )

    assert given.sql("SELECT id, production FROM aws_accounts") == [("111122223333", True)]


def test_the_service_logs_in_as_its_role(given):
    assert database().row("SELECT session_user, current_user") == {"session_user": APP, "current_user": APP}


def test_it_acts_as_its_role_with_any_login(given, database_url, monkeypatch):
    monkeypatch.setenv("DATABASE_URL", as_login(database_url, SUPERUSER))
    settings.cache_clear()
    forget_connections()

    assert database().row("SELECT session_user, current_user") == {"session_user": SUPERUSER, "current_user": APP}


def test_a_missing_right_is_answered_like_a_missing_schema(api, given):
    given.sql(f"REVOKE SELECT ON systems FROM {APP}")

    answer = api.get("/v1/systems")

    assert (answer.status, answer.problem) == (503, "unavailable")
    assert int(answer.headers["Retry-After"]) > 0
    assert "permission" not in answer.body


REFUSED = [
    "CREATE TABLE more (id integer)",
    "CREATE TABLE more AS SELECT 1 AS one",
    "CREATE TEMPORARY TABLE more (id integer)",
    "CREATE SCHEMA more",
    "CREATE VIEW more AS SELECT 1 AS one",
    "CREATE SEQUENCE more",
    "CREATE TYPE colour AS ENUM ('red')",
    "CREATE FUNCTION more() RETURNS integer LANGUAGE sql RETURN 1",
    "CREATE INDEX ON systems (name)",
    "CREATE STATISTICS more ON key, name FROM systems",
    "CREATE TRIGGER more BEFORE UPDATE ON systems FOR EACH ROW EXECUTE FUNCTION refuse_change()",
    "CREATE RULE more AS ON INSERT TO audit_events DO INSTEAD NOTHING",
    "CREATE POLICY more ON audit_events USING (false)",
    "CREATE PUBLICATION more",
    "CREATE EVENT TRIGGER more ON ddl_command_start EXECUTE FUNCTION refuse_change()",
    "CREATE ROLE more",
    "CREATE DATABASE more",
    "ALTER TABLE systems ADD COLUMN colour text",
    "ALTER TABLE systems RENAME TO more",
    "ALTER TABLE environments DROP CONSTRAINT environments_rank_is_bounded",
    "ALTER TABLE audit_events DISABLE TRIGGER ALL",
    "ALTER TABLE audit_events DISABLE TRIGGER audit_events_are_final",
    f"ALTER TABLE audit_events OWNER TO {APP}",
    f"ALTER FUNCTION refuse_change() OWNER TO {APP}",
    "ALTER FUNCTION claim_aws_account() RESET search_path",
    f"ALTER SCHEMA public OWNER TO {APP}",
    "ALTER SCHEMA public RENAME TO more",
    f"ALTER ROLE {APP} SUPERUSER",
    f"ALTER ROLE {APP} CREATEROLE",
    f"ALTER ROLE {MIGRATOR} PASSWORD 'known'",
    "ALTER SYSTEM SET session_replication_role = replica",
    "DROP TABLE audit_events",
    "DROP TRIGGER audit_events_are_final ON audit_events",
    "DROP INDEX environments_by_account",
    "DROP FUNCTION refuse_change() CASCADE",
    "DROP SCHEMA public CASCADE",
    f"DROP OWNED BY {MIGRATOR}",
    f"DROP ROLE {MIGRATOR}",
    "COMMENT ON TABLE systems IS 'ours'",
    "REINDEX TABLE systems",
    f"GRANT {MIGRATOR} TO {APP}",
    f"REASSIGN OWNED BY {MIGRATOR} TO {APP}",
    f"SET ROLE {MIGRATOR}",
    f"SET SESSION AUTHORIZATION {MIGRATOR}",
    "SET session_replication_role = replica",
    "SELECT set_config('session_replication_role', 'replica', false)",
    "COPY systems TO PROGRAM 'cat'",
    "COPY systems FROM PROGRAM 'echo'",
    "COPY systems TO '/dev/null'",
    "SELECT pg_read_file('PG_VERSION')",
    "SELECT setval('audit_events_id_seq', 1)",
    "INSERT INTO systems (id, key) OVERRIDING SYSTEM VALUE VALUES (1, 'azul')",
    "SELECT; LOCK TABLE audit_events IN ACCESS EXCLUSIVE MODE",
    "SELECT FROM audit_events FOR UPDATE",
    "INSERT INTO audit_events (at) VALUES (now())",
    "INSERT INTO aws_accounts (id, production) VALUES ('111122223333', false)",
    "INSERT INTO schema_migrations (version, name, checksum) VALUES (9999, '', '')",
]


@pytest.mark.parametrize("statement", REFUSED)
def test_statements_that_change_more_than_the_services_rows_are_refused(on_an_empty_database, statement):
    with pytest.raises(InsufficientPrivilege):
        on_an_empty_database.execute(statement)


def test_it_may_not_change_its_database(on_an_empty_database):
    name = on_an_empty_database.connection.info.dbname

    with pytest.raises(InsufficientPrivilege):
        on_an_empty_database.execute(f"ALTER DATABASE {name} SET search_path = more")


def test_two_of_everything_makes_every_kind_of_record(given):
    given.two_of_everything()

    empty = [table for table in RECORDS if not everything(given)[table]]

    assert empty == [], f"in {entry('two')}, make a row for each of these tables"


def test_the_services_sql_cannot_change_or_delete_records(given, as_the_service):
    given.two_of_everything()
    before = everything(given)
    columns = given.sql(
        """
        SELECT table_name, column_name, is_generated FROM information_schema.columns
        WHERE table_schema = 'public' AND table_name = ANY (%s)
        """,
        RECORDS,
    )

    for table, column, is_generated in columns:
        # PostgreSQL accepts only DEFAULT for an identity column and for a generated one.
        value = "DEFAULT" if column == "id" or is_generated == "ALWAYS" else column
        may = column in MAY[table].get("UPDATE", "").split()
        with pytest.raises(psycopg2.IntegrityError if may else InsufficientPrivilege):
            as_the_service.execute(f"UPDATE {table} SET {column} = {value}")
    for table in RECORDS:
        for statement in (f"DELETE FROM {table}", f"TRUNCATE {table}", f"TRUNCATE {table} CASCADE"):
            with pytest.raises(InsufficientPrivilege):
                as_the_service.execute(statement)

    assert {table for table, _, _ in columns} == set(RECORDS)
    assert everything(given) == before


def test_even_a_superuser_cannot_delete_an_audit_event_by_mistake(given):
    given.a_system()
    before = everything(given)

    for statement in ("DELETE FROM audit_events", "TRUNCATE audit_events CASCADE"):
        with pytest.raises(psycopg2.IntegrityError):
            given.sql(statement)

    assert everything(given) == before


@pytest.mark.parametrize("route", WRITES)
def test_no_operation_changes_or_deletes_records(api, given, route):
    given.two_of_everything("blue")
    write = WRITES[route](given)
    [at_history] = [address(each, "blue") for each in OPERATIONS if route_of(each) == route]
    before = recorded(given)

    for path in (at_history, write.path):
        for body in (write.body, write.other_body):
            send(api, route, write._replace(path=path, body=body))

    after = recorded(given)
    for table in RECORDS:
        assert before[table] <= after[table], f"{route} changed records in {table}"


@pytest.fixture
def as_the_service(given, database_url):
    """A cursor with the service's login. An attacker could use such a cursor after breaking into the service."""
    with closing(psycopg2.connect(database_url)) as connection, connection.cursor() as cursor:
        connection.autocommit = True
        yield cursor


@pytest.fixture(scope="module")
def on_an_empty_database(clones):
    """A cursor with the service's login on an empty database. Tests share it, because nothing can be changed there."""
    address = clones.new()
    assert parse_dsn(address)["user"] == APP
    with closing(psycopg2.connect(address)) as connection, connection.cursor() as cursor:
        connection.autocommit = True
        yield cursor
    clones.drop(address)


def recorded(given):
    """Return all rows that must stay unchanged, by table. Open rows may change."""
    return {
        table: {
            row
            for (row,) in given.sql(
                f"SELECT to_jsonb(each)::text FROM {table} AS each WHERE NOT ({OPEN.get(table, 'false')})"
            )
        }
        for table in RECORDS
    }
