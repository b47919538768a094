"""The two roles that the database is used in, and the statements that make them.

`slipway_migrator` owns the schema: migrations run as it, and nothing else does. The service acts as `slipway_app`,
which may do what migrations grant it, and no DDL: whoever finds a way to send SQL of their own can't change what is
recorded. Neither has a password. On AWS they log in with IAM tokens; the embedded PostgreSQL takes local logins at
their word.
"""

APP = "slipway_app"
MIGRATOR = "slipway_migrator"


def statements(database: str, login: str | None = None) -> list[str]:
    """What makes the roles, gives them a database, and lets whoever runs it act as both, and the login named.

    To be run in that database, in order and in one transaction, by a superuser, or by its owner with CREATEROLE.
    Plain SQL, a statement each, so that anything that runs SQL can; running it again changes nothing.
    """
    who = "CURRENT_USER" if login is None else f"CURRENT_USER, {_identifier(login)}"
    return [
        _role(MIGRATOR),
        _role(APP),
        # Acting as one is asked for, with SET ROLE: by itself the login has no more rights than before.
        f"GRANT {MIGRATOR}, {APP} TO {who} WITH INHERIT FALSE, SET TRUE",
        *on_database(database),
        f"GRANT CONNECT ON DATABASE {_identifier(database)} TO {who}",
        # Nobody but its owner creates in it then; the migrations say who may use it.
        f"ALTER SCHEMA public OWNER TO {MIGRATOR}",
    ]


def on_database(database: str) -> list[str]:
    """The part that a copy of a database does not take along."""
    name = _identifier(database)
    return [
        f"REVOKE ALL ON DATABASE {name} FROM PUBLIC",
        f"GRANT CONNECT, CREATE, TEMPORARY ON DATABASE {name} TO {MIGRATOR}",
        f"GRANT CONNECT ON DATABASE {name} TO {APP}",
    ]


def advice(database: str, login: str) -> str:
    """What to do where a login can't act as the roles, or they do not have the database."""
    if login in (APP, MIGRATOR):
        return f"This takes a login that may act as both roles, {MIGRATOR} and {APP}: name another one"
    run = "\n".join(f"{statement};" for statement in statements(database, login))
    return (
        f"{login} must be able to act as the roles {MIGRATOR} and {APP}, and they must have the database. Have "
        f"this run in {database}, by a superuser or by its owner with CREATEROLE:\n\n{run}\n"
    )


def _role(name: str) -> str:
    return f"""\
DO $$ BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{name}') THEN
        CREATE ROLE {name} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOINHERIT;
    END IF;
END $$"""


def _identifier(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
