"""Chalice's own commands work as docs/development.md says, after `make database`."""

import http.client
import json
import sys
from contextlib import closing

import pytest

from tests.support.checkout import Checkout, free_port
from tests.support.page import script, started


@pytest.mark.parametrize("command", ["chalice", "chalice-local"])
def test_plain_chalice_serves_on_the_local_database(checkout: Checkout, database_url: str, command: str) -> None:
    local = checkout.folder / ".local"
    local.mkdir()
    (local / "venv").symlink_to(sys.prefix)
    (local / "database-url").write_text(database_url)  # `make database` writes this file
    port = free_port()
    [said] = [line for line in script("development.md", "Run it").splitlines() if f"/bin/{command} " in line]
    command = said.removeprefix("make database && ").partition("#")[0]

    with (
        started(
            f"{command.strip()} --port {port}",
            until="Serving on",
            cwd=checkout.folder,
            environ={**checkout.environment, "PYTHONUNBUFFERED": "1"},
        ),
        closing(http.client.HTTPConnection("127.0.0.1", port, timeout=10)) as connection,
    ):
        connection.request("GET", "/v1/ready")
        assert json.load(connection.getresponse())["status"] == "ready"
