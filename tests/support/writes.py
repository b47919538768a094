"""Every write that the API has: what comes before it, how it is asked for, what it leaves behind.

Tests of what holds for all writes walk this table. A new operation needs an entry here: `tests/service/test_audit.py`
says which one is missing.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

from chalicelib.rest.operation import OPERATIONS
from tests.support.api import Answer, Api
from tests.support.given import A_PUBLISHER, Given, ahead, an_artifact


class Write(NamedTuple):
    """`other_body` asks for something else at the same address. `resource` may name the `{id}` of what was made."""

    path: str
    action: str
    resource: str
    body: Any = None
    other_body: Any = None


def _creates_a_system(given: Given) -> Write:
    body = {"key": "azul", "name": "Azul", "description": "Metadata"}
    return Write("/v1/systems", "system.create", "azul", body, {**body, "name": "Blue"})


def _changes_a_system(given: Given) -> Write:
    given.a_system()
    return Write("/v1/systems/azul", "system.change", "azul", {"name": "Blue"})


def _deletes_a_system(given: Given) -> Write:
    given.a_system()
    return Write("/v1/systems/azul", "system.delete", "azul")


def _creates_an_environment(given: Given) -> Write:
    given.a_system()
    body = {"name": "development", "rank": 1}
    return Write(
        "/v1/systems/azul/environments",
        "environment.create",
        "azul/development",
        body,
        {**body, "name": "preproduction"},
    )


def _changes_an_environment(given: Given) -> Write:
    _an_environment(given)
    return Write(
        "/v1/systems/azul/environments/development",
        "environment.change",
        "azul/development",
        {"required_soak_seconds": 60},
    )


def _deletes_an_environment(given: Given) -> Write:
    _an_environment(given)
    return Write("/v1/systems/azul/environments/development", "environment.delete", "azul/development")


def _opens_a_deployment(given: Given) -> Write:
    _an_environment(given)
    body = {"environment": "development", "artifact": an_artifact()}
    return Write(
        "/v1/systems/azul/deployments",
        "deployment.open",
        "azul/deployments/{id}",
        body,
        {**body, "artifact": an_artifact("other")},
    )


def _adds_a_status(given: Given) -> Write:
    _an_environment(given)
    deployment = given.a_deployment(state="in_progress")["id"]
    return Write(
        f"/v1/systems/azul/deployments/{deployment}/statuses",
        "status.add",
        f"azul/deployments/{deployment}",
        {"state": "succeeded"},
        {"state": "failed"},
    )


def _records_a_verification(given: Given) -> Write:
    _an_environment(given)
    given.a_deployment()
    body = {"environment": "development", "suite": "acceptance", "trigger": "manual", "outcome": "success"}
    return Write(
        "/v1/systems/azul/verifications",
        "verification.record",
        "azul/verifications/{id}",
        body,
        {**body, "outcome": "failure"},
    )


def _decides_a_promotion(given: Given) -> Write:
    _an_environment(given)
    body = {"environment": "development", "artifact": an_artifact()}
    return Write(
        "/v1/systems/azul/promotions",
        "promotion.decide",
        "azul/promotions/{id}",
        body,
        {**body, "artifact": an_artifact("other")},
    )


def _creates_a_publisher(given: Given) -> Write:
    _an_environment(given)
    return Write(
        "/v1/systems/azul/publishers",
        "publisher.create",
        "azul/publishers/{id}",
        A_PUBLISHER,
        {**A_PUBLISHER, "ref": "refs/heads/*"},
    )


def _deletes_a_publisher(given: Given) -> Write:
    _an_environment(given)
    publisher = given.a_publisher()["id"]
    return Write(f"/v1/systems/azul/publishers/{publisher}", "publisher.delete", f"azul/publishers/{publisher}")


def _creates_a_workspace(given: Given) -> Write:
    _an_environment(given)
    body = {
        "environment": "development",
        "name": "jane",
        "purpose": "personal",
        "reason": "To try something",
        "expires_at": ahead(days=1),
    }
    return Write(
        "/v1/systems/azul/workspaces",
        "workspace.create",
        "azul/workspaces/{id}",
        body,
        {**body, "name": "joe"},
    )


def _changes_a_workspace(given: Given) -> Write:
    workspace = _a_workspace(given)
    return Write(
        f"/v1/systems/azul/workspaces/{workspace}",
        "workspace.change",
        f"azul/workspaces/{workspace}",
        {"base_url": "https://debug.example.org"},
    )


def _destroys_a_workspace(given: Given) -> Write:
    workspace = _a_workspace(given)
    return Write(f"/v1/systems/azul/workspaces/{workspace}", "workspace.destroy", f"azul/workspaces/{workspace}")


def _sets_a_route(given: Given) -> Write:
    workspace = _a_workspace(given)
    return Write(
        f"/v1/systems/azul/workspaces/{workspace}/routes/jane",
        "route.set",
        f"azul/workspaces/{workspace}/routes/jane",
        {"until": ahead(hours=1)},
    )


def _deletes_a_route(given: Given) -> Write:
    workspace = _a_workspace(given)
    given.a_route(workspace, "jane")
    return Write(
        f"/v1/systems/azul/workspaces/{workspace}/routes/jane",
        "route.delete",
        f"azul/workspaces/{workspace}/routes/jane",
    )


def _a_workspace(given: Given) -> str:
    _an_environment(given)
    return str(given.a_workspace()["id"])


def _an_environment(given: Given) -> None:
    given.a_system()
    given.an_environment()


WRITES: dict[str, Callable[[Given], Write]] = {
    "POST /v1/systems": _creates_a_system,
    "PATCH /v1/systems/{system}": _changes_a_system,
    "DELETE /v1/systems/{system}": _deletes_a_system,
    "POST /v1/systems/{system}/environments": _creates_an_environment,
    "PATCH /v1/systems/{system}/environments/{environment}": _changes_an_environment,
    "DELETE /v1/systems/{system}/environments/{environment}": _deletes_an_environment,
    "POST /v1/systems/{system}/publishers": _creates_a_publisher,
    "DELETE /v1/systems/{system}/publishers/{id}": _deletes_a_publisher,
    "POST /v1/systems/{system}/workspaces": _creates_a_workspace,
    "PATCH /v1/systems/{system}/workspaces/{id}": _changes_a_workspace,
    "DELETE /v1/systems/{system}/workspaces/{id}": _destroys_a_workspace,
    "PUT /v1/systems/{system}/workspaces/{id}/routes/{client}": _sets_a_route,
    "DELETE /v1/systems/{system}/workspaces/{id}/routes/{client}": _deletes_a_route,
    "POST /v1/systems/{system}/deployments": _opens_a_deployment,
    "POST /v1/systems/{system}/deployments/{id}/statuses": _adds_a_status,
    "POST /v1/systems/{system}/verifications": _records_a_verification,
    "POST /v1/systems/{system}/promotions": _decides_a_promotion,
}
POSTS = [route for route in WRITES if route.startswith("POST ")]
CHANGES = [route for route in WRITES if route.startswith(("PATCH ", "DELETE "))]


def declared_writes() -> set[str]:
    """The routes of all declared operations that write."""
    return {f"{each.method} {each.path}" for each in OPERATIONS if each.writes}


def send(api: Api, route: str, write: Write, **headers: str) -> Answer:
    """Ask for a write; where it has to be conditional, on whatever is there."""
    method = route.partition(" ")[0]
    if method in ("PATCH", "DELETE"):
        headers = {"if_match": "*", **headers}
    return api.send(method, write.path, write.body, headers)


def everything(given: Given) -> dict[str, list[str]]:
    """All that is in the database, table by table."""
    tables = [name for (name,) in given.sql("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")]
    rows = given.sql(
        " UNION ALL ".join(f"SELECT '{table}', to_jsonb(each)::text FROM {table} AS each" for table in tables)
    )
    return {table: sorted(row for of, row in rows if of == table) for table in tables}


def everything_done(given: Given) -> dict[str, list[str]]:
    """All that is in the database, but for the events of what was refused."""
    found = everything(given)
    return {**found, "audit_events": [event for event in found["audit_events"] if '"refusal": null' in event]}
