"""Follow docs/find-the-cause.md on the local service: from an alarm to the request, the statement, the deployment."""

import json
import re
from contextlib import closing

import psycopg2
import pytest

from chalicelib import NAME
from chalicelib.telemetry.logs import FIELDS
from tests.local.test_run import ask
from tests.support.checkout import Checkout, Run
from tests.support.page import script, sh, text
from tests.support.postgres import SUPERUSER, as_login

PAGE = "find-the-cause.md"
DIGEST = f"sha256:{'5b678574' * 8}"


def page(run: Run, checkout: Checkout, heading: str, **replacing: str) -> str:
    """Run the commands of a section of the page for the local service; return what they print."""
    commands = script(PAGE, heading).replace("ENV=production", "ENV=local")
    for old, new in replacing.items():
        commands = commands.replace(old, new)
    environ = {**checkout.environment, "URL": run.url, "SLIPWAY_URL": run.url, "TOKEN": run.token}
    return sh(commands, checkout.folder, environ)


def break_by_a_migration(checkout: Checkout) -> None:
    """Do to the database what a wrong migration does: rename a column that the code reads."""
    url = as_login((checkout.folder / ".local" / "database-url").read_text().strip(), SUPERUSER)
    with closing(psycopg2.connect(url)) as connection, connection.cursor() as cursor:
        cursor.execute("ALTER TABLE systems RENAME COLUMN description TO about")
        connection.commit()


def test_the_page_leads_from_the_alarm_to_the_deployment(checkout: Checkout) -> None:
    with checkout.run(SLIPWAY_PACKAGE=DIGEST) as run:
        ask(run, "/v1/systems", {"key": "shop", "name": "Shop"})
        # registry
        ask(run, "/v1/systems", {"key": NAME, "name": "The service"})
        ask(run, f"/v1/systems/{NAME}/environments", {"name": "production", "rank": 1, "production": True})
        deployments = f"/v1/systems/{NAME}/deployments"
        opened = ask(run, deployments, {"environment": "production", "artifact": f"tree:{'5b' * 20}"})
        ended = {"state": "succeeded", "detail": f"package {DIGEST}"}
        ask(run, f"{deployments}/{opened['id']}/statuses", ended)
        # /registry
        break_by_a_migration(checkout)
        with pytest.raises(AssertionError):
            ask(run, "/v1/systems/shop")

        # The alarm: its metric is in the log, by operation.
        lines = (json.loads(each) for each in (checkout.folder / ".local" / "log.ndjson").read_text().splitlines())
        [broken] = [said for *_, message in lines if (said := json.loads(message)).get("server_errors")]
        assert broken["operation"] == "get_system"

        requests = page(run, checkout, "1.")
        [request_id] = set(re.findall(r"request_id=(\S+)", requests))
        assert request_id == broken["request_id"]

        told = page(run, checkout, "2.", **{"5f1c2d3e": request_id})
        assert "GET" in told
        assert "does not exist" in told
        assert re.search(r"statement=SELECT .*description.* FROM systems", told)
        [deployment] = set(re.findall(r"deployment=(\S+)", told))

        found = page(run, checkout, "3.", **{"5b6785745b67": deployment})
        assert DIGEST in found
        # registry
        assert f'"id":"{opened["id"]}"' in found
        # /registry

    # Each line of `make run` names its request, and its errors can be read.
    assert re.search(rf"^GET /v1/systems/shop 503 \d+ ms {request_id}$", run.output, re.MULTILINE)
    assert re.search(rf"ERROR request .*request_id={request_id}", run.output)


def test_the_page_explains_every_field() -> None:
    assert re.findall(r"^\| `(\w+)` \|", text(PAGE), re.MULTILINE) == list(FIELDS)
