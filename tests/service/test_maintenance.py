"""The functions that prepare and migrate a deployed database, run on a real PostgreSQL with stand-ins for AWS."""

import ssl
import time
from contextlib import closing

import boto3
import psycopg2
import pytest
from psycopg2.extensions import parse_dsn

from chalicelib import SQL_NAME
from chalicelib.database import maintenance
from chalicelib.database.migrate import MigrationFailed, expected_version
from chalicelib.database.opening import AUTHORITIES, address
from chalicelib.database.roles import APP, MIGRATOR
from chalicelib.settings import Aurora, UnusableSettings
from tests.support.postgres import as_login, server, server_folder, stop
from tests.support.stage import local_stage

AURORA = Aurora(host="Cluster.example.org", port=5432, name=SQL_NAME, user=APP, region="eu-central-1")
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "id", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_SESSION_TOKEN": "session"}


class DataApi:
    """A stand-in for the RDS Data API, with one transaction on a real database. It fails to begin `resuming` times."""

    class exceptions:  # noqa: N801 (the name in the SDK)
        class DatabaseResumingException(Exception):
            pass

    def __init__(self, url, resuming=0):
        self._connection = psycopg2.connect(url)
        self._resuming = resuming
        self.asked = []

    def begin_transaction(self, **where):
        self.asked.append(where)
        self._resuming -= 1
        if self._resuming >= 0:
            raise self.exceptions.DatabaseResumingException
        return {"transactionId": "one"}

    def execute_statement(self, sql, transactionId, **where):  # noqa: N803
        assert (transactionId, where) == ("one", self.asked[-1])
        self._connection.cursor().execute(sql)

    def commit_transaction(self, transactionId, **where):  # noqa: N803
        self._connection.commit()
        self._connection.close()


@pytest.fixture(scope="module")
def cluster():
    """The address of a new PostgreSQL server with the role `rds_iam`, as on Amazon RDS."""
    folder = server_folder()
    url = server(folder / "data").get_uri()
    sql(url, "CREATE ROLE rds_iam")
    yield url
    stop(folder)


@pytest.fixture
def empty(cluster, monkeypatch):
    """The address of an empty database on the server. The environment variables of the function `bootstrap` are set."""
    sql(cluster, f"DROP DATABASE IF EXISTS {SQL_NAME} WITH (FORCE)")
    sql(cluster, f"CREATE DATABASE {SQL_NAME}")
    monkeypatch.setenv("SLIPWAY_DATABASE_CLUSTER_ARN", "arn:cluster")
    monkeypatch.setenv("SLIPWAY_DATABASE_SECRET_ARN", "arn:secret")
    return psycopg2.extensions.make_dsn(cluster, dbname=SQL_NAME)


def sql(url, statement):
    with closing(psycopg2.connect(url)) as one:
        one.autocommit = True
        with one.cursor() as cursor:
            cursor.execute(statement)
            return cursor.fetchall() if cursor.description else []


def data_api(monkeypatch, url, **options):
    client = DataApi(url, **options)
    monkeypatch.setattr(boto3, "client", {"rds-data": client}.__getitem__)
    return client


def test_bootstrap_creates_roles_that_log_in_with_tokens_and_migrate(empty, monkeypatch):
    client = data_api(monkeypatch, empty)

    maintenance.bootstrap({}, None)
    with local_stage(as_login(empty, MIGRATOR)):
        migrated = maintenance.migrate({}, None)
        again = maintenance.migrate({}, None)

    assert client.asked == [{"database": SQL_NAME, "resourceArn": "arn:cluster", "secretArn": "arn:secret"}]
    members = "SELECT pg_get_userbyid(member) FROM pg_auth_members WHERE roleid = 'rds_iam'::regrole ORDER BY 1"
    assert sql(empty, members) == [(APP,), (MIGRATOR,)]
    assert (len(migrated["applied"]), migrated["schema_version"]) == (expected_version(), expected_version())
    assert again == {"applied": [], "schema_version": expected_version()}


def test_bootstrap_can_be_repeated(empty, monkeypatch):
    for _ in range(2):
        data_api(monkeypatch, empty)

        assert maintenance.bootstrap({}, None) == {"roles": [MIGRATOR, APP]}


def test_bootstrap_waits_for_a_paused_cluster(empty, monkeypatch):
    client = data_api(monkeypatch, empty, resuming=3)
    monkeypatch.setattr(maintenance, "_POLL_SECONDS", 0)

    maintenance.bootstrap({}, None)

    assert len(client.asked) == 4


def test_bootstrap_does_not_wait_forever(empty, monkeypatch):
    client = data_api(monkeypatch, empty, resuming=10**6)
    monkeypatch.setattr(maintenance, "_POLL_SECONDS", 0)
    monkeypatch.setattr(maintenance, "RESUME_SECONDS", 0.1)

    with pytest.raises(client.exceptions.DatabaseResumingException):
        maintenance.bootstrap({}, None)


def test_a_failed_migration_is_the_functions_error(empty, monkeypatch, tmp_path):
    data_api(monkeypatch, empty)
    maintenance.bootstrap({}, None)
    (tmp_path / "0001_break.sql").write_text("SELECT 1 / 0")
    monkeypatch.setattr(maintenance.migrations.migrate, "__defaults__", (tmp_path, lambda line: None))

    with local_stage(as_login(empty, MIGRATOR)), pytest.raises(MigrationFailed, match="0001_break"):
        maintenance.migrate({}, None)


# The functions log in to the database over TLS.


def test_a_function_logs_in_over_tls_with_a_fresh_password(monkeypatch):
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)

    login = parse_dsn(address(AURORA))

    assert {name: login[name] for name in ("host", "port", "dbname", "user", "sslmode")} == {
        "host": AURORA.host,
        "port": "5432",
        "dbname": SQL_NAME,
        "user": APP,
        "sslmode": "verify-full",
    }
    assert login["password"].startswith(f"Cluster.example.org:5432/?Action=connect&DBUser={APP}&")
    assert login["sslrootcert"] == str(AUTHORITIES)


def test_the_certificate_authorities_cover_all_regions_and_have_not_expired():
    context = ssl.create_default_context(cafile=AUTHORITIES)

    authorities = [each for each in context.get_ca_certs() if "Amazon RDS" in str(each["subject"])]
    assert len(authorities) > 80
    assert min(ssl.cert_time_to_seconds(each["notAfter"]) for each in authorities) > time.time()


def test_a_function_without_a_database_names_the_missing_setting():
    with pytest.raises(UnusableSettings, match="SLIPWAY_DATABASE_HOST"):
        address(None)
