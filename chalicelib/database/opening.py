"""How connections to PostgreSQL are opened, and how we wait for them.

A server that hangs sends no timeout, and libpq waits for it forever. So the connections of requests are asynchronous,
and we do the waiting ourselves, until the request's deadline.
"""

import select
import time
from pathlib import Path
from typing import Any

import psycopg2
from psycopg2.extensions import POLL_OK, POLL_READ, make_dsn
from psycopg2.extensions import connection as Connection  # noqa: N812 (the class is lower case there)

from chalicelib.database import iam
from chalicelib.database.errors import DatabaseUnavailable, translated_errors
from chalicelib.database.roles import APP
from chalicelib.settings import Aurora, UnusableSettings

CONNECT_SECONDS = 5
STATEMENT_SECONDS = 10

# The certificate authorities of Amazon RDS in all regions, as AWS publishes them: "Using SSL/TLS to encrypt a
# connection to a DB cluster".
AUTHORITIES = Path(__file__).parent / "rds-ca.pem"


def open_connection(url: str, deadline: float) -> Connection:
    """Open an asynchronous connection, which is always in autocommit; raises DatabaseUnavailable.

    It acts as the service's role, whichever login it has: see roles.py.
    """
    with translated_errors():
        connection: Connection = psycopg2.connect(url, async_=True, **_parameters(role=APP))
        wait(connection, deadline)
        return connection


def connect(url: str) -> Connection:
    """Open a blocking connection in autocommit, for tools; raises DatabaseUnavailable."""
    with translated_errors():
        connection: Connection = psycopg2.connect(url, connect_timeout=CONNECT_SECONDS, **_parameters())
        connection.autocommit = True
        return connection


def wait(connection: Connection, deadline: float) -> None:
    """Wait until an asynchronous connection has finished its task.

    `deadline` is a moment of `time.monotonic`. Raises PostgreSQL's error, or DatabaseUnavailable if there is no answer
    by then. In that case the connection is closed, because the answer could still come.
    """
    while (state := connection.poll()) != POLL_OK:
        poll = select.poll()
        poll.register(connection.fileno(), select.POLLIN if state == POLL_READ else select.POLLOUT)
        seconds = deadline - time.monotonic()
        if seconds <= 0 or not poll.poll(seconds * 1000):
            connection.close()
            raise DatabaseUnavailable("PostgreSQL has not answered in time")


def address(database: Aurora | str | None) -> str:
    """Return a database's address and login in libpq's form. Its password is valid for 15 minutes."""
    if database is None:
        raise UnusableSettings("SLIPWAY_DATABASE_HOST is not set: set it to the host of the stage's cluster")
    if isinstance(database, str):
        return database
    password = iam.password(database.host, database.port, database.user, database.region, iam.credentials())
    return make_dsn(
        host=database.host,
        port=database.port,
        dbname=database.name,
        user=database.user,
        password=password,
        sslmode="verify-full",
        sslrootcert=str(AUTHORITIES),
    )


def _parameters(**also: str) -> dict[str, Any]:
    """Return the parameters of every connection; `also` are further settings of PostgreSQL."""
    options = {
        "timezone": "UTC",
        "statement_timeout": f"{STATEMENT_SECONDS}s",
        "idle_in_transaction_session_timeout": "30s",
        "client_connection_check_interval": "1s",  # the server gives up a statement that we have given up
        **also,
    }
    return {
        "application_name": "slipway",
        "options": " ".join(f"-c {name}={value}" for name, value in options.items()),
        # After a failover the cluster's name can lead to the old writer for some seconds.
        "target_session_attrs": "read-write",
        # The other end can disappear without a message, for example while the function is frozen. This finds a dead
        # connection within a fifth of the request's time.
        "tcp_user_timeout": 3000,
        "keepalives_idle": 5,
    }
