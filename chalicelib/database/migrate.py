"""Bring the schema to the version that this code expects. docs/schema.sql shows the result."""

import hashlib
import re
from collections.abc import Callable
from contextlib import closing
from functools import cache
from pathlib import Path
from typing import NamedTuple

import psycopg2
import psycopg2.errors
from psycopg2.extensions import connection as Connection  # noqa: N812
from psycopg2.extensions import cursor as Cursor  # noqa: N812

from chalicelib.database.connection import connect
from chalicelib.database.roles import MIGRATOR, advice

MIGRATIONS = Path(__file__).parents[1]

_NAME = re.compile(r"^([0-9]{4})_[a-z0-9_]+\.sql$")
# However it is written, a comment that begins with these words declares the oldest code: it must never go unnoticed.
_OLDEST_CODE = re.compile(
    r"(?:^[^\w\n]*oldest[^\S\n]+|(?:--|/\*)[^\w\n]*oldest[\W_]*)code\b[^\S\n]*:?[^\S\n]*(.*?)[^\S\n]*(?:\*/[^\S\n]*)?$",
    re.IGNORECASE | re.MULTILINE,
)


class Migration(NamedTuple):
    """A plain SQL file, `chalicelib/<package>/migrations/NNNN_what_it_does.sql`.

    All packages share one series of numbers. Code that has no migration after number `oldest_code` can use the schema
    that this migration leaves. It is 1, and so any code can, unless the file has a line such as
    `-- Oldest code: 0015_copy_region`. The database records the number, so older code knows without the file.
    """

    version: int
    name: str
    sql: str
    oldest_code: int

    @property
    def checksum(self) -> str:
        return hashlib.sha256(self.sql.encode()).hexdigest()


class MigrationRefused(Exception):
    """The migrations have a fault, or the database does not fit them. No migration was applied."""


class MigrationFailed(Exception):
    """PostgreSQL refused a migration, which was rolled back. The migrations before it stay applied."""


@cache
def expected_version() -> int:
    """Return the schema version that this code was written for: the number of its last migration."""
    return max(int(path.name[:4]) for path in MIGRATIONS.glob("*/migrations/*.sql"))


def migrate(url: str, directory: Path = MIGRATIONS, report: Callable[[str], None] = lambda line: None) -> list[str]:
    """Apply the migrations that are missing and return their names. Report each name before applying the migration.

    Raise MigrationRefused if a migration was edited or has a wrong name, or if the schema needs newer code. Raise it
    also if the login can't act as the schema's owner. Raise MigrationFailed if PostgreSQL refuses a migration.
    """
    migrations = read(directory)
    # Closing the connection releases the lock and rolls back an open transaction.
    with closing(connect(url)) as connection, connection.cursor() as cursor:
        act_as_owner(cursor)
        cursor.execute("SET lock_timeout = '60s'; SET statement_timeout = '60s'; SET client_min_messages = warning")
        # One runner at a time applies migrations.
        cursor.execute("SELECT pg_advisory_lock(hashtextextended('migrations', 0))")
        cursor.execute("SET statement_timeout = 0")
        cursor.execute(
            """
            CREATE TABLE IF NOT EXISTS schema_migrations (
                version integer PRIMARY KEY,
                name text NOT NULL,
                checksum text NOT NULL,
                oldest_code integer NOT NULL DEFAULT 1,
                applied_at timestamptz NOT NULL DEFAULT now()
            )
            """
        )
        cursor.execute("SELECT version, name, checksum, oldest_code FROM schema_migrations ORDER BY version")
        missing = pending(migrations, cursor.fetchall())
        for migration in missing:
            report(migration.name)
            apply(connection, migration)
        return [migration.name for migration in missing]


def act_as_owner(cursor: Cursor) -> None:
    """Act from now on as the role that owns the schema, whichever login the runner has. See roles.py.

    Raise MigrationRefused if the login may not act as this role, or if the role may not create tables. Raise it also if
    another role owns the tables.
    """
    login = cursor.connection.info
    to_do = advice(login.dbname, login.user)
    try:
        cursor.execute(f"SET ROLE {MIGRATOR}")
    except (psycopg2.errors.InsufficientPrivilege, psycopg2.errors.InvalidParameterValue) as error:
        raise MigrationRefused(f"{str(error).strip()}. {to_do}") from None
    cursor.execute(
        """
        SELECT coalesce(has_schema_privilege(to_regnamespace('public'), 'CREATE'), false),
            (SELECT pg_get_userbyid(relowner) FROM pg_class WHERE oid = to_regclass('public.schema_migrations'))
        """
    )
    [(may_create, owner)] = cursor.fetchall()
    if not may_create:
        raise MigrationRefused(f"{MIGRATOR} may not create anything in the schema public. {to_do}")
    if owner not in (None, MIGRATOR):
        raise MigrationRefused(
            f"The tables of this database belong to {owner}, not to {MIGRATOR}: the database is older than the roles. "
            "Use an empty database instead"
        )


def read(directory: Path) -> list[Migration]:
    """Return the migrations of a directory and its subdirectories, in order."""
    migrations: list[Migration] = []
    known: dict[str, int] = {}
    for path in sorted(directory.rglob("*.sql"), key=lambda path: path.name):
        if not (match := _NAME.match(path.name)):
            raise MigrationRefused(f"{path.name!r} is not a migration's name: rename the file to NNNN_what_it_does.sql")
        sql = path.read_text()
        known[path.stem] = int(match[1])
        migrations.append(Migration(known[path.stem], path.stem, sql, _oldest_code(path.stem, sql, known)))
    versions = [migration.version for migration in migrations]
    if versions != list(range(1, len(versions) + 1)):
        raise MigrationRefused(f"The migrations have the numbers {versions}: renumber them 1, 2, 3 … without gaps")
    return migrations


def _oldest_code(name: str, sql: str, known: dict[str, int]) -> int:
    """Return the number of the migration that the SQL declares as its oldest code, or 1."""
    declared: list[str] = _OLDEST_CODE.findall(sql)
    if not declared:
        return 1
    if len(declared) > 1 or declared[0] not in known:
        raise MigrationRefused(
            f"Migration {name} declares its oldest code as {' and '.join(map(repr, declared))}: name one migration, "
            "this or an earlier one, without `.sql`"
        )
    return known[declared[0]]


def pending(migrations: list[Migration], applied: list[tuple[int, str, str, int]]) -> list[Migration]:
    """Return the migrations that are not applied yet.

    Raise MigrationRefused if an applied migration was changed, because the file would no longer describe the schema.
    Raise it also if an applied migration is unknown and needs newer code. Other unknown migrations are harmless: an
    earlier artifact must be deployable again.
    """
    by_version = {migration.version: migration for migration in migrations}
    for version, name, checksum, oldest_code in applied:
        if version not in by_version:
            if oldest_code > len(migrations):
                raise MigrationRefused(
                    f"The database has migration {name}, which needs code that has migration {oldest_code:04}: this "
                    "code is older. Use a newer revision of the code"
                )
        elif by_version[version].checksum != checksum:
            raise MigrationRefused(
                f"Migration {name} was changed after it was applied: restore the file, and write a new migration"
            )
    done = {version for version, *_ in applied}
    return [migration for migration in migrations if migration.version not in done]


def apply(connection: Connection, migration: Migration) -> None:
    """Run one migration and store its checksum, in one transaction.

    Raise MigrationFailed if PostgreSQL refuses it. The caller must then close the connection.
    """
    try:
        with connection.cursor() as cursor:
            cursor.execute("BEGIN")
            cursor.execute(migration.sql)
            cursor.execute(
                "INSERT INTO schema_migrations (version, name, checksum, oldest_code) VALUES (%s, %s, %s, %s)",
                (migration.version, migration.name, migration.checksum, migration.oldest_code),
            )
            cursor.execute("COMMIT")
    except psycopg2.Error as error:
        raise MigrationFailed(
            f"Migration {migration.name} was rolled back: {str(error).strip()}. Correct the migration and run it again"
        ) from error
