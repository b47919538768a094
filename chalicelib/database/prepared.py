"""Statements that PostgreSQL plans once for a connection, because planning them takes longer than running them."""

import re
from collections.abc import Iterable, Mapping
from hashlib import blake2b
from typing import Any
from weakref import WeakKeyDictionary

from psycopg2.extensions import connection as Connection  # noqa: N812 (psycopg2 writes this class in lower case)
from psycopg2.extensions import cursor as Cursor  # noqa: N812

_PARAMETER = re.compile(r"%\((\w+)\)s")


class Prepared(str):
    """SQL that is prepared with its first use on a connection.

    PostgreSQL infers the types of the parameters: cast a parameter whose first use does not show its type. The plan is
    made without the values, so do not use this for optional filters.
    """

    name: str
    definition: str
    parameters: tuple[str, ...]

    def __new__(cls, sql: str) -> "Prepared":
        made = super().__new__(cls, sql)
        made.parameters = tuple(dict.fromkeys(_PARAMETER.findall(sql)))
        numbered = _PARAMETER.sub(lambda found: f"${made.parameters.index(found[1]) + 1}", sql)
        made.name = f"p{blake2b(sql.encode(), digest_size=8).hexdigest()}"
        made.definition = f"PREPARE {made.name} AS {numbered.strip()}"
        return made

    def execution(self, cursor: Cursor, values: Mapping[str, Any]) -> str:
        """Return the statement that executes this one with values."""
        places = ", ".join(["%s"] * len(self.parameters))
        filled: bytes = cursor.mogrify(f"EXECUTE {self.name} ({places})", [values[name] for name in self.parameters])
        return filled.decode()


# The names of the statements that are prepared on each connection. None if that is not known, after an error.
_PREPARED: WeakKeyDictionary[Connection, set[str] | None] = WeakKeyDictionary()


def preparation(connection: Connection, used: Iterable[Prepared]) -> list[str]:
    """Return the statements that prepare the used ones on a connection, as far as they are not prepared yet."""
    known = _PREPARED.get(connection, set())
    missing = [each.definition for each in used if known is None or each.name not in known]
    return ["DEALLOCATE ALL", *missing] if known is None and missing else missing


def are_prepared(connection: Connection, used: Iterable[Prepared], *, succeeded: bool) -> None:
    """Remember that the used statements are prepared, or that this is unknown because the message failed."""
    known = _PREPARED.get(connection, set()) or set()
    _PREPARED[connection] = known | {each.name for each in used} if succeeded else None
