"""The database's roles and logins, and the statements that create them."""

from chalicelib import SQL_NAME

# The service's role has only the rights that migrations grant, and no DDL. So an attacker who injects SQL can't change
# history.
APP = f"{SQL_NAME}_app"
# The owner of the schema. Only migrations run as this role.
MIGRATOR = f"{SQL_NAME}_migrator"
# The creator of the functions' logins. It exists only in the transaction that creates them.
_MAKER = f"{SQL_NAME}_maker"
# The login of people on AWS. It can only read.
READER = f"{SQL_NAME}_reader"


def statements(database: str, login: str | None = None) -> list[str]:
    """Return the statements that create the roles, give them rights on a database, and let logins act as both roles.

    The logins are `login` and the one that runs the statements. Run the statements in that database, in order and in
    one transaction. The runner must be a superuser, or the database's owner with CREATEROLE. Each statement is plain
    SQL, so that any client can run it. Running the statements again changes nothing.
    """
    who = "CURRENT_USER" if login is None else f"CURRENT_USER, {_identifier(login)}"
    return [
        _role(MIGRATOR, "NOLOGIN"),
        _role(APP, "NOLOGIN"),
        # A login acts as a role only after SET ROLE. Until then the login has no more rights than before.
        f"GRANT {MIGRATOR}, {APP} TO {who} WITH INHERIT FALSE, SET TRUE",
        *on_database(database),
        f"GRANT CONNECT ON DATABASE {_identifier(database)} TO {who}",
        # From now on only the schema's owner creates objects in the schema. Migrations grant the right to use the
        # schema.
        f"ALTER SCHEMA public OWNER TO {MIGRATOR}",
    ]


def on_database(database: str) -> list[str]:
    """Return the statements to run again for a copy of the database: a copy does not keep these rights."""
    name = _identifier(database)
    return [
        f"REVOKE ALL ON DATABASE {name} FROM PUBLIC",
        f"GRANT CONNECT, CREATE, TEMPORARY ON DATABASE {name} TO {MIGRATOR}",
        f"GRANT CONNECT ON DATABASE {name} TO {APP}",
    ]


def logins(database: str, app: str, migrator: str) -> list[str]:
    """Return the statements that create a login for each role, to run after `statements`.

    A login acts as its role from the start of a connection. It has no other right, and can't become the other role.

    The logins have no members. PostgreSQL makes the creator of a role a member of the role, with the ADMIN option, and
    only a superuser can revoke that. So the creator of the logins is a role that exists only until they are created.
    See "CREATE ROLE" in PostgreSQL's manual.
    """
    roles = {app: APP, migrator: MIGRATOR}
    return [
        f"CREATE ROLE {_MAKER} NOLOGIN CREATEROLE",
        f"GRANT {_MAKER} TO CURRENT_USER WITH INHERIT FALSE, SET TRUE",
        f"SET LOCAL ROLE {_MAKER}",
        *(_role(login, "LOGIN", f"ALTER ROLE {login} SET role = '{role}';") for login, role in roles.items()),
        "RESET ROLE",
        f"DROP ROLE {_MAKER}",
        *(f"GRANT {role} TO {login} WITH INHERIT FALSE, SET TRUE" for login, role in roles.items()),
        f"GRANT CONNECT ON DATABASE {_identifier(database)} TO {app}, {migrator}",
    ]


def own_settings_deleted(database: str) -> list[str]:
    """Return the statements with which the service deletes the settings that its login has stored for itself.

    Nobody else can delete them, except a superuser. Run the statements in one transaction.
    """
    return [
        "SET LOCAL ROLE NONE",
        "ALTER ROLE CURRENT_USER RESET ALL",
        f"ALTER ROLE CURRENT_USER IN DATABASE {_identifier(database)} RESET ALL",
        f"ALTER ROLE CURRENT_USER SET role = '{APP}'",
    ]


def closed_to_everybody() -> str:
    """Return the statement that closes all databases of the cluster's owner, to run after `logins`.

    PostgreSQL lets each login connect to each new database, and make temporary tables there.
    """
    return """\
DO $$ DECLARE each name; BEGIN
    FOR each IN SELECT datname FROM pg_database WHERE pg_has_role(datdba, 'USAGE') LOOP
        EXECUTE format('REVOKE ALL ON DATABASE %I FROM PUBLIC', each);
    END LOOP;
END $$"""


def reader(database: str, verifier: str) -> list[str]:
    """Return the statements that create the reader with this password's verifier, to run after `statements`.

    The reader gets no role such as pg_read_all_data, which also reads the verifiers of all passwords. The last
    statements run as the schema's owner.
    """
    # The Data API might take a colon and the letters after it for a parameter, even in a text.
    password = verifier.replace(":", r"\x3a")
    return [
        _role(READER, "LOGIN"),
        f"ALTER ROLE {READER} PASSWORD E'{password}'",
        f"GRANT CONNECT ON DATABASE {_identifier(database)} TO {READER}",
        f"SET LOCAL ROLE {MIGRATOR}",
        f"GRANT USAGE ON SCHEMA public TO {READER}",
        f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {READER}",
        # This line is for the tables of later migrations.
        f"ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT ON TABLES TO {READER}",
        "RESET ROLE",
    ]


def advice(database: str, login: str) -> str:
    """Return what to do if a login can't act as the roles, or the roles lack rights on the database."""
    if login in (APP, MIGRATOR):
        return f"{login} is one of the roles: log in as a user that may act as both {MIGRATOR} and {APP}"
    run = "\n".join(f"{statement};" for statement in statements(database, login))
    return (
        f"{login} must be able to act as the roles {MIGRATOR} and {APP}, which need rights on the database. Run this "
        f"in {database}, as a superuser or as its owner with CREATEROLE:\n\n{run}\n"
    )


def _role(name: str, may_log_in: str, then: str = "") -> str:
    """Return the statement that creates a role if it is missing, and runs `then` after that.

    Only the reader gets a password, later. The other logins use IAM tokens.
    """
    return f"""\
DO $$ BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{name}') THEN
        CREATE ROLE {name} {may_log_in} NOSUPERUSER NOCREATEDB NOCREATEROLE NOINHERIT;
        {then}
    END IF;
END $$"""


def _identifier(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
