"""`make db-shell`: the Data API is stood in for, on the tests' own PostgreSQL; what it refuses are its own errors."""

import stat
import sys
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import psycopg2
import pytest
from botocore.exceptions import ClientError, NoCredentialsError

from tests.support.postgres import SUPERUSER, as_login
from tools.aws import db_shell, environment
from tools.aws.db_shell import Answer, DataApi, Local, StatementFailed, shell
from tools.aws.emulator.account import emulated_client
from tools.checkout import ToolError
from tools.local import emulation, postgres

SYSTEM = """
    INSERT INTO systems (key, name, repository, description, artifact_kind)
    VALUES ('shop', 'Shop', 'https://example.org/shop', '', 'tree')
"""


def refusal(code: str, said: str = "said") -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": said}}, "ExecuteStatement")


@cache
def exceptions() -> Any:
    return emulated_client("rds-data", emulation.PORT).exceptions


class FakeDataApi:
    """One statement at a time, as the master user, in transactions; `refuses` are the next calls' errors."""

    def __init__(self, address: str) -> None:
        self.exceptions = exceptions()
        self.refuses: list[Exception] = []
        self.calls: list[str] = []
        self._address = as_login(address, SUPERUSER)
        self._open: dict[str, Any] = {}

    def begin_transaction(self, *, database: str, resourceArn: str, secretArn: str) -> dict[str, str]:  # noqa: N803
        self._called("begin")
        transaction = str(len(self.calls))
        self._open[transaction] = psycopg2.connect(self._address)
        return {"transactionId": transaction}

    def execute_statement(self, *, sql: str, transactionId: str, **_: Any) -> dict[str, Any]:  # noqa: N803
        self._called("execute")
        cursor = self._open[transactionId].cursor()
        try:
            cursor.execute(sql)
        except psycopg2.Error as error:
            raise refusal("DatabaseErrorException", f"ERROR: {error}; SQLState: {error.pgcode}") from error
        if not cursor.description:
            return {"numberOfRecordsUpdated": cursor.rowcount}
        records = [[self._field(value) for value in row] for row in cursor.fetchall()]
        return {"columnMetadata": [{"name": column.name} for column in cursor.description], "records": records}

    def commit_transaction(self, *, transactionId: str, **_: Any) -> None:  # noqa: N803
        self._called("commit")
        with self._open.pop(transactionId) as connection:
            pass
        connection.close()

    def rollback_transaction(self, *, transactionId: str, **_: Any) -> None:  # noqa: N803
        self._called("rollback")
        self._open.pop(transactionId).close()

    def _called(self, name: str) -> None:
        self.calls.append(name)
        if self.refuses and name != "rollback":
            raise self.refuses.pop(0)

    @staticmethod
    def _field(value: Any) -> dict[str, Any]:
        if value is None:
            return {"isNull": True}
        return {"longValue": value} if isinstance(value, int) else {"stringValue": str(value)}


@pytest.fixture
def client(database_url: str) -> FakeDataApi:
    return FakeDataApi(database_url)


@pytest.fixture
def paused() -> list[float]:
    return []


@pytest.fixture
def data_api(client: FakeDataApi, paused: list[float]) -> DataApi:
    return DataApi(client, "cluster", "secret", write=False, pause=paused.append)


@pytest.fixture(params=["Data API", "local"])
def database(request: pytest.FixtureRequest, database_url: str) -> Callable[..., Any]:
    """`database(write=True)`: the same database by either way."""
    if request.param == "local":
        return lambda *, write=False: Local(database_url, write=write)
    client = FakeDataApi(database_url)
    return lambda *, write=False: DataApi(client, "cluster", "secret", write=write)


def test_it_answers_with_a_table_in_which_null_is_no_text(database: Any) -> None:
    answer = database().run("SELECT current_user AS who, 12 AS number, NULL AS nothing, 'NULL' AS word")

    assert answer.table().splitlines() == [
        "who         | number | nothing | word",
        "----------- | ------ | ------- | ----",
        "slipway_app | 12     | ∅       | NULL",
        "(1 row)",
        "(∅ is NULL)",
    ]


def test_it_writes_only_when_that_was_said(database: Any) -> None:
    with pytest.raises(StatementFailed, match="read-only"):
        database().run(SYSTEM)
    assert database(write=True).run(SYSTEM).table() == "(1 row changed)"

    assert database().run("SELECT key FROM systems").rows == [["shop"]]


@pytest.mark.parametrize("sql", ["CREATE TABLE mine (id int)", "DELETE FROM audit_events", "DROP TABLE systems"])
def test_it_never_writes_what_the_service_may_not(database: Any, sql: str) -> None:
    with pytest.raises(StatementFailed, match=r"permission denied|must be owner"):
        database(write=True).run(sql)


def test_a_statement_that_fails_leaves_nothing_for_the_next(database: Any) -> None:
    shop = database(write=True)

    with pytest.raises(StatementFailed, match="division by zero"):
        shop.run("SELECT 1/0")

    assert shop.run(SYSTEM).changed == 1


def test_a_transaction_is_rolled_back_where_its_statement_failed(data_api: DataApi, client: FakeDataApi) -> None:
    with pytest.raises(StatementFailed):
        data_api.run("SELECT nothing")

    assert client.calls == ["begin", "execute", "execute", "execute", "rollback"]


def test_a_database_that_is_asleep_is_waited_for(
    data_api: DataApi, client: FakeDataApi, paused: list[float], capsys: pytest.CaptureFixture[str]
) -> None:
    resuming = client.exceptions.DatabaseResumingException({"Error": {"Code": "DatabaseResumingException"}}, "Begin")
    client.refuses = [resuming, resuming]

    assert data_api.run("SELECT 1 AS one").rows == [["1"]]

    assert len(paused) == 2
    assert capsys.readouterr().err.count("asleep") == 1


def test_one_that_does_not_wake_up_is_given_up(data_api: DataApi, client: FakeDataApi, paused: list[float]) -> None:
    resuming = client.exceptions.DatabaseResumingException({"Error": {"Code": "DatabaseResumingException"}}, "Begin")
    client.refuses = [resuming] * 1000

    with pytest.raises(StatementFailed, match="woken up"):
        data_api.run("SELECT 1")

    assert sum(paused) == 60


@pytest.mark.parametrize(
    ("error", "kind", "said"),
    [
        (refusal("AccessDeniedException"), ToolError, "debug-production.md"),
        (refusal("ForbiddenException"), ToolError, "debug-production.md"),
        (refusal("SecretsErrorException"), ToolError, "debug-production.md"),
        (refusal("BadRequestException", "User jane is not authorized to perform"), ToolError, "debug-production.md"),
        (refusal("HttpEndpointNotEnabledException"), ToolError, "infra/modules/database"),
        (NoCredentialsError(), ToolError, "credentials"),
        (refusal("BadRequestException", "more than the allowed response size limit"), StatementFailed, "LIMIT"),
        (refusal("UnsupportedResultException"), StatementFailed, "::text"),
        (refusal("StatementTimeoutException"), StatementFailed, "45 seconds"),
        (refusal("DatabaseErrorException", "ERROR: boom"), StatementFailed, "^ERROR: boom$"),
        (refusal("InternalServerErrorException", "oh"), StatementFailed, "InternalServerErrorException: oh"),
    ],
)
def test_what_the_data_api_refuses_is_explained(
    data_api: DataApi, client: FakeDataApi, error: Exception, kind: type[Exception], said: str
) -> None:
    client.refuses = [error]

    with pytest.raises(kind, match=said):
        data_api.run("SELECT 1")


@pytest.mark.parametrize(
    ("field", "shown"),
    [
        ({"isNull": True}, None),
        ({"booleanValue": False}, "false"),
        ({"longValue": 0}, "0"),
        ({"doubleValue": 0.5}, "0.5"),
        ({"stringValue": ""}, ""),
        ({"blobValue": b"\x01\xff"}, r"\x01ff"),
        ({"arrayValue": {"stringValues": ["a", "b"]}}, '["a", "b"]'),
    ],
)
def test_every_kind_of_value_is_shown(field: dict[str, Any], shown: str | None) -> None:
    assert db_shell._field(field) == shown


def test_a_long_result_is_cut_and_says_so() -> None:
    lines = Answer(["n"], [[str(number)] for number in range(300)]).table().splitlines()

    assert len(lines) == 2 + 200 + 1
    assert "200 of 300" in lines[-1]


def test_a_long_value_is_cut_and_says_so_and_none_speaks_to_the_terminal() -> None:
    lines = Answer(["a", "b"], [["x" * 500, "one\ntwo\x1b[2J"]]).table().splitlines()

    assert lines[2] == f"{'x' * 119}… | one\\ntwo\\x1b[2J"
    assert "120" in lines[-1]


def test_a_shell_goes_on_after_a_failure_until_it_is_told_to_end(
    data_api: DataApi, capsys: pytest.CaptureFixture[str]
) -> None:
    typed = ["SELECT", "1 AS one;", "", "SELEC;", "SELECT 2", KeyboardInterrupt(), "SELECT 3 AS three;", r"\q"]
    lines: Iterator[Any] = iter(typed)
    prompts = []

    def ask(prompt: str) -> str:
        prompts.append(prompt)
        line = next(lines)
        if isinstance(line, BaseException):
            raise line
        return str(line)

    shell(data_api, "development", ask)

    said = capsys.readouterr().out
    assert said.index("one") < said.index("syntax error") < said.index("three")
    assert "two" not in said
    assert prompts[:3] == ["development> ", "           > ", "development> "]


def test_a_shell_ends_with_its_input(data_api: DataApi) -> None:
    def ask(prompt: str) -> str:
        raise EOFError

    shell(data_api, "development", ask)


class Account:
    """Clusters by name."""

    class exceptions:  # noqa: N801 (as boto3 has it)
        class DBClusterNotFoundFault(Exception):
            pass

    def __init__(self) -> None:
        self.clusters: dict[str, dict[str, Any]] = {}

    def describe_db_clusters(self, *, DBClusterIdentifier: str) -> dict[str, Any]:  # noqa: N803
        if DBClusterIdentifier not in self.clusters:
            raise self.exceptions.DBClusterNotFoundFault
        return {"DBClusters": [self.clusters[DBClusterIdentifier]]}


@pytest.fixture
def account(monkeypatch: pytest.MonkeyPatch, client: FakeDataApi) -> Account:
    """An account with a database of production; nobody sits before the terminal, and YES=1 was said."""
    account = Account()
    account.clusters["slipway-production"] = {
        "DBClusterArn": "cluster",
        "Status": "available",
        "MasterUserSecret": {"SecretArn": "secret"},
    }
    applied = {
        "production": {"name": "slipway-production", "owns_database": True, "region": "eu-central-1"},
        "production-fix": {"name": "slipway-production-fix", "owns_database": False, "region": "eu-central-1"},
        "production-own": {"name": "slipway-production-own", "owns_database": True, "region": "eu-central-1"},
    }
    monkeypatch.setattr(environment, "outputs", lambda target: applied.get(target.name, {}))
    monkeypatch.setattr(environment.Target, "client", lambda self, name, *_: account if name == "rds" else client)
    monkeypatch.setenv("YES", "1")
    monkeypatch.setattr(sys.stdin, "isatty", lambda: False, raising=False)
    return account


@pytest.mark.parametrize("workspace", ["", "fix"])
def test_one_statement_on_a_target_whose_database_may_be_its_environment_s(
    account: Account, workspace: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert db_shell.main({"ENV": "production", "WORKSPACE": workspace, "SQL": "SELECT 1 AS one"}) == 0

    said = capsys.readouterr()
    assert said.out.splitlines() == ["one", "---", "1", "(1 row)"]
    assert "as slipway_app" in said.err


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({"ENV": "production"}, "SQL="),
        ({"ENV": "staging", "SQL": "SELECT 1"}, "ENV=development"),
        ({"WORKSPACE": "fix", "SQL": "SELECT 1"}, "ENV=development"),
        ({"ENV": "development", "SQL": "SELECT 1"}, "development is not there"),
        ({"ENV": "production", "WORKSPACE": "own", "SQL": "SELECT 1"}, "no database slipway-production-own"),
    ],
)
def test_what_stands_in_the_way_is_named(account: Account, variables: dict[str, str], said: str) -> None:
    with pytest.raises(ToolError, match=said):
        db_shell.main(variables)


def test_a_database_that_is_being_made_has_no_secret_yet(account: Account) -> None:
    account.clusters["slipway-production"] = {"DBClusterArn": "cluster", "Status": "creating"}

    with pytest.raises(ToolError, match="creating"):
        db_shell.main({"ENV": "production", "SQL": "SELECT 1"})


def test_production_asks_first_and_asks_nothing_of_the_database_without_a_yes(
    account: Account, client: FakeDataApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("YES")
    asked = {"ENV": "production", "WORKSPACE": "fix", "SQL": "SELECT 1"}

    with pytest.raises(ToolError, match="YES=1"):
        db_shell.main(asked)
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True, raising=False)
    monkeypatch.setattr("builtins.input", lambda prompt: "production")
    with pytest.raises(ToolError, match="Nothing"):
        db_shell.main(asked)
    assert client.calls == []

    monkeypatch.setattr("builtins.input", lambda prompt: "production-fix")
    assert db_shell.main(asked) == 0


@pytest.fixture
def local(monkeypatch: pytest.MonkeyPatch, database_url: str, tmp_path: Path) -> str:
    """The checkout's database runs; nothing is on the PATH."""
    address = tmp_path / "database-url"
    address.write_text(f"{database_url}\n")
    monkeypatch.setattr(postgres, "ADDRESS", address)
    monkeypatch.setattr(postgres, "is_running", lambda: True)
    monkeypatch.setenv("PATH", str(tmp_path))
    return database_url


@pytest.mark.parametrize("name", ["", "local"])
def test_without_an_environment_it_is_the_local_database(
    local: str, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert db_shell.main({"ENV": name, "SQL": "SELECT count(*) FROM systems"}) == 0

    assert capsys.readouterr().out.splitlines()[2] == "0"


def test_psql_is_the_shell_where_it_is_and_only_reads(
    local: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    psql = tmp_path / "psql"
    psql.write_text('#!/bin/sh\necho "$PGOPTIONS"\nfor word; do echo "$word"; done\nexit 3\n')
    psql.chmod(psql.stat().st_mode | stat.S_IXUSR)

    assert db_shell.main({"SQL": "SELECT 1"}) == 3
    assert db_shell.main({"SQL": "SELECT 1", "WRITE": "1"}) == 3

    said = capfd.readouterr().out.splitlines()
    assert [line for line in said if "read_only" in line] == [
        "-c default_transaction_read_only=on",
        "-c default_transaction_read_only=off",
    ]
    assert said.count(local) == said.count("--command=SELECT 1") == 2


def test_a_local_database_that_does_not_run_is_started_by_make(local: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgres, "is_running", lambda: False)

    with pytest.raises(ToolError, match="make database"):
        db_shell.main({"SQL": "SELECT 1"})
