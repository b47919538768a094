"""The service of a deployed stage logs in with IAM tokens over TLS, and logs in again when the primary moves."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from chalicelib import SQL_NAME
from chalicelib.database import iam, maintenance, opening
from chalicelib.database.connection import DatabaseUnavailable, database
from chalicelib.database.migrate import expected_version
from chalicelib.database.roles import APP, MIGRATOR
from chalicelib.sweep import schedule
from tests.support.api import Answer, Api
from tests.support.aurora import APP_LOGIN, MIGRATOR_LOGIN, emptied, first_deployment
from tests.support.certificates import Authority
from tests.support.contract import Contract
from tests.support.endpoint import HOST, KEY, REGION, Endpoint, endpoint
from tests.support.stage import SCHEDULED, deployed_stage

ALIAS = "database.example.org"


class Service:
    """The service of a deployed stage, with the endpoint of its cluster. `logged` returns the reasons in its log."""

    def __init__(self, endpoint: Endpoint, contract: Contract, log: list[dict[str, Any]]) -> None:
        self.endpoint, self._log = endpoint, log
        self._api = Api(contract)

    def logged(self) -> list[str]:
        return [line["reason"] for line in self._log if "reason" in line]

    def ready(self) -> Answer:
        return self._api.get("/v1/ready")


@pytest.fixture(scope="module")
def url(cluster: str) -> Iterator[str]:
    """The address of a database after its first deployment."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        url = emptied(cluster, monkeypatch)
        first_deployment(url, monkeypatch)
        yield url


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path, "authority")


@pytest.fixture
def service(
    url: str, authority: Authority, contract: Contract, log: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Service]:
    monkeypatch.setattr(opening, "AUTHORITIES", str(authority.file))
    # libpq connects here, and requires a certificate for the name in SLIPWAY_DATABASE_HOST.
    monkeypatch.setenv("PGHOSTADDR", "127.0.0.1")
    with (
        endpoint(url, authority.server(HOST, ALIAS)) as served,
        deployed_stage(
            SLIPWAY_DATABASE_HOST=HOST,
            SLIPWAY_DATABASE_PORT=str(served.port),
            SLIPWAY_DATABASE_USER=APP_LOGIN,
            AWS_REGION=REGION,
            AWS_ACCESS_KEY_ID=KEY.access_key,
            AWS_SECRET_ACCESS_KEY=KEY.secret_key,
            AWS_SESSION_TOKEN=str(KEY.token),
        ),
    ):
        yield Service(served, contract, log)


def assert_refused(service: Service, *said: str) -> None:
    """Require that requests get 503, and that the log says why and what to do, without the token."""
    answer = service.ready()

    assert (answer.status, answer.problem) == (503, "unavailable")
    [logged] = service.logged()
    assert all(each in logged for each in said), logged
    assert "X-Amz" not in logged
    assert service.endpoint.users == []
    with pytest.raises(DatabaseUnavailable):
        database().value("SELECT 1")


def test_the_service_logs_in_with_a_token_over_tls(service: Service) -> None:
    answer = service.ready()

    assert answer["schema_version"] == expected_version()
    assert service.endpoint.users == [APP_LOGIN]
    assert database().row("SELECT session_user, current_user") == {"session_user": APP_LOGIN, "current_user": APP}


def test_migrations_log_in_with_a_token_over_tls(service: Service) -> None:
    with deployed_stage(SLIPWAY_DATABASE_USER=MIGRATOR_LOGIN):
        migrated = maintenance.migrate({}, None)

    assert migrated == {"applied": [], "schema_version": expected_version()}
    assert service.endpoint.users == [MIGRATOR_LOGIN]


def test_a_certificate_for_another_host_is_refused(service: Service, authority: Authority) -> None:
    service.endpoint.present(authority.server("other.example.org"))

    assert_refused(service, "does not match host name", "set SLIPWAY_DATABASE_HOST")


def test_an_expired_certificate_is_refused(service: Service, authority: Authority) -> None:
    service.endpoint.present(authority.server(HOST, days=-1))

    assert_refused(service, "certificate verify failed", "renew the certificate")


def test_a_certificate_of_an_unknown_authority_is_refused(service: Service, tmp_path: Path) -> None:
    service.endpoint.present(Authority(tmp_path, "unknown").server(HOST))

    assert_refused(service, "certificate verify failed", "deploy a package with the current authorities")


def test_a_token_is_valid_for_15_minutes(service: Service) -> None:
    service.endpoint.ahead = timedelta(seconds=905)
    assert_refused(service, "PAM authentication failed", "Check that the role of the function may call rds-db:connect")

    service.endpoint.ahead = timedelta(seconds=880)
    assert service.ready().status == 200


def test_a_token_of_another_user_is_refused(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    sign = iam.password
    monkeypatch.setattr(iam, "password", lambda host, port, user, *rest: sign(host, port, MIGRATOR_LOGIN, *rest))

    assert_refused(service, "PAM authentication failed")


@pytest.mark.parametrize(
    "wrong",
    [{"SLIPWAY_DATABASE_HOST": ALIAS}, {"AWS_SECRET_ACCESS_KEY": "another"}, {"AWS_REGION": "eu-west-1"}],
    ids=lambda wrong: next(iter(wrong)),
)
def test_a_token_for_another_host_key_or_region_is_refused(service: Service, wrong: dict[str, str]) -> None:
    with deployed_stage(**wrong):
        assert_refused(service, "PAM authentication failed", "is the cluster's own host name")


def test_after_the_old_primary_is_gone_the_next_request_logs_in_to_the_new_one(service: Service) -> None:
    service.ready()
    service.endpoint.end_connections()

    assert service.ready().status == 200
    assert service.endpoint.users == [APP_LOGIN] * 2


def test_while_the_name_leads_to_a_reader_requests_get_503(service: Service) -> None:
    service.ready()
    service.endpoint.end_connections()
    service.endpoint.only_reading = 1

    assert service.ready().status == 503
    [logged] = service.logged()
    assert "session is read-only" in logged
    assert "try again" in logged

    assert service.ready().status == 200


def test_a_write_on_a_connection_to_a_former_primary_moves_to_the_new_one(service: Service) -> None:
    db = database()
    db.execute("SET default_transaction_read_only = on")
    former = db._connection
    assert former is not None

    db.execute("INSERT INTO systems (key, name, description, artifact_kind) VALUES ('azul', '', '', 'tree')")

    assert former.closed
    assert service.endpoint.users == [APP_LOGIN] * 2
    assert db.value("SELECT key FROM systems") == "azul"
    db.close()


def test_the_sweep_deletes_settings_that_the_login_stored_for_itself(service: Service) -> None:
    """An attacker who injects SQL could store them, and nobody else may delete them."""
    stored = "SELECT setrole::regrole::text AS login, setdatabase, setconfig FROM pg_db_role_setting ORDER BY 1"
    usual = [[APP_LOGIN, 0, [f"role={APP}"]], [MIGRATOR_LOGIN, 0, [f"role={MIGRATOR}"]]]
    db = database()
    with db.transaction():
        for where in ("", f"IN DATABASE {SQL_NAME}"):
            db.queue(f"SET LOCAL ROLE NONE; ALTER ROLE CURRENT_USER {where} SET enable_indexscan = off")
    assert len(db.select(dict, stored)) == 3
    db.close()

    schedule.sweep(SCHEDULED, SimpleNamespace(aws_request_id="one"))

    db = database()
    assert [list(row.values()) for row in db.select(dict, stored)] == usual
    db.close()
