"""Bindings in PostgreSQL."""

from collections.abc import Iterable
from typing import Any

import msgspec

from chalicelib.bindings.model import (
    MOST_SHOWN,
    Binding,
    Bindings,
    CrosstalkQuery,
    Instance,
    OtherBinding,
    UsedInstance,
)
from chalicelib.database.connection import Database
from chalicelib.environments.store import not_found
from chalicelib.rest.paging import Keyset

ORDER = Keyset(instance=Instance)

# True if the caller may read the system `s`.
_READABLE = "(%(only)s IS NULL OR s.key = ANY (%(only)s::text[]))"


def _used(which: str) -> str:
    """Return SQL for the used instances `i` for which `which` is true. It is a condition on the rows `b` of bindings.

    A system that the caller may not read has no name here. Such rows come last, in an order that tells nothing.
    """
    return f"""
        SELECT i.instance, i.crosstalk, shown.bindings, i.uses > {MOST_SHOWN} AS more_bindings
        FROM (
            SELECT b.instance, count(*) AS uses,
                count(DISTINCT b.environment_id) > 1 AND bool_or(b.access = 'read_write') AS crosstalk
            FROM bindings b WHERE {which} GROUP BY b.instance
        ) AS i CROSS JOIN LATERAL (
            SELECT json_agg(to_json(one)) AS bindings FROM (
                SELECT CASE WHEN {_READABLE} THEN s.key END AS system,
                    CASE WHEN {_READABLE} THEN e.name END AS environment,
                    CASE WHEN {_READABLE} THEN u.dependency END AS dependency, u.access, u.exclusive
                FROM bindings u JOIN environments e ON e.id = u.environment_id JOIN systems s ON s.id = u.system_id
                WHERE u.instance = i.instance
                ORDER BY {_READABLE} DESC, CASE WHEN {_READABLE} THEN s.key END,
                    CASE WHEN {_READABLE} THEN e.rank END, CASE WHEN {_READABLE} THEN u.dependency END,
                    u.access, u.exclusive
                LIMIT {MOST_SHOWN}
            ) AS one
        ) AS shown
    """


_OF_ENVIRONMENT = "b.instance IN (SELECT instance FROM bindings WHERE environment_id = e.id)"
_OF_SYSTEM = """
    b.instance IN (
        SELECT o.instance FROM bindings o JOIN systems s ON s.id = o.system_id
        WHERE s.key = %(system)s AND (%(after)s IS NULL OR o.instance > %(after)s)
    )
"""
_OF_READABLE_SYSTEMS = f"""
    (%(after)s IS NULL OR b.instance > %(after)s) AND (%(only)s IS NULL OR b.instance IN (
        SELECT o.instance FROM bindings o JOIN systems s ON s.id = o.system_id WHERE {_READABLE}
    ))
"""


def get(db: Database, system: str, environment: str, only: list[str] | None) -> Bindings:
    """Return the bindings of an environment, or raise problem 404. `only` has the systems that the caller may read."""
    row = db.row(
        f"""
        SELECT s.key AS system, e.name AS environment,
            (
                SELECT coalesce(json_agg(own ORDER BY own.dependency), '[]') FROM (
                    SELECT dependency, instance, access, exclusive FROM bindings WHERE environment_id = e.id
                ) AS own
            ) AS bindings,
            (
                SELECT coalesce(json_agg(used ORDER BY used.instance), '[]') FROM ({_used(_OF_ENVIRONMENT)}) AS used
                WHERE used.crosstalk
            ) AS crosstalk
        FROM systems s JOIN environments e ON e.system_id = s.id
        WHERE s.key = %(system)s AND e.name = %(environment)s
        """,
        system=system,
        environment=environment,
        only=only,
    )
    if row is None:
        raise not_found(system, environment)
    return msgspec.convert(row, Bindings)


def lock(db: Database, bindings: Iterable[Binding]) -> None:
    """Let one request at a time bind an environment to these instances. Lock the system first.

    All requests take these locks in one order, so no two requests wait for each other.
    """
    for instance in sorted({binding.instance for binding in bindings}):
        db.lock(f"instance {instance}")


def others(
    db: Database, system: str, environment: str, bindings: Iterable[Binding], only: list[str] | None
) -> list[OtherBinding]:
    """Return how other environments use the instances of bindings: for each kind of use, one environment.

    If there is one that the caller may read, it is that one. Lock the instances first.
    """
    return db.select(
        OtherBinding,
        f"""
        SELECT DISTINCT ON (u.instance, u.access, u.exclusive) u.instance, u.access, u.exclusive,
            CASE WHEN {_READABLE} THEN s.key END AS system, CASE WHEN {_READABLE} THEN e.name END AS environment
        FROM (
            SELECT instance, environment_id, bool_or(exclusive) AS exclusive,
                CASE WHEN bool_or(access = 'read_write') THEN 'read_write' ELSE 'read_only' END AS access
            FROM bindings WHERE instance = ANY (%(instances)s::text[]) GROUP BY instance, environment_id
        ) AS u JOIN environments e ON e.id = u.environment_id JOIN systems s ON s.id = e.system_id
        WHERE (s.key, e.name) <> (%(system)s, %(environment)s)
        ORDER BY u.instance, u.access, u.exclusive, {_READABLE} DESC, s.key = %(system)s DESC, s.key, e.rank
        """,
        system=system,
        environment=environment,
        instances=[binding.instance for binding in bindings],
        only=only,
    )


def replace(db: Database, system: str, environment: str, bindings: Iterable[Binding]) -> None:
    """Queue a statement that replaces the bindings of an environment."""
    db.queue(
        """
        WITH target AS (
            SELECT e.id, e.system_id FROM environments e JOIN systems s ON s.id = e.system_id
            WHERE s.key = %(system)s AND e.name = %(environment)s
        ), new AS (
            SELECT * FROM jsonb_to_recordset(%(bindings)s::jsonb)
                AS new (dependency text, instance text, access text, exclusive boolean)
        ), removed AS (
            DELETE FROM bindings b USING target
            WHERE b.environment_id = target.id AND b.dependency NOT IN (SELECT dependency FROM new)
        )
        INSERT INTO bindings (environment_id, system_id, dependency, instance, access, exclusive)
        SELECT target.id, target.system_id, new.* FROM target CROSS JOIN new
        ON CONFLICT ON CONSTRAINT bindings_once DO UPDATE
            SET instance = EXCLUDED.instance, access = EXCLUDED.access, exclusive = EXCLUDED.exclusive
        """,
        system=system,
        environment=environment,
        bindings=msgspec.json.encode([msgspec.structs.asdict(binding) for binding in bindings]).decode(),
    )


def list_of_system(
    db: Database,
    system: str,
    query: CrosstalkQuery,
    only: list[str] | None,
    *,
    limit: int,
    after: tuple[Any, ...] | None,
) -> list[UsedInstance]:
    return _list(db, _OF_SYSTEM, query, limit, after, only=only, system=system)


def list_(
    db: Database, query: CrosstalkQuery, only: list[str] | None, *, limit: int, after: tuple[Any, ...] | None
) -> list[UsedInstance]:
    return _list(db, _OF_READABLE_SYSTEMS, query, limit, after, only=only)


def _list(
    db: Database, which: str, query: CrosstalkQuery, limit: int, after: tuple[Any, ...] | None, **parameters: Any
) -> list[UsedInstance]:
    rows: list[dict[str, Any]] = db.select(
        dict,
        f"""
        SELECT * FROM ({_used(which)}) AS used WHERE crosstalk OR %(all)s
        ORDER BY instance LIMIT %(limit)s
        """,
        all=query.all,
        limit=limit,
        after=after[0] if after else None,
        **parameters,
    )
    return msgspec.convert(rows, list[UsedInstance])
