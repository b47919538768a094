"""The functions that prepare and migrate a deployed database, run on a real PostgreSQL with stand-ins for AWS."""

import ssl
import time

import pytest
from psycopg2.extensions import parse_dsn

from chalicelib import SQL_NAME
from chalicelib.database import maintenance, migrate
from chalicelib.database.migrate import MigrationFailed, expected_version
from chalicelib.database.opening import AUTHORITIES, address
from chalicelib.settings import Aurora, UnusableSettings
from tests.support.aurora import APP_LOGIN, MIGRATOR_LOGIN, DataApi, data_api
from tests.support.postgres import as_login
from tests.support.stage import local_stage

AURORA = Aurora(host="Cluster.example.org", port=5432, name=SQL_NAME, user=APP_LOGIN, region="eu-central-1")
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "id", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_SESSION_TOKEN": "session"}


def test_bootstrap_creates_logins_that_use_tokens_and_migrate(empty, monkeypatch):
    client = data_api(monkeypatch, empty)

    maintenance.bootstrap({}, None)
    with local_stage(as_login(empty, MIGRATOR_LOGIN)):
        migrated = maintenance.migrate({}, None)
        again = maintenance.migrate({}, None)

    assert client.asked == [{"database": SQL_NAME, "resourceArn": "arn:cluster", "secretArn": "arn:secret"}]
    assert (len(migrated["applied"]), migrated["schema_version"]) == (expected_version(), expected_version())
    assert again == {"applied": [], "schema_version": expected_version()}


@pytest.mark.parametrize(
    "not_yet", [DataApi.exceptions.DatabaseResumingException, DataApi.exceptions.HttpEndpointNotEnabledException]
)
def test_bootstrap_waits_for_a_paused_cluster_and_for_the_data_api(empty, monkeypatch, not_yet):
    client = data_api(monkeypatch, empty, resuming=3, not_yet=not_yet)
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
    monkeypatch.setattr(migrate.migrate, "__defaults__", (tmp_path, lambda line: None))

    with local_stage(as_login(empty, MIGRATOR_LOGIN)), pytest.raises(MigrationFailed, match="0001_break"):
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
        "user": APP_LOGIN,
        "sslmode": "verify-full",
    }
    assert login["password"].startswith(f"Cluster.example.org:5432/?Action=connect&DBUser={APP_LOGIN}&")
    assert login["sslrootcert"] == str(AUTHORITIES)


def test_the_certificate_authorities_cover_all_regions_and_have_not_expired():
    context = ssl.create_default_context(cafile=AUTHORITIES)

    authorities = [each for each in context.get_ca_certs() if "Amazon RDS" in str(each["subject"])]
    assert len(authorities) > 80
    assert min(ssl.cert_time_to_seconds(each["notAfter"]) for each in authorities) > time.time()


def test_a_function_without_a_database_names_the_missing_setting():
    with pytest.raises(UnusableSettings, match="SLIPWAY_DATABASE_HOST"):
        address(None)
