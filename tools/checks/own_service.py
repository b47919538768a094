"""Serve this checkout's service for one command, on a new database that is deleted afterwards."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path

from chalicelib.database.migrate import migrate
from chalicelib.database.roles import MIGRATOR
from tools.local import postgres
from tools.local.server import load_app, serving


@contextmanager
def own_service(log: Path) -> Iterator[str]:
    """Yield the service's URL. Until the end of the block, all output of this process goes to the log."""
    log.parent.mkdir(exist_ok=True)
    with postgres.throwaway() as database_url, log.open("w") as file:
        os.environ["DATABASE_URL"] = database_url
        migrate(postgres.as_login(database_url, MIGRATOR))
        with redirect_stdout(file), redirect_stderr(file), serving(*load_app()) as url:
            yield url
