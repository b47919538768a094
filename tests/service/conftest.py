"""A PostgreSQL server like a cluster of Amazon RDS, and a database there."""

from pathlib import Path

import pytest
from psycopg2.extensions import make_dsn

from chalicelib import SQL_NAME
from chalicelib.database import maintenance
from chalicelib.database.roles import APP, MIGRATOR, READER
from tests.support.aurora import APP_LOGIN, MASTER, MIGRATOR_LOGIN, Secret, data_api, logins, sql
from tests.support.postgres import as_login, server, server_folder, stop
from tests.support.stage import local_stage


@pytest.fixture(scope="module")
def cluster():
    """The address of a new PostgreSQL server with `rds_iam` and a master user that is no superuser, as on Amazon RDS.

    The server asks the reader for its password, and trusts the others.
    """
    folder = server_folder()
    url = server(folder / "data").get_uri()
    sql(url, f"CREATE ROLE {MASTER} LOGIN CREATEDB CREATEROLE")
    sql(url, "CREATE ROLE rds_iam")
    for database in ("postgres", "template1"):
        sql(url, f"ALTER DATABASE {database} OWNER TO {MASTER}")
    [(file,)] = sql(url, "SHOW hba_file")
    Path(file).write_text(f"local all {READER} scram-sha-256\n{Path(file).read_text()}")
    sql(url, "SELECT pg_reload_conf()")
    yield url
    stop(folder)


@pytest.fixture
def empty(cluster, monkeypatch):
    """The address of an empty database, with the master user. The variables of the function `bootstrap` are set.

    No role of an earlier test exists.
    """
    sql(cluster, f"DROP DATABASE IF EXISTS {SQL_NAME} WITH (FORCE)")
    sql(cluster, f"DROP ROLE IF EXISTS {', '.join([*logins(cluster), APP, MIGRATOR, READER])}")
    sql(cluster, f"CREATE DATABASE {SQL_NAME} OWNER {MASTER}")
    sql(cluster, f"GRANT rds_iam TO {MASTER} WITH ADMIN TRUE, INHERIT FALSE, SET FALSE")
    for name, value in {
        "CLUSTER_ARN": "arn:cluster",
        "SECRET_ARN": "arn:secret",
        "READER_SECRET_ARN": "arn:reader",
        "APP_LOGIN": APP_LOGIN,
        "MIGRATOR_LOGIN": MIGRATOR_LOGIN,
    }.items():
        monkeypatch.setenv(f"SLIPWAY_DATABASE_{name}", value)
    return make_dsn(cluster, dbname=SQL_NAME, user=MASTER)


@pytest.fixture
def migrated(empty, monkeypatch):
    """The address of a database after the first deployment, and the secret with the reader's password."""
    secret = Secret()
    data_api(monkeypatch, empty, secret)
    maintenance.bootstrap({}, None)
    with local_stage(as_login(empty, MIGRATOR_LOGIN)):
        maintenance.migrate({}, None)
    return empty, secret
