"""Approvals in PostgreSQL. Deployments, bad marks and time decide whether an approval has ended."""

from typing import Any

import msgspec

from chalicelib.approvals.model import (
    LIFETIME_DAYS,
    MOST_COUNTED,
    Approval,
    ApprovalQuery,
    NewApproval,
    NewApprovalFacts,
    Person,
)
from chalicelib.database.connection import Database
from chalicelib.identity.principal import Principal
from chalicelib.rest import problems
from chalicelib.rest.ids import NumberedId, number
from chalicelib.rest.paging import Keyset
from chalicelib.rest.problems import Problem
from chalicelib.rest.types import Timestamp

ORDER = Keyset(created_at=Timestamp, id=NumberedId)

_LIFETIME = f"interval '{LIFETIME_DAYS} days'"

# Deployments and bad marks that end the approval `a`.
_USES = """
    FROM deployments u
    WHERE u.environment_id = a.environment_id AND u.workspace = 'default' AND u.artifact = a.artifact
        AND u.state = 'succeeded' AND u.finished_at >= a.created_at
"""
_BAD_MARKS = """
    FROM holds m
    WHERE m.system_id = a.system_id AND m.artifact = a.artifact AND m.kind = 'bad' AND m.created_at >= a.created_at
"""

_MAY_BE_ACTIVE = f"a.withdrawn_at IS NULL AND a.created_at > statement_timestamp() - {_LIFETIME}"
_ACTIVE = f"({_MAY_BE_ACTIVE} AND NOT EXISTS (SELECT {_USES}) AND NOT EXISTS (SELECT {_BAD_MARKS}))"

# The first event that ended an approval gives its state.
_STATE = f"""
    CASE
        WHEN a.withdrawn_at IS NOT NULL THEN 'withdrawn'
        WHEN used.at <= least(voided.at, a.created_at + {_LIFETIME}) THEN 'used'
        WHEN voided.at <= a.created_at + {_LIFETIME} THEN 'void'
        WHEN a.created_at + {_LIFETIME} <= statement_timestamp() THEN 'expired'
        ELSE 'active'
    END
"""

_COLUMNS = f"""
    a.id::text AS id, s.key AS system, e.name AS environment, a.artifact, a.comment, {_STATE} AS state,
    a.created_at, a.created_by, a.created_at + {_LIFETIME} AS expires_at, a.withdrawn_at, a.withdrawn_by,
    a.withdrawal_reason
"""

_JOINED = f"""
    JOIN systems s ON s.id = a.system_id JOIN environments e ON e.id = a.environment_id
    CROSS JOIN LATERAL (SELECT min(u.finished_at) AS at {_USES}) AS used
    CROSS JOIN LATERAL (SELECT min(m.created_at) AS at {_BAD_MARKS}) AS voided
"""


def approvals_fact(artifact: str) -> str:
    """Return SQL for a value: the people with an active approval of an artifact for the environment `e`."""
    return f"""
        (
            SELECT coalesce(json_agg(given ORDER BY given.expires_at), '[]')
            FROM (
                SELECT a.issuer, a.created_by AS subject, max(a.created_at) + {_LIFETIME} AS expires_at
                FROM approvals a
                WHERE a.environment_id = e.id AND a.artifact = {artifact} AND {_ACTIVE}
                GROUP BY a.issuer, a.created_by
                ORDER BY max(a.created_at) DESC LIMIT {MOST_COUNTED}
            ) AS given
        )
    """


def get(db: Database, system: str, id_: str) -> Approval:
    """Return the approval, or raise problem 404."""
    return get_with_giver(db, system, id_)[0]


def get_with_giver(db: Database, system: str, id_: str) -> tuple[Approval, Person]:
    """Return the approval and the person who gave it, or raise problem 404."""
    row = db.row(
        f"SELECT a.issuer, {_COLUMNS} FROM approvals a {_JOINED} WHERE s.key = %(system)s AND a.id = %(id)s",
        system=system,
        id=number(id_),
    )
    if row is None:
        raise Problem(
            problems.not_found, f"The system {system!r} has no approval {id_!r}. Check the id and the system."
        )
    giver = Person(issuer=row.pop("issuer"), subject=row["created_by"])
    return Approval(**row), giver


def list_(
    db: Database, system: str, query: ApprovalQuery, *, limit: int, after: tuple[Any, ...] | None
) -> list[Approval]:
    after_at, after_id = after or (None, None)
    return db.select(
        Approval,
        f"""
        SELECT {_COLUMNS} FROM approvals a {_JOINED}
        WHERE s.key = %(system)s
            AND (%(environment)s IS NULL OR e.name = %(environment)s)
            AND (%(artifact)s IS NULL OR a.artifact = %(artifact)s)
            AND (%(state)s IS NULL OR {_STATE} = %(state)s)
            AND {_MAY_BE_ACTIVE if query.state == "active" else "true"}
            AND (%(after_id)s IS NULL OR (a.created_at, a.id) < (%(after_at)s::timestamptz, %(after_id)s::bigint))
        ORDER BY a.created_at DESC, a.id DESC LIMIT %(limit)s
        """,
        system=system,
        environment=query.environment,
        artifact=query.artifact,
        state=query.state,
        after_at=after_at,
        after_id=after_id,
        limit=limit,
    )


def facts(db: Database, system: str, new: NewApproval, principal: Principal) -> NewApprovalFacts | None:
    """Read the facts for a new approval. None if the environment does not exist. Lock the system first."""
    row = db.row(
        f"""
        SELECT clock_timestamp() AS at, s.artifact_kind,
            (
                SELECT a.id::text FROM approvals a
                WHERE a.environment_id = e.id AND a.artifact = %(artifact)s
                    AND a.issuer = %(issuer)s AND a.created_by = %(subject)s AND {_ACTIVE}
                ORDER BY a.created_at DESC LIMIT 1
            ) AS existing,
            (
                SELECT id::text FROM holds
                WHERE system_id = s.id AND artifact = %(artifact)s AND kind = 'bad' AND released_at IS NULL
            ) AS bad_mark
        FROM systems s JOIN environments e ON e.system_id = s.id
        WHERE s.key = %(system)s AND e.name = %(environment)s
        """,
        system=system,
        environment=new.environment,
        artifact=new.artifact,
        issuer=principal.issuer,
        subject=principal.subject,
    )
    return None if row is None else msgspec.convert(row, NewApprovalFacts)


def insert(db: Database, system: str, new: NewApproval, principal: Principal, facts: NewApprovalFacts) -> Approval:
    inserted = db.select_one(
        Approval,
        f"""
        WITH a AS (
            INSERT INTO approvals (system_id, environment_id, artifact, comment, created_at, issuer, created_by)
            SELECT s.id, e.id, %(artifact)s, %(comment)s, %(at)s, %(issuer)s, %(created_by)s
            FROM systems s JOIN environments e ON e.system_id = s.id
            WHERE s.key = %(system)s AND e.name = %(environment)s
            RETURNING *
        )
        SELECT {_COLUMNS} FROM a {_JOINED}
        """,
        system=system,
        environment=new.environment,
        artifact=new.artifact,
        comment=new.comment,
        at=facts.at,
        issuer=principal.issuer,
        created_by=principal.subject,
    )
    assert inserted is not None
    return inserted


def withdraw(db: Database, id_: str, reason: str | None, withdrawn_by: str) -> Approval:
    withdrawn = db.select_one(
        Approval,
        f"""
        WITH a AS (
            UPDATE approvals SET
                withdrawn_at = clock_timestamp(), withdrawn_by = %(withdrawn_by)s, withdrawal_reason = %(reason)s
            WHERE id = %(id)s
            RETURNING *
        )
        SELECT {_COLUMNS} FROM a {_JOINED}
        """,
        id=number(id_),
        reason=reason,
        withdrawn_by=withdrawn_by,
    )
    assert withdrawn is not None
    return withdrawn
