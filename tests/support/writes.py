"""Every write of the API, from EXPECTED of each package, for the tests of all writes."""

from typing import Any

from chalicelib.rest.declaration import Operation
from tests.support.api import Answer, Api
from tests.support.expected import Write
from tests.support.given import Records as Given
from tests.support.operations import OPERATIONS, example, require_entries, route_of
from tests.support.resources import RESOURCES

WRITES = {operation: write for each in RESOURCES.values() for operation, write in each.writes.items()}
WRITING = [each for each in OPERATIONS if each.writes]
POSTS = [route for route in WRITES if route.startswith("POST ")]
CHANGES = [route for route in WRITES if route.startswith(("PATCH ", "DELETE "))]


def require_all() -> None:
    """Fail unless the table has every operation that writes; print the code to add."""
    lines = {route_of(each): f'        "{route_of(each)}": _{each.name},' for each in WRITING}
    functions = [_function(each) for each in WRITING if route_of(each) not in WRITES]
    steps = ["First add these functions, with values that the service accepts:", *functions, "Then add these lines"]
    note = ".\n" + "\n".join(steps)
    require_entries("`writes` of EXPECTED in tests/service/<package>/test_<package>.py", WRITES, lines, note)


def _function(operation: Operation) -> str:
    path = operation.path.replace("{system}", "azul")
    collection = path.rpartition("/")[0]
    resource = path.removeprefix("/v1/").removeprefix("systems/")
    body = example(operation)
    lines = [f"def _{operation.name}(given):", "    given.a_system_with_an_environment()"]
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


def new_events(given: Given, before: dict[str, list[str]]) -> list[tuple[Any, ...]]:
    """Return the audit events that are not in `before`, and require that nothing else has changed."""
    after = everything(given)
    assert set(before["audit_events"]) <= set(after["audit_events"])
    assert {**after, "audit_events": None} == {**before, "audit_events": None}
    return given.sql(
        """
        SELECT principal, action, resource, before, after, refusal, request_id FROM audit_events
        ORDER BY id OFFSET %s
        """,
        len(before["audit_events"]),
    )
