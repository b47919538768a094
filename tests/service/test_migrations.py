"""Migrations run in order, once, and completely or not at all. An edited migration is refused."""

import shutil
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, nullcontext
from pathlib import Path

import psycopg2
import pytest

from chalicelib.database import migrate as migrations
from chalicelib.database.connection import forget_connections
from chalicelib.database.migrate import MigrationFailed, MigrationRefused, expected_version, migrate, read
from chalicelib.database.roles import APP, MIGRATOR
from chalicelib.settings import settings
from tests.support.postgres import SUPERUSER, as_login
from tools.local.bootstrap import bootstrap


@pytest.fixture
def empty_database(clones):
    """The address of a database with the roles and without tables, with the migrator's login."""
    address = clones.new("template0")
    bootstrap(as_login(address, SUPERUSER))
    yield as_login(address, MIGRATOR)
    clones.drop(address)


@pytest.fixture
def folder(tmp_path):
    """A folder with two migrations."""
    (tmp_path / "0001_make_a.sql").write_text("CREATE TABLE a (x integer);")
    (tmp_path / "0002_make_b.sql").write_text("CREATE TABLE b (x integer); INSERT INTO b VALUES (1);")
    return tmp_path


def tables(address):
    with closing(psycopg2.connect(address)) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace")
        return {name for (name,) in cursor.fetchall()}


def test_migrations_are_applied_in_order_and_once(empty_database, folder):
    assert migrate(empty_database, folder) == ["0001_make_a", "0002_make_b"]
    assert migrate(empty_database, folder) == []
    assert tables(empty_database) == {"a", "b", "schema_migrations"}


def test_only_a_new_migration_is_applied(empty_database, folder):
    migrate(empty_database, folder)
    (folder / "0003_make_c.sql").write_text("CREATE TABLE c ()")

    assert migrate(empty_database, folder) == ["0003_make_c"]


def test_a_failed_migration_leaves_nothing_and_those_before_it_stay(empty_database, folder):
    (folder / "0002_make_b.sql").write_text("CREATE TABLE b (); SELECT 1 / 0")

    with pytest.raises(MigrationFailed, match="0002_make_b"):
        migrate(empty_database, folder)

    assert tables(empty_database) == {"a", "schema_migrations"}
    (folder / "0002_make_b.sql").write_text("CREATE TABLE b ()")
    assert migrate(empty_database, folder) == ["0002_make_b"]


def test_a_migration_that_cannot_be_recorded_has_no_effect(empty_database, folder):
    remembers_itself = "INSERT INTO schema_migrations (version, name, checksum) VALUES (2, '', '')"
    (folder / "0002_make_b.sql").write_text(f"CREATE TABLE b (); {remembers_itself}")

    with pytest.raises(MigrationFailed):
        migrate(empty_database, folder)

    assert tables(empty_database) == {"a", "schema_migrations"}


def test_a_migration_edited_after_it_was_applied_is_refused(empty_database, folder):
    migrate(empty_database, folder)
    (folder / "0001_make_a.sql").write_text("CREATE TABLE a (x bigint);")
    (folder / "0003_make_c.sql").write_text("CREATE TABLE c ()")

    with pytest.raises(MigrationRefused, match="0001_make_a"):
        migrate(empty_database, folder)

    assert "c" not in tables(empty_database)


def test_earlier_code_accepts_a_newer_schema(empty_database, folder):
    migrate(empty_database, folder)
    (folder / "0002_make_b.sql").unlink()

    assert migrate(empty_database, folder) == []


@pytest.mark.parametrize(("oldest", "refused"), [("0003_drop_a", True), ("0002_make_b", False)])
def test_a_migration_can_need_newer_code(empty_database, folder, oldest, refused):
    (folder / "0003_drop_a.sql").write_text(f"-- Nothing reads a.\n-- Oldest code: {oldest}\nDROP TABLE a;")
    migrate(empty_database, folder)
    (folder / "0003_drop_a.sql").unlink()

    with pytest.raises(MigrationRefused, match="0003_drop_a") if refused else nullcontext():
        assert migrate(empty_database, folder) == []

    (folder / "0002_make_b.sql").unlink()
    with pytest.raises(MigrationRefused, match="0003_drop_a"):
        migrate(empty_database, folder)


@pytest.mark.parametrize(
    "line",
    [
        "--OLDEST CODE 0002_make_b",
        "  -- oldest code:0002_make_b  ",
        "--\tOldest  code :\t0002_make_b\t",
        "---- Oldest-code: 0002_make_b",
        "-- oldest_code: 0002_make_b\r",
        "DROP TABLE IF EXISTS c; -- Oldest code: 0002_make_b",
        "/* Oldest code: 0002_make_b */",
        "/*\n * Nothing reads a.\n * Oldest code: 0002_make_b\n */",
        "/* Nothing reads a.\n   Oldest code: 0002_make_b\n*/",
    ],
)
def test_the_oldest_code_is_found_however_its_comment_is_written(folder, line):
    (folder / "0003_drop_a.sql").write_bytes(f"DROP TABLE a;\n{line}\nSELECT 1".encode())

    assert read(folder)[2].oldest_code == 2


def test_other_text_declares_no_oldest_code(folder):
    text = "-- Not the oldest code.\nCREATE TABLE c (\n    oldest_code integer, x text DEFAULT 'oldest code'\n);"
    (folder / "0003_make_c.sql").write_text(text)

    assert read(folder)[2].oldest_code == 1


@pytest.mark.parametrize(
    "lines",
    [
        "-- Oldest code: 0003_make_c",
        "-- Oldest code: 0002_make_b.sql",
        "--oldest code 2",
        "-- Oldest code:",
        "-- Oldest code: 0001_make_a\n-- Oldest code: 0002_make_b",
    ],
)
def test_an_oldest_code_that_is_not_a_migration_up_to_this_one_is_refused(empty_database, folder, lines):
    (folder / "0002_make_b.sql").write_text(f"{lines}\nCREATE TABLE b ()")
    (folder / "0003_make_c.sql").write_text("CREATE TABLE c ()")

    with pytest.raises(MigrationRefused, match="0002_make_b declares"):
        migrate(empty_database, folder)

    assert tables(empty_database) == set()


@pytest.mark.parametrize("name", ["0002_again.sql", "0004_gap.sql", "0003-dashes.sql", "three.sql"])
def test_a_wrongly_named_migration_is_refused(empty_database, folder, name):
    (folder / name).write_text("SELECT 1")

    with pytest.raises(MigrationRefused):
        migrate(empty_database, folder)

    assert tables(empty_database) == set()


def test_one_of_several_runners_applies_the_migrations(empty_database, folder):
    with ThreadPoolExecutor(4) as pool:
        applied = list(pool.map(lambda _: migrate(empty_database, folder), range(4)))

    assert sorted(applied) == [[], [], [], ["0001_make_a", "0002_make_b"]]


def test_the_service_is_ready_on_the_schema_that_it_expects(api):
    ready = api.as_(None).get("/v1/ready")

    assert (ready.status, ready["schema_version"]) == (200, expected_version())


def test_it_is_not_ready_on_another_schema(api, given):
    given.sql("DELETE FROM schema_migrations WHERE version = %s", expected_version())

    ready = api.as_(None).get("/v1/ready")

    assert (ready.status, ready.problem) == (503, "unavailable")
    assert int(ready.headers["Retry-After"]) > 0


def test_it_is_not_ready_if_an_earlier_migration_is_missing(api, given):
    given.sql("UPDATE schema_migrations SET version = version + 1 WHERE version = %s", expected_version())

    ready = api.as_(None).get("/v1/ready")

    assert ready.status == 503
    assert f"only {expected_version() - 1} of the {expected_version()} migrations" in ready["detail"]


@pytest.mark.parametrize(("oldest_code", "status"), [(1, 200), (0, 200), (None, 503)])
def test_after_a_rollback_it_is_ready_unless_a_later_migration_needs_newer_code(api, given, oldest_code, status):
    newer = expected_version() + 2
    oldest = newer if oldest_code is None else expected_version() - oldest_code
    given.sql("INSERT INTO schema_migrations VALUES (%s, 'a', '', %s), (%s, 'b', '', 1)", newer - 1, oldest, newer)

    ready = api.as_(None).get("/v1/ready")

    assert ready.status == status
    if status == 200:
        assert ready["schema_version"] == newer
    else:
        assert f"needs code of version {newer}" in ready["detail"]


def test_after_a_failed_migration_it_is_not_ready_until_that_is_fixed(api, given, database_url, tmp_path, monkeypatch):
    folder = Path(shutil.copytree(migrations.MIGRATIONS, tmp_path / "packages"))
    version = expected_version() + 1
    newest = folder / "systems" / "migrations" / f"{version:04}_add_a_column.sql"
    newest.write_text("ALTER TABLE systems ADD COLUMN colour text; SELECT 1 / 0")
    monkeypatch.setattr(migrations, "MIGRATIONS", folder)
    expected_version.cache_clear()

    try:
        with pytest.raises(MigrationFailed, match=newest.stem):
            migrate(as_login(database_url, MIGRATOR), folder)
        failed = api.as_(None).get("/v1/ready")
        columns = given.sql("SELECT FROM information_schema.columns WHERE column_name = 'colour'")
        newest.write_text("ALTER TABLE systems ADD COLUMN colour text")
        migrate(as_login(database_url, MIGRATOR), folder)
        mended = api.as_(None).get("/v1/ready")
    finally:
        expected_version.cache_clear()

    assert (failed.status, failed.problem) == (503, "unavailable")
    assert str(version - 1) in failed["detail"]
    assert str(version) in failed["detail"]
    assert columns == []
    assert (mended.status, mended["schema_version"]) == (200, version)


def test_it_is_not_ready_before_the_first_migration(api, empty_database, monkeypatch):
    monkeypatch.setenv("DATABASE_URL", as_login(empty_database, APP))
    settings.cache_clear()
    forget_connections()

    assert api.as_(None).get("/v1/ready").status == 503
    assert api.get("/v1/systems").status == 503


def test_the_service_is_healthy_without_a_database(api, monkeypatch):
    monkeypatch.setenv("DATABASE_URL", "postgresql://127.0.0.1:1/nothing")
    settings.cache_clear()
    forget_connections()

    assert api.as_(None).get("/v1/health")["status"] == "ok"
    assert api.as_(None).get("/v1/ready").status == 503
