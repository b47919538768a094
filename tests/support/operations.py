"""Addresses and error messages for tests of all operations.

Some tests read a table, and skip operations that the table does not have. For each table, one test fails if an entry is
missing, and prints the line to add.
"""

import json
import re
from collections.abc import Collection, Iterable, Mapping
from functools import cache
from typing import Any

import msgspec
import pytest
from jsonschema_rs import Draft202012Validator

import app  # noqa: F401 (declares the operations)
from chalicelib.rest.declaration import Operation
from chalicelib.rest.operation import OPERATIONS as DECLARED
from chalicelib.rest.types import PageQuery
from tests.support.resources import PARAMETERS, SERVICE_TESTS
from tests.support.schemas import validator
from tools.checks.openapi.document import document

# Leave out operations that other tests declare.
OPERATIONS = [each for each in DECLARED if each.function.__module__.startswith("chalicelib.")]
READS = [each for each in OPERATIONS if not each.writes]
LISTS = [each for each in OPERATIONS if each.query is not None and issubclass(each.query, PageQuery)]
DOCUMENT = document(OPERATIONS)

_PARAMETER = re.compile(r"\{(\w+)\}")


def route_of(operation: Operation) -> str:
    return f"{operation.method} {operation.path}"


def fits(value: Any, schema: Mapping[str, Any]) -> bool:
    """True if the value fits a schema of the document."""
    return _validator(json.dumps(schema)).is_valid(value)


@cache
def _validator(schema: str) -> Draft202012Validator:
    return validator(json.loads(schema), DOCUMENT)


def of(operations: Iterable[Operation]) -> pytest.MarkDecorator:
    """Run a test for each of these operations."""
    return pytest.mark.parametrize("operation", operations, ids=route_of)


def address(operation: Operation, system: str = "azul") -> str:
    """Return an address of the operation: its path and its required parameters.

    The address names resources that `given.two_of_everything()` makes.
    """
    there = {**PARAMETERS, "system": system}
    fields = msgspec.structs.fields(operation.query) if operation.query else ()
    required = [field.encode_name for field in fields if field.required]
    lines = [f'"{name}": "…",' for name in (*_PARAMETER.findall(operation.path), *required) if name not in there]
    if lines:
        place = entry("parameters", [operation])
        pytest.fail(f"Add to {place}, with values of a row that `two` makes:\n" + "\n".join(lines), pytrace=False)
    query = [f"{name}={there[name]}" for name in required]
    path = operation.path.format_map(there)
    return f"{path}?{'&'.join(query)}" if query else path


def example(operation: Operation) -> Any:
    """Return the operation's example body in the OpenAPI document; None if the operation takes no body."""
    described = DOCUMENT["paths"][operation.path][operation.method.lower()].get("requestBody")
    return described and described["content"]["application/json"]["example"]


def entry(field: str, operations: Iterable[Operation] = ()) -> str:
    """Return the place of a field of EXPECTED. Name the package if the operations are all of one."""
    packages = {each.function.__module__.split(".")[1] for each in operations}
    package = packages.pop() if len(packages) == 1 else "<package>"
    file = SERVICE_TESTS / package / f"test_{package}.py"
    what = field if field == "EXPECTED" else f"`{field}` of EXPECTED"
    how = "" if package == "<package>" or file.exists() else " (write this file; systems/test_systems.py is an example)"
    return f"{what} in tests/service/{package}/{file.name}{how}"


def require_entries(table: str, present: Collection[str], lines: Mapping[str, str], note: str = "") -> None:
    """Fail unless a table has exactly the keys of `lines`; print the lines to add and the keys to remove."""
    missing = dict.fromkeys(line for name, line in lines.items() if name not in present)
    gone = [name for name in present if name not in lines]
    told = [f"Add to {table}{note}:\n" + "\n".join(missing)] if missing else []
    told += [f"Remove from {table}: {', '.join(gone)}"] if gone else []
    if told:
        pytest.fail("\n".join(told), pytrace=False)
