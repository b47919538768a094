"""Start, stop and delete the local database without the server: `make database`, `database-stop` and `reset`."""

from collections.abc import Mapping

from chalicelib.database import POSTGRES_MAJOR
from chalicelib.database.connection import DatabaseUnavailable
from chalicelib.database.migrate import MigrationFailed, MigrationRefused, migrate
from chalicelib.database.roles import MIGRATOR
from tools.checkout import ToolError
from tools.local import postgres, run


def start(environ: Mapping[str, str]) -> None:
    """Start the database, migrate it, and leave it running, or raise ToolError."""
    url = postgres.start(print)
    try:
        migrate(postgres.as_login(url, MIGRATOR), report=lambda name: print(f"applying migration {name}"))
    except MigrationRefused as error:
        raise ToolError(
            f"{error}. Or run `make reset` to delete this database; the next start makes a new one"
        ) from None
    except (MigrationFailed, DatabaseUnavailable) as error:
        raise ToolError(str(error)) from None
    print(f"PostgreSQL {POSTGRES_MAJOR} runs: {url}")
    print("Serve with this database: .local/venv/bin/chalice local --stage local")
    print("Stop the database: make database-stop")


def stop(environ: Mapping[str, str]) -> None:
    """Stop the database. Raise ToolError if `make run` uses it."""
    if other := run.running():
        raise ToolError(f"`make run` uses the database ({other}): stop `make run`, which also stops the database")
    print("PostgreSQL is stopped" if postgres.stop() else "PostgreSQL was not running")


def reset(environ: Mapping[str, str]) -> None:
    """Delete the database. Raise ToolError if `make run` uses it."""
    if other := run.running():
        raise ToolError(f"`make run` uses the database ({other}): stop `make run` first")
    postgres.reset()
    print("The local database is deleted; the next `make run` or `make database` makes a new one")
