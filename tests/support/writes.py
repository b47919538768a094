"""Every write of the API, from EXPECTED of each package, for the tests of all writes."""

from collections.abc import Collection
from typing import Any

import pytest

from chalicelib.rest.declaration import Operation
from tests.support.api import Answer, Api
from tests.support.expected import Write
from tests.support.given import Given
from tests.support.operations import OPERATIONS, READS, entry, example, require_entries, route_of
from tests.support.resources import RESOURCES

WRITES = {operation: write for each in RESOURCES.values() for operation, write in each.writes.items()}
WRITING = [each for each in OPERATIONS if each.writes]
POSTS = [route for route in WRITES if route.startswith("POST ")]
CONDITIONAL = {route_of(each) for each in WRITING if each.conditional}
CHANGES = [route for route in WRITES if route in CONDITIONAL]


def require_all() -> None:
    """Fail unless the table has every operation that writes; print the code to add."""
    missing = [each for each in WRITING if route_of(each) not in WRITES]
    lines = {route_of(each): f'        "{route_of(each)}": _{each.name},' for each in WRITING}
    functions = [_function(each) for each in missing]
    steps = ["First add these functions, with values that the service accepts:", *functions, "Then add these lines"]
    require_entries(entry("writes", missing), WRITES, lines, ".\n" + "\n".join(steps))


def require_two(found: Collection[str]) -> None:
    """Fail unless `two_of_everything` made what the reads of all paths need; print the function to add."""
    missing = [each for each in READS if each.path not in found]
    posts = {each.path: each for each in WRITING if each.method == "POST"}
    lines = []
    for each in missing:
        post = posts.get(each.path) or posts.get(each.path.rpartition("/")[0])
        lines.append(_post(post) if post else f"a record that {route_of(each)} reads")
    if missing:
        made = "\n        ".join(dict.fromkeys(lines))
        pytest.fail(
            f"Add `two=_two` to {entry('EXPECTED', missing)}, with a function that makes two of each:\n"
            f'def _two(given, system):\n    for name in ("first", "second"):\n        {made}',
            pytrace=False,
        )


def _post(operation: Operation) -> str:
    body = example(operation) or {}
    fields = [f'"{name}": ' + ("name" if name == _first_text(body) else repr(body[name])) for name in body]
    return f'given.post(f"{operation.path}", {{{", ".join(fields)}}})'


def _function(operation: Operation) -> str:
    noun = operation.name.partition("_")[2]
    collection, _, last = operation.path.replace("{system}", "azul").rpartition("/")
    body = example(operation)
    lines = [f"def _{operation.name}(given):", "    given.a_system_with_an_environment()"]
    if operation.method == "POST":
        path = f"{collection}/{last}"
        key = "{id}" if hasattr(operation.answer, "id") or not body else next(iter(body.values()))
        arguments = [f'"{path}"', f'"{_resource(path)}/{key}"']
        if body:
            lines.append(f"    body = {body}")
            arguments += ["body", f'{{**body, "{_first_text(body)}": "another"}}']
    else:
        made = [example(each) for each in WRITING if route_of(each) == f"POST {operation.path.rpartition('/')[0]}"]
        key = "id" if last == "{id}" else "name"
        lines += [f'    {noun} = given.post("{collection}", {each})["{key}"]' for each in made]
        path = f"{collection}/{{{noun}}}" if made else f"{collection}/{last}"
        arguments = [f'f"{path}"', f'f"{_resource(path)}"']
        if body:
            arguments.append(str({**body, _first_text(body): "another"}))
    return "\n".join([*lines, f"    return Write({', '.join(arguments)})\n"])


def _resource(path: str) -> str:
    """Return the name of a resource in the audit trail."""
    return path.removeprefix("/v1/").removeprefix("systems/")


def _first_text(body: dict[str, Any]) -> str:
    """Return the name of the first field that holds a text, or of the first field."""
    return next((name for name, value in body.items() if isinstance(value, str)), next(iter(body)))


def send(api: Api, route: str, write: Write, **headers: str) -> Answer:
    """Send a write; return the answer. A conditional one has `If-Match: *` by default."""
    method = route.partition(" ")[0]
    if route in CONDITIONAL:
        headers = {"if_match": "*", **headers}
    return api.send(method, write.path, write.body, headers)


def everything(given: Given) -> dict[str, list[str]]:
    """Return all rows of the database, by table, without the counts of writes."""
    tables = [
        name
        for (name,) in given.sql(
            "SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'hourly_writes'"
        )
    ]
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
