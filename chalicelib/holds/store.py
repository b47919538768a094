"""Holds in PostgreSQL."""

from datetime import datetime
from typing import Any

import msgspec

from chalicelib.database.connection import Database
from chalicelib.holds.model import (
    Hold,
    HoldOverSystemsQuery,
    HoldQuery,
    HoldState,
    NewHold,
    NewHoldFacts,
    NewHoldOverSystems,
)
from chalicelib.identity.principal import Principal
from chalicelib.rest import problems
from chalicelib.rest.ids import NumberedId, number
from chalicelib.rest.paging import Keyset
from chalicelib.rest.problems import Problem

ORDER = Keyset(id=NumberedId)

# True for a hold `h` that is neither released nor over. The index `holds_freezes` has this expression.
_NOT_OVER = "h.released_at IS NULL AND coalesce(h.ends_at, 'infinity') > statement_timestamp()"
_FREEZES = f"h.kind = 'freeze' AND {_NOT_OVER}"
_PIN = "h.kind = 'pin' AND h.released_at IS NULL"
_BAD_MARK = "h.kind = 'bad' AND h.released_at IS NULL"

_FREEZES_OF_ENVIRONMENT = f"""
    SELECT h.* FROM holds h
    WHERE h.system_id = e.system_id AND {_FREEZES}
        AND (h.environment_id IS NULL OR h.environment_id = e.id) AND (e.production OR NOT h.production)
    UNION ALL
    SELECT h.* FROM holds h
    WHERE h.system_id IS NULL AND {_FREEZES} AND (e.production OR NOT h.production)
"""


def _facts(held: str, environment: str) -> str:
    """Return SQL for a value: the rows of `held` as a list of HoldFact. `environment` is the name of a hold's own."""
    return f"""
        (
            SELECT coalesce(json_agg(json_build_object(
                'id', held.id::text, 'kind', held.kind,
                'environment', CASE WHEN held.environment_id IS NOT NULL THEN {environment} END,
                'over_systems', held.system_id IS NULL, 'production', held.production, 'artifact', held.artifact,
                'reason', held.reason, 'created_by', held.created_by, 'starts_at', held.starts_at,
                'ends_at', held.ends_at, 'recurrence', held.recurrence, 'blocks_rollbacks', held.blocks_rollbacks
            ) ORDER BY held.id), '[]')
            FROM ({held}) AS held
        )
    """


def marks_fact(*artifacts: str) -> str:
    """Return SQL for a value: the pin of the environment `e`, and the bad marks of artifacts."""
    return _facts(_marks(f"ANY (ARRAY[{', '.join(artifacts)}])"), "e.name")


def holds_fact(artifact: str) -> str:
    """Return SQL for a value: the holds that may stop an artifact in the environment `e`, now or later.

    They are freezes that are not over, the environment's pin and the artifact's bad mark: at most 2 * MOST_FREEZES + 2.
    A freeze that repeats holds only within its windows: see holds/rules.py.
    """
    return _facts(f"{_FREEZES_OF_ENVIRONMENT} UNION ALL {_marks(artifact)}", "e.name")


def marked(artifact: str) -> str:
    """Return SQL for a condition: the environment `e` has a pin to another artifact, or the artifact a bad mark."""
    return f"EXISTS (SELECT FROM ({_marks(artifact)}) AS h WHERE h.kind = 'bad' OR h.artifact <> {artifact})"


def _marks(artifact: str) -> str:
    return f"""
        SELECT h.* FROM holds h WHERE h.environment_id = e.id AND {_PIN}
        UNION ALL
        SELECT h.* FROM holds h WHERE h.system_id = e.system_id AND h.artifact = {artifact} AND {_BAD_MARK}
    """


# SQL for values: the freezes of the system `s`, and the freezes over several systems, that are not over.
FREEZES_OF_SYSTEM = _facts(
    f"SELECT h.* FROM holds h WHERE h.system_id = s.id AND {_FREEZES}",
    "(SELECT name FROM environments WHERE id = held.environment_id)",
)
FREEZES_OVER_SYSTEMS = _facts(f"SELECT h.* FROM holds h WHERE h.system_id IS NULL AND {_FREEZES}", "NULL")

_IN_STATE: dict[HoldState | None, str] = {
    None: "true",
    "released": "h.released_at IS NOT NULL",
    "ended": "h.released_at IS NULL AND h.ends_at <= statement_timestamp()",
    "scheduled": f"{_NOT_OVER} AND h.starts_at > statement_timestamp()",
    "active": f"{_NOT_OVER} AND h.starts_at <= statement_timestamp()",
}

# The columns of a Hold, from rows `h`, `s` (its system) and `e` (its environment).
_COLUMNS = f"""
    h.id::text AS id, s.key AS system, h.kind, e.name AS environment, h.production, h.artifact, h.reason, h.starts_at,
    h.ends_at, h.recurrence, h.blocks_rollbacks,
    CASE WHEN {_IN_STATE["released"]} THEN 'released' WHEN {_IN_STATE["ended"]} THEN 'ended'
        WHEN {_IN_STATE["scheduled"]} THEN 'scheduled' ELSE 'active' END AS state,
    h.created_at, h.created_by, h.released_at, h.released_by, h.release_reason
"""

_JOINED = "LEFT JOIN systems s ON s.id = h.system_id LEFT JOIN environments e ON e.id = h.environment_id"

# The system of a hold: the id of %(system)s, or null for a hold over several systems.
_OF_SYSTEM = "h.system_id = (SELECT id FROM systems WHERE key = %(system)s)"
_OVER_SYSTEMS = "h.system_id IS NULL"


def get(db: Database, system: str | None, id_: str) -> Hold:
    """Return the hold of a system, or the hold over several systems if `system` is None. Raise problem 404."""
    row = db.row(
        f"SELECT {_COLUMNS} FROM holds h {_JOINED} WHERE h.id = %(id)s AND {_which(system)}",
        system=system,
        id=number(id_),
    )
    if row is None:
        where = f"The system {system!r} has" if system else "There is"
        what = f"no hold {id_!r}" if system else f"no hold {id_!r} over several systems"
        raise Problem(problems.not_found, f"{where} {what}. Check the id and the address.")
    return msgspec.convert(row, Hold)


def list_(db: Database, system: str, query: HoldQuery, *, limit: int, after: tuple[Any, ...] | None) -> list[Hold]:
    condition = """
        (%(kind)s IS NULL OR h.kind = %(kind)s)
        AND (%(environment)s IS NULL OR e.name = %(environment)s)
        AND (%(artifact)s IS NULL OR h.artifact = %(artifact)s)
    """
    filters = {"kind": query.kind, "environment": query.environment, "artifact": query.artifact}
    return _list(db, system, f"{condition} AND {_IN_STATE[query.state]}", limit, after, **filters)


def list_over_systems(
    db: Database, query: HoldOverSystemsQuery, *, limit: int, after: tuple[Any, ...] | None
) -> list[Hold]:
    return _list(db, None, _IN_STATE[query.state], limit, after)


def facts(db: Database, system: str, new: NewHold) -> NewHoldFacts | None:
    """Read the facts for a new hold of the system. None if the system does not exist. Lock the system first."""
    row = db.row(
        f"""
        SELECT clock_timestamp() AS at, s.artifact_kind, e.id IS NOT NULL AS has_environment,
            current.artifact AS current_artifact,
            (SELECT count(*) FROM holds h WHERE h.system_id = s.id AND {_FREEZES}) AS freezes,
            (SELECT h.id::text FROM holds h WHERE h.environment_id = e.id AND {_PIN}) AS pin,
            (
                SELECT h.id::text FROM holds h
                WHERE h.system_id = s.id AND h.artifact = %(artifact)s AND {_BAD_MARK}
            ) AS bad_mark
        FROM systems s LEFT JOIN environments e ON e.system_id = s.id AND e.name = %(environment)s
            LEFT JOIN LATERAL (
                SELECT artifact FROM deployments
                WHERE environment_id = e.id AND workspace = 'default' AND state = 'succeeded'
                ORDER BY finished_at DESC, id DESC LIMIT 1
            ) AS current ON true
        WHERE s.key = %(system)s
        """,
        system=system,
        environment=new.environment,
        artifact=new.artifact,
    )
    return None if row is None else msgspec.convert(row, NewHoldFacts)


def facts_over_systems(db: Database) -> NewHoldFacts:
    """Read the facts for a new hold over several systems. Take the lock of such holds first."""
    row = db.row(
        f"SELECT clock_timestamp() AS at, count(*) AS freezes FROM holds h WHERE {_OVER_SYSTEMS} AND {_FREEZES}"
    )
    return msgspec.convert(row, NewHoldFacts)


def insert(
    db: Database,
    system: str | None,
    new: NewHold | NewHoldOverSystems,
    principal: Principal,
    *,
    artifact: str | None,
    at: datetime,
) -> Hold:
    """Insert a hold of a system, or a hold over several systems if `system` is None."""
    row = db.row(
        f"""
        WITH h AS (
            INSERT INTO holds (
                system_id, environment_id, kind, production, artifact, reason, starts_at, ends_at, recurrence,
                blocks_rollbacks, created_at, issuer, created_by
            )
            SELECT s.id, e.id, %(kind)s, %(production)s, %(artifact)s, %(reason)s, %(starts_at)s, %(ends_at)s,
                %(recurrence)s::jsonb, %(blocks_rollbacks)s, %(at)s, %(issuer)s, %(created_by)s
            FROM (SELECT) AS always LEFT JOIN systems s ON s.key = %(system)s
                LEFT JOIN environments e ON e.system_id = s.id AND e.name = %(environment)s
            RETURNING *
        )
        SELECT {_COLUMNS} FROM h {_JOINED}
        """,
        system=system,
        environment=getattr(new, "environment", None),
        kind=new.kind,
        production=new.production,
        artifact=artifact,
        reason=new.reason,
        starts_at=new.starts_at or at,
        ends_at=new.ends_at,
        recurrence=msgspec.json.encode(new.recurrence).decode() if new.recurrence else None,
        blocks_rollbacks=new.blocks_rollbacks,
        at=at,
        issuer=principal.issuer,
        created_by=principal.subject,
    )
    return msgspec.convert(row, Hold)


def release(db: Database, id_: str, reason: str, released_by: str) -> Hold:
    row = db.row(
        f"""
        WITH h AS (
            UPDATE holds SET released_at = clock_timestamp(), released_by = %(released_by)s, release_reason = %(reason)s
            WHERE id = %(id)s
            RETURNING *
        )
        SELECT {_COLUMNS} FROM h {_JOINED}
        """,
        id=number(id_),
        reason=reason,
        released_by=released_by,
    )
    return msgspec.convert(row, Hold)


def _which(system: str | None) -> str:
    return _OVER_SYSTEMS if system is None else _OF_SYSTEM


def _list(
    db: Database, system: str | None, condition: str, limit: int, after: tuple[Any, ...] | None, **filters: Any
) -> list[Hold]:
    rows: list[dict[str, Any]] = db.select(
        dict,
        f"""
        SELECT {_COLUMNS} FROM holds h {_JOINED}
        WHERE {_which(system)} AND {condition} AND (%(after)s IS NULL OR h.id < %(after)s::bigint)
        ORDER BY h.id DESC LIMIT %(limit)s
        """,
        system=system,
        limit=limit,
        after=after[0] if after else None,
        **filters,
    )
    return msgspec.convert(rows, list[Hold])
