"""Create the database roles in a local database. On AWS, the Lambda function `bootstrap` creates the roles."""

from contextlib import closing

from psycopg2.errors import InsufficientPrivilege
from psycopg2.extensions import connection as Connection  # noqa: N812

from chalicelib.database import POSTGRES_MAJOR
from chalicelib.database.connection import connect
from chalicelib.database.roles import APP, MIGRATOR, advice, statements
from tools.checkout import ToolError


def bootstrap(url: str) -> None:
    """Create the roles and grant them the database, or raise ToolError or DatabaseUnavailable.

    If the login lacks the permission, require that somebody else has done both.
    """
    with closing(connect(url)) as connection, connection.cursor() as cursor:
        info = connection.info
        if info.server_version // 10000 < POSTGRES_MAJOR:
            raise ToolError(
                f"The database {info.dbname} is on PostgreSQL {info.server_version // 10000}: "
                f"use {POSTGRES_MAJOR}, as the environments do, or a later version"
            )
        if (stranger := _other_than_ours(connection)) is not None:
            raise ToolError(
                f"The database {info.dbname} has the table or view {stranger}, which is not the service's. Use an "
                "empty database, or run `make reset` if it is the local database of an old version"
            )
        try:
            # PostgreSQL runs one message without BEGIN as one transaction.
            cursor.execute(";\n".join(statements(info.dbname)))
        except InsufficientPrivilege as error:
            if not _was_done_for(connection):
                raise ToolError(f"{str(error).strip()}. {advice(info.dbname, info.user)}") from None


def let_roles_log_in(url: str) -> None:
    """Let both roles log in, on an embedded server. On other servers, logins act as the roles."""
    with closing(connect(url)) as connection, connection.cursor() as cursor:
        cursor.execute(f"ALTER ROLE {APP} LOGIN; ALTER ROLE {MIGRATOR} LOGIN")


def _other_than_ours(connection: Connection) -> str | None:
    """Return a table or view that belongs neither to the service nor to an extension, or None.

    The bootstrap would take the schema away from the table's owner.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT min(relname) FROM pg_class
            WHERE relnamespace = to_regnamespace('public') AND relkind IN ('r', 'p', 'v', 'm', 'f')
                AND pg_get_userbyid(relowner) <> '{MIGRATOR}'
                AND NOT EXISTS (SELECT FROM pg_depend WHERE objid = pg_class.oid AND deptype = 'e')
            """
        )
        [(table,)] = cursor.fetchall()
        return None if table is None else str(table)


def _was_done_for(connection: Connection) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT FROM pg_namespace
            WHERE nspname = 'public' AND nspowner = to_regrole('{MIGRATOR}')
                AND pg_has_role(to_regrole('{MIGRATOR}'), 'SET') AND pg_has_role(to_regrole('{APP}'), 'SET')
            """
        )
        return cursor.rowcount == 1
