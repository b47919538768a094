"""Makes the roles of a PostgreSQL on this machine, or of a developer's own. On AWS a function does it."""

from contextlib import closing

from psycopg2.errors import InsufficientPrivilege
from psycopg2.extensions import connection as Connection  # noqa: N812

from chalicelib.database import POSTGRES_MAJOR
from chalicelib.database.connection import connect
from chalicelib.database.roles import APP, MIGRATOR, advice, statements
from tools.checkout import ToolError


def bootstrap(url: str) -> None:
    """Make the roles and give them the database, or see that somebody who may has done so for this login.

    Raises ToolError, with what has to be run by somebody else; and DatabaseUnavailable.
    """
    with closing(connect(url)) as connection, connection.cursor() as cursor:
        info = connection.info
        if info.server_version // 10000 < POSTGRES_MAJOR:
            raise ToolError(
                f"{info.dbname} is a database of PostgreSQL {info.server_version // 10000}: "
                f"take {POSTGRES_MAJOR}, which the environments have, or a later one"
            )
        if (stranger := _other_than_ours(connection)) is not None:
            raise ToolError(
                f"{info.dbname} holds what is not Slipway's, the table {stranger}, and Slipway takes a database to "
                "itself: name an empty one. If it is the local one, from before there were roles: `make reset`"
            )
        try:
            # One message without BEGIN is one transaction.
            cursor.execute(";\n".join(statements(info.dbname)))
        except InsufficientPrivilege as error:
            if not _was_done_for(connection):
                raise ToolError(f"{str(error).strip()}. {advice(info.dbname, info.user)}") from None


def _other_than_ours(connection: Connection) -> str | None:
    """A table that is not ours, whose owner would lose the schema; extensions may have theirs."""
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
