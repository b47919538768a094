"""A PostgreSQL server like a cluster of Amazon RDS, and a database there."""

from pathlib import Path

import pytest

from chalicelib.database.roles import APP, MIGRATOR, READER
from tests.support.aurora import MASTER, MASTER_PASSWORD, emptied, first_deployment, sql
from tests.support.postgres import SUPERUSER, server, server_folder, stop


@pytest.fixture(scope="module")
def cluster():
    """The address of a new PostgreSQL server with `rds_iam` and a master user that is no superuser, as on Amazon RDS.

    Members of `rds_iam`, and members of members, can't use a password. In place of checking tokens, the server trusts
    the functions' logins. It asks the master and the reader for their passwords, and trusts the superuser.
    """
    folder = server_folder()
    url = server(folder / "data").get_uri()
    sql(url, f"CREATE ROLE {MASTER} LOGIN CREATEDB CREATEROLE PASSWORD '{MASTER_PASSWORD}'")
    sql(url, "CREATE ROLE rds_iam")
    for database in ("postgres", "template1"):
        sql(url, f"ALTER DATABASE {database} OWNER TO {MASTER}")
    [(access, users)] = sql(url, "SELECT current_setting('hba_file'), current_setting('ident_file')")
    Path(access).write_text(
        f"local all +rds_iam peer map=tokens\nlocal all {MASTER},{READER} scram-sha-256\nlocal all {SUPERUSER} trust\n"
    )
    Path(users).write_text(f"tokens /^ /^({APP}|{MIGRATOR})_\n")
    sql(url, "SELECT pg_reload_conf()")
    yield url
    stop(folder)


@pytest.fixture
def empty(cluster, monkeypatch):
    """The address of an empty database, with the master user. The variables of the function `bootstrap` are set.

    No role of an earlier test exists.
    """
    return emptied(cluster, monkeypatch)


@pytest.fixture
def migrated(empty, monkeypatch):
    """The address of a database after the first deployment, and the secret with the reader's password."""
    return empty, first_deployment(empty, monkeypatch)
