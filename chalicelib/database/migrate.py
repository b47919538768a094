"""Brings the schema to the version that this code expects.

Migrations are plain SQL files, `NNNN_what_it_does.sql`, applied in the order of their numbers, each in
a transaction of its own, one runner at a time. What was applied is remembered with a checksum: a file that was
changed afterwards is refused, since nobody could say what the schema is then. Write a new one.
"""

import hashlib
import re
from collections.abc import Callable
from contextlib import closing
from functools import cache
from pathlib import Path
from typing import NamedTuple

import psycopg2
from psycopg2.extensions import connection as Connection  # noqa: N812

from chalicelib.database.connection import connect

MIGRATIONS = Path(__file__).parent / "migrations"

_NAME = re.compile(r"^([0-9]{4})_[a-z0-9_]+\.sql$")


class Migration(NamedTuple):
    version: int
    name: str
    sql: str

    @property
    def checksum(self) -> str:
        return hashlib.sha256(self.sql.encode()).hexdigest()


class MigrationRefused(Exception):
    """The migrations and the database do not fit each other; nothing was changed."""


class MigrationFailed(Exception):
    """PostgreSQL refused a migration. Nothing of it is left; those before it stay applied."""


@cache
def expected_version() -> int:
    """The schema version that this code was written for: the number of its last migration."""
    return max(int(path.name[:4]) for path in MIGRATIONS.glob("[0-9]*.sql"))


def migrate(url: str, directory: Path = MIGRATIONS, report: Callable[[str], None] = lambda line: None) -> list[str]:
    """Apply what is missing; the names of the migrations applied. `report` is told of each.

    Raises MigrationRefused for an edited, missing or ill-named migration, and MigrationFailed.
    """
    migrations = read(directory)
    # Closing the connection gives up the lock, and a transaction that was not committed.
    with closing(connect(url)) as connection, connection.cursor() as cursor:
        cursor.execute("SET lock_timeout = '60s'; SET statement_timeout = '60s'; SET client_min_messages = warning")
        cursor.execute("SELECT pg_advisory_lock(hashtextextended('slipway migrations', 0))")
        cursor.execute("SET statement_timeout = 0")
        cursor.execute(
            """
            CREATE TABLE IF NOT EXISTS schema_migrations (
                version integer PRIMARY KEY,
                name text NOT NULL,
                checksum text NOT NULL,
                applied_at timestamptz NOT NULL DEFAULT now()
            )
            """
        )
        cursor.execute("SELECT version, name, checksum FROM schema_migrations ORDER BY version")
        missing = pending(migrations, cursor.fetchall())
        for migration in missing:
            report(migration.name)
            apply(connection, migration)
        return [migration.name for migration in missing]


def read(directory: Path) -> list[Migration]:
    """The migrations of a directory, in order."""
    migrations = []
    for path in sorted(directory.glob("*.sql")):
        if not (match := _NAME.match(path.name)):
            raise MigrationRefused(f"{path.name}: a migration is named NNNN_what_it_does.sql")
        migrations.append(Migration(int(match[1]), path.stem, path.read_text()))
    versions = [migration.version for migration in migrations]
    if versions != list(range(1, len(versions) + 1)):
        raise MigrationRefused(f"The migrations' numbers must be 1, 2, 3 … without gap or repetition: {versions}")
    return migrations


def pending(migrations: list[Migration], applied: list[tuple[int, str, str]]) -> list[Migration]:
    """The migrations still to apply; refuses where what was applied is not what is there."""
    by_version = {migration.version: migration for migration in migrations}
    for version, name, checksum in applied:
        if version not in by_version:
            raise MigrationRefused(
                f"The database has migration {name}, which this code does not know: it is older than the schema"
            )
        if by_version[version].checksum != checksum:
            raise MigrationRefused(
                f"Migration {name} was changed after it had been applied: restore it, and write a new one"
            )
    done = {version for version, _, _ in applied}
    return [migration for migration in migrations if migration.version not in done]


def apply(connection: Connection, migration: Migration) -> None:
    """Run one migration and remember it, in one transaction; raises MigrationFailed.

    The connection is of no use then, but to be closed.
    """
    try:
        with connection.cursor() as cursor:
            cursor.execute("BEGIN")
            cursor.execute(migration.sql)
            cursor.execute(
                "INSERT INTO schema_migrations (version, name, checksum) VALUES (%s, %s, %s)",
                (migration.version, migration.name, migration.checksum),
            )
            cursor.execute("COMMIT")
    except psycopg2.Error as error:
        raise MigrationFailed(
            f"Migration {migration.name} failed and nothing of it was applied: {str(error).strip()}"
        ) from error
