"""The records, values and rules that random requests need, by package. Each module has the name of its package.

A module has the constant FUZZ. Without a module, requests to the package's operations have only random values.
"""

import importlib
import pkgutil
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from graphlib import TopologicalSorter
from typing import Any, NamedTuple


class Record(NamedTuple):
    """A request that creates a record."""

    path: str
    body: Mapping[str, Any]
    method: str = "POST"


class Values(NamedTuple):
    """Values for a parameter, and the share of requests that use them. Other requests use random values."""

    values: tuple[str, ...]
    probability: float


def always(*values: str) -> Values:
    return Values(values, 1.0)


def often(*values: str) -> Values:
    return Values(values, 0.8)


def sometimes(*values: str) -> Values:
    return Values(values, 0.5)


def ahead(*, days: int) -> str:
    """Return a time in the future."""
    return (datetime.now(UTC) + timedelta(days=days)).isoformat()


class Fuzz(NamedTuple):
    """The constant FUZZ of a module."""

    # The packages whose records must exist first.
    after: tuple[str, ...] = ()
    # The records that requests can find, in order. The first row of a table gets the id 1.
    records: tuple[Record, ...] = ()
    # Values that exist, by parameter of all operations: `path.environment`, `query.client`, `body.artifact`.
    values: Mapping[str, Values] = {}
    # Values for one operation, by its name and then by parameter. They replace those in `values`.
    only: Mapping[str, Mapping[str, Values]] = {}
    # Why the service may refuse requests that fit the OpenAPI document, by slug of the problem.
    problems: Mapping[str, str] = {}
    # The same for the problem `invalid`: the name of an operation, and a pattern of places in its requests.
    rules: Mapping[tuple[str, str], str] = {}
    # Operations that may answer after a deletion, with the reason.
    survivors: Mapping[str, str] = {}


# Values, problems and rules that all packages share.
GENERAL = Fuzz(
    values={
        # The modules create at least three records of each kind that requests may not delete.
        "path.id": often("1", "2", "3"),
        "header.If-Match": sometimes("*"),
    },
    problems={
        "cursor-unusable": "a cursor must come from the same list with the same filters",
        "idempotency-key-reused": "the Idempotency-Key was used with another body before",
        "precondition-failed": "If-Match must be the current ETag",
    },
    rules={("list_.+", "#/(from|to)"): "the time in UTC must be in the years 1 to 9999"},
)


def packages() -> dict[str, Fuzz]:
    """Return FUZZ of each module, by package. A package comes after those that it names in `after`."""
    names = [module.name for module in pkgutil.iter_modules(__path__)]
    found: dict[str, Fuzz] = {name: importlib.import_module(f"{__name__}.{name}").FUZZ for name in names}
    order = TopologicalSorter({name: each.after for name, each in found.items()}).static_order()
    return {name: found[name] for name in order if name in found}


def every() -> Iterator[Fuzz]:
    """Yield GENERAL, then FUZZ of each package."""
    yield GENERAL
    yield from packages().values()
