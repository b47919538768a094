"""What tests that walk all operations share: addresses where something is, and how they ask for an entry they lack.

A test that walks a table leaves out what has no entry there, and one test of the table fails instead, with the line to
add: whoever adds an operation is told once.
"""

from collections.abc import Collection, Iterable, Mapping
from typing import Any

import msgspec
import pytest

import app  # noqa: F401 (declares the operations)
from chalicelib.rest.declaration import Operation
from chalicelib.rest.operation import OPERATIONS as DECLARED
from chalicelib.rest.types import PageQuery
from tests.support.given import an_artifact
from tools.checks.openapi.document import document

# Not those that other tests declare.
OPERATIONS = [each for each in DECLARED if each.function.__module__.startswith("chalicelib.")]
READS = [each for each in OPERATIONS if not each.writes]
LISTS = [each for each in OPERATIONS if each.query is not None and issubclass(each.query, PageQuery)]
DOCUMENT = document(OPERATIONS)

# What `given.two_of_everything()` made first: whatever has an id counts from 1 in a test's own database.
THERE = {"system": "azul", "environment": "development", "artifact": an_artifact(), "client": "jane", "id": "1"}


def route_of(operation: Operation) -> str:
    return f"{operation.method} {operation.path}"


def of(operations: Iterable[Operation]) -> pytest.MarkDecorator:
    """Run a test for each of these operations."""
    return pytest.mark.parametrize("operation", operations, ids=route_of)


def address(operation: Operation, system: str = "azul") -> str:
    """Where `given.two_of_everything()` made what the operation asks for, with the parameters that it must have."""
    there = {**THERE, "system": system}
    fields = msgspec.structs.fields(operation.query) if operation.query else ()
    query = [f"{field.encode_name}={there[field.encode_name]}" for field in fields if field.required]
    path = operation.path.format_map(there)
    return f"{path}?{'&'.join(query)}" if query else path


def example(operation: Operation) -> Any:
    """The body that the OpenAPI document shows, or None if the operation takes none."""
    described = DOCUMENT["paths"][operation.path][operation.method.lower()].get("requestBody")
    return described and described["content"]["application/json"]["example"]


def require_entries(table: str, present: Collection[str], lines: Mapping[str, str], note: str = "") -> None:
    """Fail unless a table has an entry for each key of `lines` and no other: name the lines to add, those to remove."""
    missing = dict.fromkeys(line for name, line in lines.items() if name not in present)
    gone = [name for name in present if name not in lines]
    told = [f"Add to {table}{note}:\n" + "\n".join(missing)] if missing else []
    told += [f"Remove from {table}: {', '.join(gone)}"] if gone else []
    if told:
        pytest.fail("\n".join(told), pytrace=False)
