"""Find the systems to sweep, in PostgreSQL. The packages of the resources do the sweeping."""

from collections.abc import Sequence

from chalicelib.database.connection import Database


def systems_due(db: Database, selects: Sequence[str]) -> list[str]:
    """Return the keys of the systems that at least one of the SELECT statements finds. Each statement selects ids."""
    if not selects:
        return []
    ids = " UNION ALL ".join(f"({select})" for select in selects)
    keys: list[str] = db.value(f"SELECT coalesce(array_agg(key ORDER BY key), '{{}}') FROM systems WHERE id IN ({ids})")
    return keys
