"""A table of all writes of the API: the records that a write needs, its request, and the resource that it changes.

Tests of all writes read this table. tests/service/test_audit.py shows missing entries.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

from chalicelib.rest.declaration import Operation
from tests.support.api import Answer, Api
from tests.support.given import A_PUBLISHER, Given, ahead, an_artifact
from tests.support.operations import OPERATIONS, example, require_entries, route_of


class Write(NamedTuple):
    """A write of the API. `other_body` is another valid body. `{id}` in `resource` stands for the new resource's id."""

    path: str
    resource: str
    body: Any = None
    other_body: Any = None


def _creates_a_system(given: Given) -> Write:
    body = {"key": "azul", "name": "Azul", "description": "Metadata"}
    return Write("/v1/systems", "azul", body, {**body, "name": "Blue"})


def _changes_a_system(given: Given) -> Write:
    given.a_system()
    return Write("/v1/systems/azul", "azul", {"name": "Blue"})


def _deletes_a_system(given: Given) -> Write:
    given.a_system()
    return Write("/v1/systems/azul", "azul")


def _creates_an_environment(given: Given) -> Write:
    given.a_system()
    body = {"name": "development", "rank": 1}
    return Write(
        "/v1/systems/azul/environments",
        "azul/development",
        body,
        {**body, "name": "preproduction"},
    )


def _changes_an_environment(given: Given) -> Write:
    _an_environment(given)
    return Write(
        "/v1/systems/azul/environments/development",
        "azul/development",
        {"required_soak_seconds": 60},
    )


def _deletes_an_environment(given: Given) -> Write:
    _an_environment(given)
    return Write("/v1/systems/azul/environments/development", "azul/development")


def _opens_a_deployment(given: Given) -> Write:
    _an_environment(given)
    body = {"environment": "development", "artifact": an_artifact()}
    return Write(
        "/v1/systems/azul/deployments",
        "azul/deployments/{id}",
        body,
        {**body, "artifact": an_artifact("other")},
    )


def _adds_a_status(given: Given) -> Write:
    _an_environment(given)
    deployment = given.a_deployment(state="in_progress")["id"]
    return Write(
        f"/v1/systems/azul/deployments/{deployment}/statuses",
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
        "azul/verifications/{id}",
        body,
        {**body, "outcome": "failure"},
    )


def _decides_a_promotion(given: Given) -> Write:
    _an_environment(given)
    body = {"environment": "development", "artifact": an_artifact()}
    return Write(
        "/v1/systems/azul/promotions",
        "azul/promotions/{id}",
        body,
        {**body, "artifact": an_artifact("other")},
    )


def _creates_a_publisher(given: Given) -> Write:
    _an_environment(given)
    return Write(
        "/v1/systems/azul/publishers",
        "azul/publishers/{id}",
        A_PUBLISHER,
        {**A_PUBLISHER, "ref": "refs/heads/*"},
    )


def _deletes_a_publisher(given: Given) -> Write:
    _an_environment(given)
    publisher = given.a_publisher()["id"]
    return Write(f"/v1/systems/azul/publishers/{publisher}", f"azul/publishers/{publisher}")


def _creates_a_workspace(given: Given) -> Write:
    _an_environment(given)
    body = {
        "environment": "development",
        "name": "jane",
        "purpose": "personal",
        "reason": "To try an index",
        "expires_at": ahead(days=1),
    }
    return Write(
        "/v1/systems/azul/workspaces",
        "azul/workspaces/{id}",
        body,
        {**body, "name": "joe"},
    )


def _changes_a_workspace(given: Given) -> Write:
    workspace = _a_workspace(given)
    return Write(
        f"/v1/systems/azul/workspaces/{workspace}",
        f"azul/workspaces/{workspace}",
        {"base_url": "https://debug.example.org"},
    )


def _destroys_a_workspace(given: Given) -> Write:
    workspace = _a_workspace(given)
    return Write(f"/v1/systems/azul/workspaces/{workspace}", f"azul/workspaces/{workspace}")


def _sets_a_route(given: Given) -> Write:
    workspace = _a_workspace(given)
    return Write(
        f"/v1/systems/azul/workspaces/{workspace}/routes/jane",
        f"azul/workspaces/{workspace}/routes/jane",
        {"until": ahead(hours=1)},
    )


def _deletes_a_route(given: Given) -> Write:
    workspace = _a_workspace(given)
    given.a_route(workspace, "jane")
    return Write(
        f"/v1/systems/azul/workspaces/{workspace}/routes/jane",
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
WRITING = [each for each in OPERATIONS if each.writes]
POSTS = [route for route in WRITES if route.startswith("POST ")]
CHANGES = [route for route in WRITES if route.startswith(("PATCH ", "DELETE "))]


def require_all() -> None:
    """Fail unless the table has every operation that writes; print the code to add."""
    lines = {route_of(each): f'    "{route_of(each)}": _{each.name},' for each in WRITING}
    functions = [_function(each) for each in WRITING if route_of(each) not in WRITES]
    steps = ["First add these functions, with values that the service accepts:", *functions, "Then add these lines"]
    note = ".\n" + "\n".join(steps)
    require_entries("WRITES in tests/support/writes.py", WRITES, lines, note)


def _function(operation: Operation) -> str:
    path = operation.path.replace("{system}", "azul")
    collection = path.rpartition("/")[0]
    resource = path.removeprefix("/v1/").removeprefix("systems/")
    body = example(operation)
    lines = [f"def _{operation.name}(given: Given) -> Write:", "    _an_environment(given)"]
    if operation.method == "POST":
        lines.append(f"    body = {body}")
        arguments = f'"{path}", "{resource}/{{id}}", body, {{**body, "{next(iter(body))}": "another"}}'
    else:
        made = [example(each) for each in WRITING if route_of(each) == f"POST {operation.path.rpartition('/')[0]}"]
        lines += [f'    id = given.post("{collection}", {each})["id"]' for each in made]
        arguments = f'f"{path}", f"{resource}"' + (f", {body}" if body else "")
    return "\n".join([*lines, f"    return Write({arguments})\n"])


def send(api: Api, route: str, write: Write, **headers: str) -> Answer:
    """Send a write; return the answer. A PATCH or DELETE has `If-Match: *` by default."""
    method = route.partition(" ")[0]
    if method in ("PATCH", "DELETE"):
        headers = {"if_match": "*", **headers}
    return api.send(method, write.path, write.body, headers)


def everything(given: Given) -> dict[str, list[str]]:
    """Return all rows of the database, by table."""
    tables = [name for (name,) in given.sql("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")]
    rows = given.sql(
        " UNION ALL ".join(f"SELECT '{table}', to_jsonb(each)::text FROM {table} AS each" for table in tables)
    )
    return {table: sorted(row for of, row in rows if of == table) for table in tables}


def everything_done(given: Given) -> dict[str, list[str]]:
    """Return all rows of the database, by table, without audit events of refused requests."""
    found = everything(given)
    return {**found, "audit_events": [event for event in found["audit_events"] if '"refusal": null' in event]}
