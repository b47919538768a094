"""`make db-shell ENV=… [WORKSPACE=…]`: SQL on one target's database; without ENV on this checkout's own.

On AWS statements go through the RDS Data API, so that no port is open and no bastion stands anywhere. The Data API logs
in with the cluster's own secret, and each statement then becomes the service's role, in a transaction of its own that
only reads; WRITE=1 lets it write what the service may, and never changes the schema. That keeps from mistakes: who may
use the secret can do more without this command. SQL="…" runs one statement; else a terminal is a shell.
"""

import contextlib
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

import psycopg2
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from chalicelib.database.roles import APP
from tools.aws import environment
from tools.aws.environment import Target
from tools.checkout import ENVIRONMENTS, ToolError
from tools.local import postgres

NULL = "∅"
ROWS = 200
WIDTH = 120

# A cluster that scaled to zero needs about 15 s to come back.
_RESUME_ATTEMPTS = 20
_RESUME_PAUSE_SECONDS = 3
_NO_PERMISSION = ("AccessDenied", "AccessDeniedException", "ForbiddenException", "SecretsErrorException")
# The Data API ends a statement after 45 s, and says so itself.
_CONFIG = Config(read_timeout=60, retries={"total_max_attempts": 1, "mode": "standard"})

Environ = Mapping[str, str]


class StatementFailed(ToolError):
    """A statement had no effect; the message says why. A shell goes on."""


@dataclass(frozen=True)
class Answer:
    """What a statement answered: rows of texts, None for NULL; or how many rows it changed."""

    columns: Sequence[str]
    rows: Sequence[Sequence[str | None]]
    changed: int = 0

    def table(self) -> str:
        """As lines for a terminal, cut to what a person reads."""
        if not self.columns:
            return f"({_rows(self.changed)} changed)"
        shown = [[_cell(value) for value in row] for row in self.rows[:ROWS]]
        widths = [max(map(len, column)) for column in zip(self.columns, *shown, strict=True)]
        lines = [self.columns, ["-" * width for width in widths], *shown]
        table = [" | ".join(map(str.ljust, line, widths)).rstrip() for line in lines]
        return "\n".join([*table, *self._notes()])

    def _notes(self) -> list[str]:
        number = len(self.rows)
        cut = f"{ROWS} of {number} rows shown: LIMIT and ORDER BY choose which"
        notes = [f"({cut})" if number > ROWS else f"({_rows(number)})"]
        values = [value for row in self.rows[:ROWS] for value in row]
        if None in values:
            notes.append(f"({NULL} is NULL)")
        if any(value is not None and len(_one_line(value)) > WIDTH for value in values):
            notes.append(f"(values of more than {WIDTH} characters end in …)")
        return notes


class Database(Protocol):
    """Where statements run, each by itself."""

    def run(self, sql: str) -> Answer:
        """Run one statement. Raises StatementFailed, and ToolError where no statement could."""


class DataApi:
    """A cluster, by way of the RDS Data API."""

    def __init__(
        self, client: Any, cluster: str, secret: str, *, write: bool, pause: Callable[[float], None] = time.sleep
    ) -> None:
        self._client = client
        self._where = {"resourceArn": cluster, "secretArn": secret}
        self._write = write
        self._pause = pause

    def run(self, sql: str) -> Answer:
        try:
            transaction = {**self._where, "transactionId": self._begin()}
            try:
                for statement in _before(write=self._write):
                    self._client.execute_statement(sql=statement, **transaction)
                answer = self._client.execute_statement(sql=sql, includeResultMetadata=True, **transaction)
                self._client.commit_transaction(**transaction)
            except BaseException:
                with contextlib.suppress(ClientError, BotoCoreError):
                    self._client.rollback_transaction(**transaction)
                raise
        except ClientError as error:
            raise _explained(error) from error
        except BotoCoreError as error:
            raise ToolError(f"AWS can't be asked: {error}") from error
        columns = [column.get("label") or column["name"] for column in answer.get("columnMetadata", [])]
        rows = [[_field(field) for field in record] for record in answer.get("records", [])]
        return Answer(columns, rows, answer.get("numberOfRecordsUpdated", 0))

    def _begin(self) -> str:
        for attempt in range(_RESUME_ATTEMPTS):
            try:
                return str(self._client.begin_transaction(database="slipway", **self._where)["transactionId"])
            except self._client.exceptions.DatabaseResumingException:
                if attempt == 0:
                    _note("The database was asleep, and wakes up: this takes about 15 seconds")
                self._pause(_RESUME_PAUSE_SECONDS)
        raise StatementFailed("The database has not woken up in a minute: try again")


class Local:
    """A database that can be reached, without psql."""

    def __init__(self, url: str, *, write: bool) -> None:
        self._url = url
        self._write = write

    def run(self, sql: str) -> Answer:
        try:
            # A connection a statement: nothing of one is left for the next.
            with contextlib.closing(psycopg2.connect(self._url)) as connection:
                with connection, connection.cursor() as cursor:
                    for statement in _before(write=self._write):
                        cursor.execute(statement)
                    cursor.execute(sql)
                    columns = [column.name for column in cursor.description or []]
                    rows = [[_text(value) for value in row] for row in cursor.fetchall()] if columns else []
                return Answer(columns, rows, cursor.rowcount)
        except psycopg2.Error as error:
            raise StatementFailed(str(error).strip()) from error


def of_target(target: Target, *, write: bool) -> DataApi:
    """The database of a target. Raises ToolError where there is none, or none that we may use."""
    if target.emulated is not None:
        raise ToolError("The emulated account runs no database; without ENV this is a shell on the local one")
    outputs = environment.outputs(target)
    if not outputs:
        raise ToolError(f"{target.name} is not there: make apply ENV={target.environment} makes it")
    # A workspace on live data has its environment's.
    name = outputs["name"] if outputs["owns_database"] else f"slipway-{target.environment}"
    client = target.client("rds", outputs["region"])
    try:
        [cluster] = client.describe_db_clusters(DBClusterIdentifier=name)["DBClusters"]
    except client.exceptions.DBClusterNotFoundFault:
        raise ToolError(f"{target.name} has no database {name}: make apply ENV={target.environment} makes it") from None
    except ClientError as error:
        raise _explained(error) from error
    except BotoCoreError as error:
        raise ToolError(f"AWS can't be asked: {error}") from error
    secret = cluster.get("MasterUserSecret", {}).get("SecretArn")
    if not secret:
        raise ToolError(f"{name} has no secret to log in with ({cluster['Status']}): make apply sees to it")
    return DataApi(target.client("rds-data", outputs["region"], _CONFIG), cluster["DBClusterArn"], secret, write=write)


def shell(database: Database, prompt: str, ask: Callable[[str], str] = input) -> None:
    r"""Run what is typed, each statement when its semicolon comes, until `\q` or the end of input."""
    typed: list[str] = []
    while True:
        try:
            line = ask(f"{prompt}> " if not typed else f"{' ' * len(prompt)}> ").strip()
            if line == r"\q":
                return
            typed += [line] if line else []
            if not line.endswith(";"):
                continue
            sql, typed = "\n".join(typed), []
            print(database.run(sql).table())
        except EOFError:
            print()
            return
        except KeyboardInterrupt:
            typed = []
            print()
        except StatementFailed as failure:
            print(failure)


def _before(*, write: bool) -> list[str]:
    return [*([] if write else ["SET TRANSACTION READ ONLY"]), f"SET LOCAL ROLE {APP}"]


def _explained(error: ClientError) -> Exception:
    """What AWS refused, and what to do about it: ToolError where the next statement would be refused, too."""
    code, said = error.response["Error"]["Code"], error.response["Error"]["Message"]
    if code in _NO_PERMISSION or "not authorized" in said:
        return ToolError(f"Your credentials may not do that (docs/debug-production.md says what it takes): {said}")
    if code == "HttpEndpointNotEnabledException":
        return ToolError(f"The cluster's Data API is switched off; infra/modules/database switches it on: {said}")
    if "response size limit" in said:
        return StatementFailed("The result is larger than 1 MB, which the Data API carries: LIMIT it, or name columns")
    if code == "UnsupportedResultException":
        return StatementFailed(f"The Data API can't carry a column's type: cast it, as in value::text ({said})")
    if code == "StatementTimeoutException":
        return StatementFailed("The statement took longer than the Data API's 45 seconds, and was ended")
    if code in ("BadRequestException", "DatabaseErrorException"):
        return StatementFailed(said)
    return StatementFailed(f"{code}: {said}")


def _field(field: Mapping[str, Any]) -> str | None:
    """A value of the Data API, which has one name for each kind."""
    [(kind, value)] = field.items()
    if kind == "isNull":
        return None
    if kind == "arrayValue":
        return json.dumps(next(iter(value.values())), default=str, ensure_ascii=False)
    return _text(value)


def _text(value: Any) -> str | None:
    if value is None:
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, bytes | memoryview):
        return rf"\x{bytes(value).hex()}"
    if isinstance(value, dict | list):
        return json.dumps(value, default=str, ensure_ascii=False)
    return str(value)


def _rows(number: int) -> str:
    return "1 row" if number == 1 else f"{number} rows"


def _cell(value: str | None) -> str:
    if value is None:
        return NULL
    line = _one_line(value)
    return line if len(line) <= WIDTH else f"{line[: WIDTH - 1]}…"


def _one_line(value: str) -> str:
    """Without what would break a line, or speak to the terminal."""
    return "".join(char if char.isprintable() else repr(char)[1:-1] for char in value)


def _note(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _consent(target: Target) -> None:
    if target.environment != "production" or target.emulated is not None or os.environ.get("YES") == "1":
        return
    if not sys.stdin.isatty():
        raise ToolError(f"{target.name} has production's data, and nobody can be asked: say YES=1")
    if input(f"{target.name} has production's data. Type {target.name} to go on: ").strip() != target.name:
        raise ToolError("Nothing was asked of the database")


def _local_url() -> str:
    if not postgres.is_running():
        raise ToolError(
            "The local database does not run: `make run` or `make database` starts it. For another one say "
            f"ENV={'|'.join(ENVIRONMENTS)}"
        )
    return postgres.ADDRESS.read_text().strip()


def _psql(url: str, sql: str | None, *, write: bool) -> int:
    command = ["psql", "--no-psqlrc", "--set=ON_ERROR_STOP=1", f"--pset=null={NULL}", url]
    options = f"-c default_transaction_read_only={'off' if write else 'on'}"
    return subprocess.run(
        [*command, *([] if sql is None else [f"--command={sql}"])],
        env={**os.environ, "PGOPTIONS": options},
        check=False,
    ).returncode


def main(environ: Environ) -> int:
    """The exit code."""
    sql, write = environ.get("SQL") or None, environ.get("WRITE") == "1"
    if sql is None and not sys.stdin.isatty():
        raise ToolError('There is no terminal to type at: say SQL="SELECT …"')
    may = "read and write" if write else "only read (WRITE=1 lets them write)"
    database: Database
    if environ.get("ENV", "") in ("", "local") and not environ.get("WORKSPACE"):
        name, url = "local", _local_url()
        _note(f"{name}: statements run as {APP}, and {may}")
        if shutil.which("psql"):
            return _psql(url, sql, write=write)
        database = Local(url, write=write)
    else:
        target = replace(environment.target_of(environ), choices={})
        name = target.name
        _consent(target)
        database = of_target(target, write=write)
        _note(f"{name}: statements run as {APP}, each by itself, and {may}. CloudTrail has who ran them")
    if sql is not None:
        print(database.run(sql).table())
        return 0
    import readline  # noqa: F401, PLC0415 (`input` edits lines with it, and remembers them)

    _note(r"A statement ends with a semicolon, the shell with \q or Ctrl-D")
    shell(database, name)
    return 0
