"""Open connections to PostgreSQL, and wait for its answers.

If a server hangs, libpq waits forever. So the connections of requests are asynchronous, and `wait` stops at the
request's deadline.
"""

import os
import select
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg2
from psycopg2.extensions import POLL_OK, POLL_READ, make_dsn
from psycopg2.extensions import connection as Connection  # noqa: N812 (psycopg2 writes this class in lower case)

from chalicelib import NAME
from chalicelib.database import iam
from chalicelib.database.errors import DatabaseUnavailable, translated_errors
from chalicelib.database.roles import APP
from chalicelib.settings import Aurora, UnusableSettings

CONNECT_SECONDS = 5
STATEMENT_SECONDS = 10

# The settings that the service relies on travel with each connection: then they outrank settings that are stored for a
# role or a database. Each role may store settings for itself. So an attacker who injects SQL could otherwise stop the
# service for good.
_SETTINGS = {
    "search_path": "public",
    "default_transaction_read_only": "off",
    "default_transaction_isolation": r"read\ committed",  # libpq reads the backslash as a quote for the space
    "local_preload_libraries": "",  # a library that does not exist would refuse each connection
    "exit_on_error": "off",
    "synchronous_commit": "on",
    "client_encoding": "UTF8",
    "timezone": "UTC",
    "datestyle": "ISO",
    "intervalstyle": "postgres",
    "extra_float_digits": "1",
    "standard_conforming_strings": "on",
    "transform_null_equals": "off",
    "jit": "off",  # compiling a long statement would take longer than running it
    "plan_cache_mode": "force_generic_plan",  # prepared statements are for plans that do not depend on values
    "statement_timeout": f"{STATEMENT_SECONDS}s",
    "lock_timeout": "0",  # statement_timeout is enough
    "idle_in_transaction_session_timeout": "30s",
    "idle_session_timeout": "240s",  # as in infra/modules/database, where idle connections would keep the cluster awake
    "client_connection_check_interval": "1s",  # the server stops a statement whose client is gone
}

# The certificate authorities of Amazon RDS in all regions. AWS publishes them: see "Using SSL/TLS to encrypt a
# connection to a DB cluster" in the Aurora User Guide.
AUTHORITIES = f"{os.path.dirname(os.path.abspath(__file__))}/rds-ca.pem"


# The advice for an error. Each key is a part of the message of libpq or PostgreSQL.
_ADVICE = {
    "certificate verify failed": (
        "The server's certificate has expired, or no authority in rds-ca.pem has signed it: renew the certificate in "
        "RDS, or deploy a package with the current authorities"
    ),
    "does not match host name": (
        "The server's certificate is for another name: set SLIPWAY_DATABASE_HOST to the cluster's own host name"
    ),
    "PAM authentication failed": (  # Amazon RDS checks tokens in a module of PAM
        "AWS refused the token. Check that the role of the function may call rds-db:connect for this user of this "
        "cluster, and that SLIPWAY_DATABASE_HOST is the cluster's own host name"
    ),
    "session is read-only": (
        "This server only reads. During a failover, the cluster's name leads to a writer after some seconds: try again"
    ),
}


def open_connection(url: str, deadline: float) -> Connection:
    """Open an asynchronous connection, which is always in autocommit, or raise DatabaseUnavailable.

    The connection acts as the service's role, whichever login the URL names: see roles.py.
    """
    with _explained_errors():
        connection: Connection = psycopg2.connect(url, async_=True, **_parameters(role=APP))
        wait(connection, deadline)
        return connection


def connect(url: str) -> Connection:
    """Open a blocking connection in autocommit, for tools and migrations, or raise DatabaseUnavailable."""
    with _explained_errors():
        connection: Connection = psycopg2.connect(url, connect_timeout=CONNECT_SECONDS, **_parameters())
        connection.autocommit = True
        return connection


def wait(connection: Connection, deadline: float) -> None:
    """Wait until an asynchronous connection has finished its task. `deadline` is a moment of `time.monotonic`.

    Raise psycopg2's errors unchanged. At the deadline, close the connection, because the answer could still come. Then
    raise DatabaseUnavailable.
    """
    while (state := connection.poll()) != POLL_OK:
        poll = select.poll()
        poll.register(connection.fileno(), select.POLLIN if state == POLL_READ else select.POLLOUT)
        seconds = deadline - time.monotonic()
        if seconds <= 0 or not poll.poll(seconds * 1000):
            connection.close()
            raise DatabaseUnavailable("PostgreSQL did not answer in time: try again later")


def address(database: Aurora | str | None) -> str:
    """Return a database's address and login in libpq's form.

    For Aurora, make a password that is valid for 15 minutes.
    """
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
        sslrootcert=AUTHORITIES,
    )


@contextmanager
def _explained_errors() -> Iterator[None]:
    """Raise DatabaseUnavailable with advice, if the reason why a server can't be used is one of _ADVICE."""
    try:
        with translated_errors():
            yield
    except DatabaseUnavailable as error:
        advice = [advice for reason, advice in _ADVICE.items() if reason in str(error)]
        raise DatabaseUnavailable(". ".join([str(error), *advice])) from error


def _parameters(**also: str) -> dict[str, Any]:
    """Return the parameters of a connection. `also` has further settings of PostgreSQL for this connection."""
    options = {**_SETTINGS, **also}
    return {
        "application_name": NAME,
        "options": " ".join(f"-c {name}={value}" for name, value in options.items()),
        # After a failover the cluster's name can lead to the old writer for some seconds. So require a server that can
        # write.
        "target_session_attrs": "read-write",
        # The server can disappear without a message, for example while the function is frozen. So a connection closes
        # if sent data is not acknowledged within 3 s. An idle connection is probed after 5 s.
        "tcp_user_timeout": 3000,
        "keepalives_idle": 5,
    }
