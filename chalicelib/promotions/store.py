"""Promotions in PostgreSQL, and the facts from which the gate decides."""

from datetime import datetime
from typing import Any

import msgspec

from chalicelib.database.connection import Database
from chalicelib.identity.principal import Principal
from chalicelib.promotions.model import Decision, GateFacts, Promotion, PromotionQuery
from chalicelib.rest.ids import NumberedId
from chalicelib.rest.paging import Keyset
from chalicelib.rest.types import Timestamp
from chalicelib.targets.store import suites_of

ORDER = Keyset(decided_at=Timestamp, id=NumberedId)

# One column, `gate`: the facts about %(artifact)s for the environment `e`.
GATE_FACTS = f"""
    (
        SELECT json_build_object(
            'environment', e.name,
            'required_soak_seconds', e.required_soak_seconds,
            'verification_max_age_seconds', e.verification_max_age_seconds,
            'required_suites', e.required_suites,
            'before', CASE WHEN before.id IS NOT NULL THEN json_build_object(
                'name', before.name,
                'deployed_at', deployed.finished_at,
                'verifications', coalesce(counted.verifications, '[]')
            ) END
        )
        FROM (SELECT) AS always
        LEFT JOIN LATERAL (
            SELECT id, name FROM environments
            WHERE system_id = e.system_id AND rank < e.rank
            ORDER BY rank DESC LIMIT 1
        ) AS before ON true
        LEFT JOIN LATERAL (
            SELECT finished_at FROM deployments
            WHERE environment_id = before.id AND workspace = 'default'
                AND artifact = %(artifact)s AND state = 'succeeded'
            ORDER BY finished_at DESC, id DESC LIMIT 1
        ) AS deployed ON true
        LEFT JOIN LATERAL (
            SELECT json_agg(latest ORDER BY latest.suite COLLATE "C") AS verifications
            FROM {suites_of("before.id", "'default'", "%(artifact)s")} AS ran
            CROSS JOIN LATERAL (
                SELECT suite, outcome, finished_at FROM verifications
                WHERE environment_id = before.id AND workspace = 'default'
                    AND artifact = %(artifact)s AND suite = ran.suite AND outcome IN ('success', 'failure')
                    AND finished_at >= deployed.finished_at AND started_at >= deployed.finished_at
                ORDER BY finished_at DESC, id DESC LIMIT 1
            ) AS latest
        ) AS counted ON true
    ) AS gate
"""

# The columns of a recorded Promotion, from rows `p` and `e` (its environment).
_COLUMNS = "p.id::text, p.artifact, e.name AS environment, p.decision, p.blockers, p.more_blockers, p.decided_at"


class PromotionFacts(msgspec.Struct, kw_only=True):
    """The facts that a decision needs, and the moment of the decision."""

    at: datetime
    artifact_kind: str
    gate: GateFacts


def facts(db: Database, system: str, environment: str, artifact: str) -> PromotionFacts | None:
    """Return the facts. None if the environment does not exist. To record the decision, lock the system first."""
    row = db.row(
        f"""
        SELECT clock_timestamp() AS at, s.artifact_kind, {GATE_FACTS}
        FROM systems s JOIN environments e ON e.system_id = s.id
        WHERE s.key = %(system)s AND e.name = %(environment)s
        """,
        system=system,
        environment=environment,
        artifact=artifact,
    )
    return None if row is None else msgspec.convert(row, PromotionFacts)


def insert(
    db: Database,
    system: str,
    environment: str,
    artifact: str,
    decision: Decision,
    at: datetime,
    principal: Principal,
) -> Promotion:
    inserted = db.select_one(
        Promotion,
        f"""
        WITH p AS (
            INSERT INTO promotions (
                system_id, environment_id, artifact, decision, blockers, more_blockers, decided_at, decided_by
            )
            SELECT s.id, e.id, %(artifact)s, %(decision)s, %(blockers)s::jsonb, %(more_blockers)s,
                %(at)s, %(decided_by)s
            FROM systems s JOIN environments e ON e.system_id = s.id
            WHERE s.key = %(system)s AND e.name = %(environment)s
            RETURNING *
        )
        SELECT {_COLUMNS} FROM p JOIN environments e ON e.id = p.environment_id
        """,
        system=system,
        environment=environment,
        artifact=artifact,
        decision=decision.word,
        blockers=msgspec.json.encode(decision.blockers).decode(),
        more_blockers=decision.more_blockers,
        at=at,
        decided_by=principal.subject,
    )
    assert inserted is not None
    return inserted


def list_(
    db: Database, system: str, query: PromotionQuery, *, limit: int, after: tuple[Any, ...] | None
) -> list[Promotion]:
    after_at, after_id = after or (None, None)
    return db.select(
        Promotion,
        f"""
        SELECT {_COLUMNS}
        FROM systems s JOIN promotions p ON p.system_id = s.id JOIN environments e ON e.id = p.environment_id
        WHERE s.key = %(system)s
            AND (%(environment)s IS NULL OR e.name = %(environment)s)
            AND (%(artifact)s IS NULL OR p.artifact = %(artifact)s)
            AND (%(decision)s IS NULL OR p.decision = %(decision)s)
            AND (%(after_id)s IS NULL OR (p.decided_at, p.id) < (%(after_at)s::timestamptz, %(after_id)s::bigint))
        ORDER BY p.decided_at DESC, p.id DESC LIMIT %(limit)s
        """,
        system=system,
        environment=query.environment,
        artifact=query.artifact,
        decision=query.decision,
        after_at=after_at,
        after_id=after_id,
        limit=limit,
    )
