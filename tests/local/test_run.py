"""`make run` starts the service and its database. At its end, `make run` stops all processes that it started."""

import http.client
import json
import re
import shlex
import signal
import socket
from collections.abc import Iterator
from typing import Any

import pytest
from psycopg2.extensions import parse_dsn

from chalicelib.database import POSTGRES_MAJOR
from chalicelib.database.roles import APP
from tests.support.checkout import Checkout, Run, free_port
from tests.support.postgres import SUPERUSER, Clones, administration, as_login

SYSTEM = {"key": "shop", "name": "Shop", "repository": "https://example.org/shop", "description": ""}


def ask(run: Run, path: str, body: object = None) -> Any:
    connection = http.client.HTTPConnection("127.0.0.1", run.port, timeout=10)
    try:
        connection.request(
            "GET" if body is None else "POST",
            path,
            None if body is None else json.dumps(body),
            {"Authorization": f"Bearer {run.token}", "Content-Type": "application/json"},
        )
        answer = connection.getresponse()
        assert answer.status < 300, answer.read()
        return json.load(answer)
    finally:
        connection.close()


def test_ctrl_c_ends_everything_and_the_next_start_finds_the_data(checkout: Checkout) -> None:
    with checkout.run() as run:
        ask(run, "/v1/systems", SYSTEM)
        [curl] = re.findall("^curl .*$", run.output, re.MULTILINE)

        assert run.token in shlex.split(curl)[3]
        assert shlex.split(curl)[-1] == f"{run.url}/v1/systems"
        assert run.stop(signal.SIGINT) == 0

    assert checkout.processes() == []
    assert "Traceback" not in run.output

    with checkout.run() as run:
        assert ask(run, "/v1/systems/shop")["key"] == "shop"
        assert run.stop(signal.SIGTERM) == 0

    assert checkout.processes() == []
    assert "Traceback" not in run.output


def test_a_killed_run_leaves_nothing_that_blocks_the_next(checkout: Checkout) -> None:
    with checkout.run() as killed, socket.create_connection(("127.0.0.1", killed.port), timeout=10) as connection:
        killed.process.kill()
        assert ended(connection)

    with checkout.run(PORT=str(killed.port)) as run:
        assert ask(run, "/v1/ready")
        assert run.stop(signal.SIGHUP) == 0

    assert checkout.processes() == []


def test_a_second_run_is_refused_and_names_the_first(checkout: Checkout) -> None:
    with checkout.run() as run:
        for arguments in (
            ["local", "run"],
            ["local", "database-reset"],
            ["local", "database-stop"],
        ):
            refused = checkout.call(*arguments, PORT=str(free_port()))

            assert refused.returncode == 1
            assert f"process {run.process.pid}, port {run.port}" in refused.stderr
        assert ask(run, "/v1/ready")


def test_a_taken_port_is_named_before_anything_starts(checkout: Checkout) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        refused = checkout.call("local", "run", PORT=str(port))

    assert refused.returncode == 1
    assert f"Port {port}" in refused.stderr
    assert "PORT=" in refused.stderr
    assert "Traceback" not in refused.stderr
    assert not (checkout.folder / ".local" / "postgres").is_symlink()


def test_an_invalid_port_is_explained(checkout: Checkout) -> None:
    for port in ("http", "0", "65536", "-1"):
        assert "make run PORT=8001" in checkout.call("local", "run", PORT=port).stderr


def test_code_is_reloaded_even_after_a_syntax_error(checkout: Checkout) -> None:
    app = checkout.folder / "app.py"
    sound = app.read_text()
    package = checkout.folder / "chalicelib"
    last = max(int(path.name[:4]) for path in package.glob("*/migrations/*.sql"))

    with checkout.run() as run:
        app.write_text("this text is not Python\n")
        run.wait_for("the server does not start")
        assert "SyntaxError" in run.output
        assert refuses(run.port)

        (package / "database" / "migrations" / f"{last + 1:04}_more.sql").write_text(
            "CREATE TABLE more (id integer PRIMARY KEY);\n"
        )
        app.write_text(sound)
        run.wait_for("serving again")
        assert ask(run, "/v1/ready") == {"status": "ready", "schema_version": last + 1}

        run.worker().kill()
        run.wait_for("serving again")
        assert ask(run, "/v1/health")["status"] == "ok"


def refuses(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


@pytest.fixture
def new_database(clones: Clones) -> Iterator[str]:
    """The address of a new database without the service's schema."""
    address = clones.new("template0")
    yield address
    clones.drop(address)


@pytest.fixture
def somebody(new_database: str, worker_id: str) -> Iterator[str]:
    """A login that may only connect to the new database."""
    name = f"somebody_{worker_id}"
    database = parse_dsn(new_database)["dbname"]
    with administration(as_login(new_database, SUPERUSER)) as cursor:
        cursor.execute(f"CREATE ROLE {name} LOGIN; GRANT CONNECT ON DATABASE {database} TO {name}")
        yield name
        cursor.execute(f"DROP OWNED BY {name}; DROP ROLE {name}")


def test_database_url_names_another_database(checkout: Checkout, new_database: str) -> None:
    with checkout.run(DATABASE_URL=as_login(new_database, SUPERUSER)) as run:
        assert ask(run, "/v1/ready")
        assert ask(run, "/v1/systems", SYSTEM)
        assert not (checkout.folder / ".local" / "postgres").is_symlink()

    with administration(as_login(new_database, APP)) as cursor:
        cursor.execute("SELECT key FROM systems")
        assert cursor.fetchall() == [("shop",)]


def test_a_login_with_too_few_rights_gets_the_sql_that_an_administrator_must_run(
    checkout: Checkout, new_database: str, somebody: str
) -> None:
    url = as_login(new_database, somebody)

    refused = checkout.call("local", "run", PORT=str(free_port()), DATABASE_URL=url)

    assert refused.returncode == 1
    assert "Traceback" not in refused.stderr
    with administration(as_login(new_database, SUPERUSER)) as cursor:
        cursor.execute(refused.stderr.partition("\n\n")[2])
    with checkout.run(DATABASE_URL=url) as run:
        assert ask(run, "/v1/systems", SYSTEM)


def test_a_named_database_of_an_older_postgresql_is_refused(checkout: Checkout, new_database: str) -> None:
    package = checkout.folder / "chalicelib" / "database" / "__init__.py"
    package.write_text(package.read_text().replace(f"POSTGRES_MAJOR = {POSTGRES_MAJOR}", "POSTGRES_MAJOR = 99"))

    refused = checkout.call("local", "run", PORT=str(free_port()), DATABASE_URL=as_login(new_database, SUPERUSER))

    assert refused.returncode == 1
    assert "99" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_an_unreachable_named_database_ends_the_start(checkout: Checkout) -> None:
    refused = checkout.call("local", "run", PORT=str(free_port()), DATABASE_URL="postgresql://127.0.0.1:1/none")

    assert refused.returncode == 1
    assert "DATABASE_URL" in refused.stderr
    assert "Traceback" not in refused.stderr


def ended(connection: socket.socket) -> bool:
    """True if the server closes or resets the connection. It resets a connection that it has not accepted yet."""
    try:
        return connection.recv(1) == b""
    except ConnectionResetError:
        return True


def test_an_emulated_run_calls_the_emulated_account_only(checkout: Checkout) -> None:
    with checkout.run(EMULATED="1", AWS_PROFILE="production") as run:
        environment = run.worker().environ()

    assert environment["AWS_ENDPOINT_URL"] == "http://127.0.0.1:4566"
    assert "AWS_PROFILE" not in environment


def test_a_run_keeps_the_aws_account_of_its_shell(checkout: Checkout) -> None:
    with checkout.run(AWS_PROFILE="production") as run:
        environment = run.worker().environ()

    assert environment["AWS_PROFILE"] == "production"
    assert "AWS_ENDPOINT_URL" not in environment
