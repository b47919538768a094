"""A package's entries in the tests that walk all resources."""

from collections.abc import Callable, Collection, Mapping
from typing import Any, NamedTuple

from chalicelib.identity.roles import Role

WHOLE = "the whole table"


class Write(NamedTuple):
    """A write. `other_body` is another valid body. `{id}` in `resource` stands for the id of the new resource."""

    path: str
    resource: str
    body: Any = None
    other_body: Any = None


class Expected(NamedTuple):
    """The constant EXPECTED of tests/service/<package>/test_<package>.py.

    Roles and rights are repeated here by hand, so that none changes by mistake. A missing entry fails one test, which
    prints the lines to add.
    """

    # The lowest role that may call each operation, or "public".
    roles: Mapping[str, Role | str] = {}
    # The rights of the service's database role to each table: to the whole table, or to the named columns. For INSERT,
    # name the columns without the right: `all but id`.
    rights: Mapping[str, Mapping[str, str]] = {}
    # Tables of records whose rows change while they are open, each with the SQL condition that a row is open.
    open_records: Mapping[str, str] = {}
    # The functions of the schema that act with their owner's rights.
    owners_functions: Collection[str] = ()
    # The functions of the schema that the service may call. It calls no other function of the schema.
    granted_functions: Collection[str] = ()
    # The constraints that no request can violate, with the reason.
    out_of_reach: Mapping[str, str] = {}
    # The columns that may take every value of their type, with the reason.
    harmless: Mapping[str, str] = {}
    # For each operation that writes, a function that makes the records that the write needs and returns the write.
    writes: Mapping[str, Callable[[Any], Write]] = {}
    # Makes two rows in each list of a system, and in each table of records.
    two: Callable[[Any, str], object] = lambda given, system: None
    # Path parameters that name the first row of `two`. An `id` is 1.
    parameters: Mapping[str, str] = {}
