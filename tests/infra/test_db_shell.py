"""`make db-shell` runs SQL. A stand-in for the RDS Data API uses the tests' PostgreSQL, and `psql` is real."""

import contextlib
import os
import sys
from collections.abc import Iterator
from contextlib import closing
from functools import cache
from typing import Any

import psycopg2
import pytest
from botocore.exceptions import ClientError, NoCredentialsError

from chalicelib import NAME
from chalicelib.database.passwords import verifier
from chalicelib.database.roles import APP, READER, reader
from tests.support.postgres import SUPERUSER, Clones, address_of, as_login, server_folder, stop
from tools.aws import db_shell, environment
from tools.aws.db_shell import DataApi, shell
from tools.aws.emulator.account import emulated_client
from tools.aws.target import Target
from tools.checkout import ToolError
from tools.local import emulation

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
    """A stand-in for the Data API. It logs in as the master user or as the reader, depending on the secret.

    The next calls raise the errors in `refuses`.
    """

    def __init__(self, address: str) -> None:
        self.exceptions = exceptions()
        self.refuses: list[Exception] = []
        self.calls: list[str] = []
        self._addresses = {"master": as_login(address, SUPERUSER), "reader": as_login(address, READER)}
        self._open: dict[str, Any] = {}

    def begin_transaction(self, *, database: str, resourceArn: str, secretArn: str) -> dict[str, str]:  # noqa: N803
        self._called("begin")
        transaction = str(len(self.calls))
        self._open[transaction] = psycopg2.connect(self._addresses[secretArn])
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
        return {"columnMetadata": [{"label": column.name} for column in cursor.description], "records": records}

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


@pytest.fixture(scope="module")
def clones() -> Iterator[Clones]:
    """Make databases on a server of this file, because other tests expect that there is no reader."""
    folder = server_folder()
    clones = Clones(address_of(folder), "shell")
    yield clones
    clones.close()
    stop(folder)


@pytest.fixture
def client(database_url: str) -> FakeDataApi:
    with closing(psycopg2.connect(as_login(database_url, SUPERUSER))) as connection, connection:
        for statement in reader(connection.info.dbname, verifier("of-the-reader")):
            connection.cursor().execute(statement)
    return FakeDataApi(database_url)


@pytest.fixture
def paused() -> list[float]:
    return []


@pytest.fixture
def database(client: FakeDataApi, paused: list[float]) -> DataApi:
    return DataApi(client, {"resourceArn": "cluster", "secretArn": "reader"}, write=False, pause=paused.append)


@pytest.fixture
def writable(client: FakeDataApi) -> DataApi:
    return DataApi(client, {"resourceArn": "cluster", "secretArn": "master"}, write=True)


def test_the_answer_is_a_table_that_tells_null_from_text(database: DataApi) -> None:
    table = database.run("SELECT current_user AS who, 12 AS number, NULL AS nothing, 'NULL' AS word")

    assert table.splitlines() == [
        f"{'who':{len(READER)}} | number | nothing | word",
        f"{'-' * len(READER)} | ------ | ------- | ----",
        f"{READER} | 12     | ∅       | NULL",
        "(rows: 1)",
    ]


def test_columns_with_the_same_name_are_all_shown_even_without_rows(database: DataApi) -> None:
    assert database.run("SELECT 1 AS id, 2 AS id").splitlines()[2] == "1  | 2"
    assert database.run("SELECT 1 AS id WHERE false").splitlines() == ["id", "--", "(rows: 0)"]


def test_control_characters_are_escaped_for_the_terminal(database: DataApi) -> None:
    assert r"one\ntwo\x1b[2J" in database.run("SELECT E'one\ntwo\x1b[2J' AS value")
    with pytest.raises(ToolError, match=r"\\x1b\[2J"):
        database.run("SELECT E'\x1b[2J'::int")


def test_db_shell_writes_only_on_request(database: DataApi, writable: DataApi) -> None:
    with pytest.raises(ToolError, match="read-only"):
        database.run(SYSTEM)
    assert writable.run(SYSTEM) == "(rows changed: 1)"

    assert "shop" in database.run("SELECT key FROM systems")


@pytest.mark.parametrize("sql", ["SET TRANSACTION READ WRITE", f"SET LOCAL ROLE {APP}"])
def test_a_reader_cannot_become_a_writer(database: DataApi, client: FakeDataApi, sql: str) -> None:
    with pytest.raises(ToolError, match="permission denied"):
        database.run(f"{sql}; {SYSTEM}")


@pytest.mark.parametrize("sql", ["CREATE TABLE mine (id int)", "DELETE FROM audit_events", "DROP TABLE systems"])
def test_db_shell_never_writes_more_than_the_service_may(writable: DataApi, sql: str) -> None:
    with pytest.raises(ToolError, match=r"permission denied|must be owner"):
        writable.run(sql)


def test_a_failed_statement_rolls_its_transaction_back(database: DataApi, client: FakeDataApi) -> None:
    with pytest.raises(ToolError, match="division by zero"):
        database.run("SELECT 1/0")

    assert client.calls == ["begin", "execute", "execute", "rollback"]


def resuming(client: FakeDataApi) -> Exception:
    error: Exception = client.exceptions.DatabaseResumingException(
        {"Error": {"Code": "DatabaseResumingException"}}, "Begin"
    )
    return error


def test_db_shell_waits_for_a_paused_database(
    database: DataApi, client: FakeDataApi, paused: list[float], capsys: pytest.CaptureFixture[str]
) -> None:
    client.refuses = [resuming(client)] * 2

    assert "one" in database.run("SELECT 1 AS one")

    assert len(paused) == 2
    assert capsys.readouterr().err.count("waking up") == 1


def test_db_shell_stops_waiting_for_a_database_that_does_not_resume(
    database: DataApi, client: FakeDataApi, paused: list[float]
) -> None:
    client.refuses = [resuming(client)] * 1000

    with pytest.raises(ToolError, match="wake up"):
        database.run("SELECT 1")

    assert sum(paused) == 60


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (refusal("AccessDeniedException"), "debug-production.md"),
        (refusal("SecretsErrorException"), "debug-production.md"),
        (refusal("BadRequestException", "User jane is not authorized to perform"), "debug-production.md"),
        (refusal("HttpEndpointNotEnabledException"), "make apply"),
        (NoCredentialsError(), "credentials"),
        (refusal("BadRequestException", "more than the allowed response size limit"), "LIMIT"),
        (refusal("UnsupportedResultException"), "::text"),
        (refusal("StatementTimeoutException"), "45 seconds"),
        (refusal("DatabaseErrorException", "ERROR: boom"), "^ERROR: boom$"),
        (refusal("InternalServerErrorException", "oh"), "InternalServerErrorException: oh"),
    ],
)
def test_refusals_of_the_data_api_are_explained(
    database: DataApi, client: FakeDataApi, error: Exception, said: str
) -> None:
    client.refuses = [error]

    with pytest.raises(ToolError, match=said):
        database.run("SELECT 1")


@pytest.mark.parametrize("end", [r"\q", EOFError()])
def test_a_shell_goes_on_after_a_failure_until_it_is_ended(
    database: DataApi, capsys: pytest.CaptureFixture[str], end: Any
) -> None:
    typed = ["SELECT", "1 AS one;", "", "SELEC;", "SELECT 2", KeyboardInterrupt(), "SELECT 3 AS three;", end]
    lines: Iterator[Any] = iter(typed)
    prompts = []

    def ask(prompt: str) -> str:
        prompts.append(prompt)
        line = next(lines)
        if isinstance(line, BaseException):
            raise line
        return str(line)

    shell(database, "development", ask)

    said = capsys.readouterr().out
    assert said.index("one") < said.index("syntax error") < said.index("three")
    assert "two" not in said
    assert prompts[:3] == ["development> ", "           > ", "development> "]


class Account:
    """A stand-in for boto3's clients of RDS and of Secrets Manager, with clusters and secrets by name."""

    class exceptions:  # noqa: N801 (the name in boto3)
        class DBClusterNotFoundFault(Exception):
            pass

        class ResourceNotFoundException(Exception):
            pass

    def __init__(self) -> None:
        self.clusters: dict[str, dict[str, Any]] = {}
        self.secrets: dict[str, dict[str, Any]] = {}

    def describe_db_clusters(self, *, DBClusterIdentifier: str) -> dict[str, Any]:  # noqa: N803
        if DBClusterIdentifier not in self.clusters:
            raise self.exceptions.DBClusterNotFoundFault
        return {"DBClusters": [self.clusters[DBClusterIdentifier]]}

    def describe_secret(self, *, SecretId: str) -> dict[str, Any]:  # noqa: N803
        if SecretId not in self.secrets:
            raise self.exceptions.ResourceNotFoundException
        return self.secrets[SecretId]


@pytest.fixture
def account(monkeypatch: pytest.MonkeyPatch, client: FakeDataApi) -> Account:
    """An account with a production database. Standard input is no terminal, so nobody can confirm a statement."""
    account = Account()
    account.clusters[f"{NAME}-production"] = {
        "DBClusterArn": "cluster",
        "DBClusterIdentifier": f"{NAME}-production",
        "Status": "available",
        "MasterUserSecret": {"SecretArn": "master"},
    }
    account.secrets[f"{NAME}-production-reader"] = {"ARN": "reader", "VersionIdsToStages": {"1": ["AWSCURRENT"]}}
    applied = {
        "production": {"name": f"{NAME}-production", "owns_database": True, "region": "eu-central-1"},
        "production-d-fix": {"name": f"{NAME}-production-d-fix", "owns_database": False, "region": "eu-central-1"},
        "production-d-own": {"name": f"{NAME}-production-d-own", "owns_database": True, "region": "eu-central-1"},
        # A preview's own code wrote these outputs.
        "production-w-pr": {"name": f"{NAME}-production", "owns_database": False, "region": "eu-central-1"},
    }
    workspaces = [Target("production", name, debug=name != "pr") for name in ("fix", "own", "pr")]
    monkeypatch.setattr(environment, "workspaces", lambda target: workspaces)
    monkeypatch.setattr(environment, "outputs", lambda target: applied.get(target.name, {}))
    monkeypatch.setattr(Target, "client", lambda self, name, *_: client if name == "rds-data" else account)
    monkeypatch.setattr(sys.stdin, "isatty", lambda: False, raising=False)
    return account


@pytest.mark.parametrize("workspace", ["", "fix"])
@pytest.mark.parametrize(("write", "user"), [("", READER), ("1", APP)])
def test_a_statement_runs_on_the_targets_own_or_its_environments_database(
    account: Account, workspace: str, write: str, user: str, capsys: pytest.CaptureFixture[str]
) -> None:
    sql = "SELECT current_user AS who"
    asked = {"ENV": "production", "WORKSPACE": workspace, "SQL": sql, "WRITE": write, "YES": "1"}

    assert db_shell.main(asked) == 0

    said = capsys.readouterr()
    assert said.out.splitlines()[2] == user
    assert f"as {user}" in said.err


def test_a_closed_output_raises_before_python_exits(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    # `| head` closes the output early. The command line can't catch an error that Python raises during its exit.
    reader, writer = os.pipe()
    os.close(reader)
    output = os.fdopen(writer, "w")
    monkeypatch.setattr(sys, "stdout", output)

    with pytest.raises(BrokenPipeError):
        db_shell.main({"ENV": "production", "SQL": "SELECT 1", "YES": "1"})

    with contextlib.suppress(BrokenPipeError):
        output.close()


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({"ENV": "production", "SQL": ""}, "SQL="),
        ({"ENV": "staging"}, "ENV=development"),
        ({"WORKSPACE": "fix"}, "ENV=development"),
        ({"ENV": "development"}, "development does not exist"),
        ({"ENV": "production", "WORKSPACE": "own"}, f"no database {NAME}-production-d-own"),
        ({"ENV": "production", "WORKSPACE": "pr"}, f"no database {NAME}-production-w-pr"),
    ],
)
def test_wrong_or_missing_input_is_named(account: Account, variables: dict[str, str], said: str) -> None:
    with pytest.raises(ToolError, match=said):
        db_shell.main({"SQL": "SELECT 1", "YES": "1", **variables})


def test_a_database_in_creation_is_reported(account: Account) -> None:
    del account.clusters[f"{NAME}-production"]["MasterUserSecret"]
    account.clusters[f"{NAME}-production"]["Status"] = "creating"

    with pytest.raises(ToolError, match="creating"):
        db_shell.main({"ENV": "production", "SQL": "SELECT 1", "WRITE": "1", "YES": "1"})


@pytest.mark.parametrize(
    ("secrets", "said"),
    [({}, f"no secret {NAME}-production-reader"), ({f"{NAME}-production-reader": {"ARN": "reader"}}, "no password")],
)
def test_a_reader_without_a_secret_or_a_password_is_reported(
    account: Account, client: FakeDataApi, secrets: dict[str, dict[str, Any]], said: str
) -> None:
    account.secrets = secrets

    with pytest.raises(ToolError, match=said):
        db_shell.main({"ENV": "production", "SQL": "SELECT 1", "YES": "1"})

    assert client.calls == []


def test_production_runs_no_statement_without_a_yes(
    account: Account, client: FakeDataApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = {"ENV": "production", "WORKSPACE": "fix", "SQL": "SELECT 1"}

    with pytest.raises(ToolError, match="YES=1"):
        db_shell.main(asked)
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True, raising=False)
    monkeypatch.setattr("builtins.input", lambda prompt: "production")
    with pytest.raises(ToolError, match="Nothing was done"):
        db_shell.main(asked)
    assert client.calls == []

    monkeypatch.setattr("builtins.input", lambda prompt: "production-d-fix")
    assert db_shell.main(asked) == 0
