"""docs/development.md: its commands, in a checkout that never ran."""

import http.client
import json
import re
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.support.checkout import ROOT, Checkout, free_port
from tests.support.page import Commands, part, runs


@pytest.fixture
def here(checkout: Checkout) -> dict[str, Any]:
    """Where commands run: in the checkout, with the virtual environment of the tests, and output as it is written."""
    (checkout.folder / ".local").mkdir()
    (checkout.folder / ".local" / "venv").symlink_to(sys.prefix)
    return {"cwd": checkout.folder, "environ": {**checkout.environment, "PYTHONUNBUFFERED": "1"}}


def serves(port: int | str) -> bool:
    with closing(http.client.HTTPConnection("127.0.0.1", int(port), timeout=10)) as connection:
        connection.request("GET", "/v1/ready")
        answer = connection.getresponse()
        return answer.status == 200 and json.load(answer)["status"] == "ready"


@runs(part("development.md", "Run it", "make run", "make run PORT", "make run EMULATED", "make -s", "make reset"))
def test_it_runs_and_is_forgotten(commands: Commands, here: dict[str, Any]) -> None:
    usual, other = free_port(), free_port()
    database = Path(here["cwd"]) / ".local" / "postgres"

    with commands.started("make run", until="curl", **{**here, "environ": {**here["environ"], "PORT": str(usual)}}):
        assert serves(usual)
    with commands.started("make run PORT", until="curl", replacing={"8001": str(other)}, **here):
        assert serves(other)
    with commands.started(
        "make run EMULATED", until="curl", replacing={"EMULATED=1": f"EMULATED=1 PORT={other}"}, **here
    ):
        assert serves(other)
    assert re.fullmatch(r"ey[\w-]+\.[\w-]+\.[\w-]+\n", commands.run("make -s", **here))

    assert database.is_symlink()
    commands.run("make reset", **here)
    assert not database.is_symlink()


@runs(
    part("development.md", "Run it", "make database", ".local/venv", "make database-stop", "make database &&"),
    part("debug-production.md", "3.", "make db-shell ENV=production WORKSPACE=fix-42 SQL"),
)
def test_plain_chalice_serves_on_the_same_database(commands: Commands, here: dict[str, Any]) -> None:
    port = free_port()
    with_port = {"--stage local": f"--stage local --port {port}"}

    commands.run("make database", **here)
    with commands.started(".local/venv/bin/chalice local", until="Serving on", replacing=with_port, **here):
        assert serves(port)
    # Of what is asked on AWS, the same: an emulated account runs no database.
    environ = {**here["environ"], "PYTHONPATH": str(ROOT)}
    of_target = {"ENV=production WORKSPACE=fix-42": ""}
    said = commands.run("make db-shell", replacing=of_target, cwd=here["cwd"], environ=environ)
    assert "created_at" in said
    commands.run("make database-stop", **here)
    with commands.started("make database && ", until="Serving on", replacing=with_port, **here):
        assert serves(port)


@runs(part("development.md", "Test it", "make openapi"))
def test_the_document_is_written_from_the_code(commands: Commands, here: dict[str, Any]) -> None:
    commands.run(**here)

    assert (Path(here["cwd"]) / "openapi.json").read_text() == (ROOT / "openapi.json").read_text()
