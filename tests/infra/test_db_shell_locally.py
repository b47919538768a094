"""`make db-shell` without an environment runs `psql` on the local database."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from chalicelib.database.roles import APP
from tests.support.checkout import ROOT

SYSTEM = """
    INSERT INTO systems (key, name, repository, description, artifact_kind)
    VALUES ('shop', 'Shop', 'https://example.org/shop', '', 'tree')
"""


# This program runs in its own process, because psql replaces the process.
_LOCAL = """
import sys
from pathlib import Path
from tools.aws import db_shell
from tools.local import postgres
postgres.ADDRESS, postgres.is_running = Path(sys.argv[1]), lambda: sys.argv[2] == "runs"
db_shell.main({"ENV": "local", "SQL": sys.argv[3], "WRITE": sys.argv[4]})
"""


@pytest.fixture
def local(database_url: str, tmp_path: Path) -> Any:
    """`local("SELECT 1")` runs the statement on the local database. Only tmp_path is on the PATH."""
    address = tmp_path / "database-url"
    address.write_text(f"{database_url}\n")

    def local(sql: str, *, write: str = "", database: str = "runs") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-c", _LOCAL, address, database, sql, write],
            cwd=ROOT,
            env={**os.environ, "PATH": str(tmp_path)},
            capture_output=True,
            text=True,
        )

    return local


def test_without_an_environment_psql_reads_the_local_database_only(local: Any) -> None:
    refused = local(SYSTEM)
    assert (refused.returncode, "read-only" in refused.stderr) == (1, True)

    assert local(SYSTEM, write="1").stdout == "INSERT 0 1\n"

    read = local("SELECT key, current_user, NULL AS nothing, E'\x1b[2J' AS control FROM systems")
    assert [cell.strip() for cell in read.stdout.splitlines()[2].split("|")] == ["shop", APP, "∅", r"\x1B[2J"]


def test_the_machines_own_psql_is_preferred(local: Any, tmp_path: Path) -> None:
    psql = tmp_path / "psql"
    psql.write_text('#!/bin/sh\necho "$PGOPTIONS"\nexit 3\n')
    psql.chmod(0o755)

    found = local("SELECT 1")

    assert (found.returncode, found.stdout) == (3, "-c default_transaction_read_only=on\n")


def test_a_reader_that_ends_early_is_no_failure(database_url: str, tmp_path: Path) -> None:
    (tmp_path / "database-url").write_text(database_url)
    line = f"{sys.executable} -c '{_LOCAL}' {tmp_path}/database-url runs \"$SQL\" '' | head -1; echo ${{PIPESTATUS[0]}}"

    sql = "SELECT repeat('x', 100) FROM generate_series(1, 10000)"
    done = subprocess.run(
        ["bash", "-c", line], cwd=ROOT, env={**os.environ, "SQL": sql}, capture_output=True, text=True, timeout=30
    )

    assert done.stderr == f"local: statements run as {APP} and can only read: to write, set WRITE=1\n"
    assert done.stdout.split()[-1] == "0"


def test_a_stopped_local_database_is_started_by_make(local: Any) -> None:
    assert "make database" in local("SELECT 1", database="stopped").stderr
