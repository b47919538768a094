"""Promotions in PostgreSQL, and the facts from which the gate decides."""

from datetime import datetime
from typing import Any

import msgspec

from chalicelib.approvals.store import approvals_fact
from chalicelib.database.connection import Database
from chalicelib.database.prepared import Prepared
from chalicelib.holds.store import holds_fact
from chalicelib.identity.principal import Principal
from chalicelib.promotions.model import Decision, GateFacts, Promotion, PromotionQuery
from chalicelib.rest.ids import NumberedId
from chalicelib.rest.paging import Keyset
from chalicelib.rest.types import Timestamp
from chalicelib.targets.store import in_system, places, rollbacks, verdicts

ORDER = Keyset(decided_at=Timestamp, id=NumberedId)

_BEFORE = "environment_id = before.id AND workspace = 'default'"
_THERE = "environment_id = place.id AND workspace = 'default'"


def _rolled_back(artifact: str) -> str:
    """Return SQL for the latest rollback since `deployed` that went back behind an artifact.

    The order is that of the rollback's own environment. If the artifact was never there, it is that of the environment
    before, through which all artifacts go.
    """
    return f"""
        SELECT place.name AS environment, back.artifact, back.finished_at AS at
        FROM (VALUES (before.id, before.name), (e.id, e.name)) AS place (id, name)
        CROSS JOIN LATERAL {rollbacks(_THERE, "deployed.finished_at")} AS back
        CROSS JOIN LATERAL {places(_THERE, artifact)} AS there
        CROSS JOIN LATERAL {places(_BEFORE, artifact)} AS passed
        WHERE back.too_many OR CASE WHEN there.its IS NOT NULL THEN there.new < there.its AND there.old >= there.its
            ELSE coalesce(passed.new, there.new) < passed.its AND coalesce(passed.old, there.old) >= passed.its END
        ORDER BY back.finished_at DESC LIMIT 1
    """


def gate_facts(artifact: str, holds: str) -> str:
    """Return SQL for a value: the facts about an artifact for the environment `e` of the system `s`.

    `holds` is SQL for the holds in these facts.
    """
    return f"""
        (
            SELECT json_build_object(
                'system', s.key,
                'environment', e.name,
                'artifact', {artifact}::text,
                'required_approvals', e.required_approvals,
                'approvals', {approvals_fact(artifact)},
                'holds', {holds},
                'required_soak_seconds', e.required_soak_seconds,
                'verification_max_age_seconds', e.verification_max_age_seconds,
                'required_suites', e.required_suites,
                'before', CASE WHEN before.id IS NOT NULL THEN json_build_object(
                    'name', before.name,
                    'deployed_at', deployed.finished_at,
                    'replaced_at', (
                        SELECT finished_at FROM deployments
                        WHERE {_BEFORE} AND state = 'succeeded'
                            AND (finished_at, id) > (deployed.finished_at, deployed.id)
                        ORDER BY finished_at, id LIMIT 1
                    ),
                    'rolled_back', to_json(back),
                    'verdicts', (
                        SELECT coalesce(json_agg(verdict ORDER BY suite COLLATE "C"), '[]')
                        FROM {verdicts("deployed.id")} AS verdict
                    )
                ) END
            )
            FROM (SELECT) AS always
            LEFT JOIN LATERAL (
                SELECT id, name FROM environments
                WHERE system_id = e.system_id AND rank < e.rank
                ORDER BY rank DESC LIMIT 1
            ) AS before ON true
            LEFT JOIN LATERAL (
                SELECT id, finished_at FROM deployments
                WHERE {_BEFORE} AND artifact = {artifact} AND state = 'succeeded' AND NOT late
                ORDER BY finished_at DESC, id DESC LIMIT 1
            ) AS deployed ON true
            LEFT JOIN LATERAL ({_rolled_back(artifact)}) AS back ON deployed.id IS NOT NULL
        )
    """


# SQL for a value: the facts about %(artifact)s for the environment `e` of the system `s`.
GATE_FACTS = gate_facts("%(artifact)s", holds_fact("%(artifact)s"))

# The columns of a recorded Promotion, from rows `p` and `e` (its environment).
_COLUMNS = """
    p.id::text, p.artifact, e.name AS environment, p.decision, p.blockers, p.more_blockers, p.still_required,
    p.decided_at
"""


class PromotionFacts(msgspec.Struct, kw_only=True):
    """The facts that a decision needs, and the moment of the decision."""

    at: datetime
    artifact_kind: str
    gate: GateFacts


_FACTS = Prepared(
    f"""
    SELECT clock_timestamp() AS at, s.artifact_kind, {GATE_FACTS} AS gate
    FROM systems s JOIN environments e ON e.system_id = s.id
    WHERE s.key = %(system)s AND e.name = %(environment)s
    """
)


def facts(db: Database, system: str, environment: str, artifact: str) -> PromotionFacts | None:
    """Return the facts. None if the environment does not exist. To record the decision, lock the system first."""
    row = db.row(_FACTS, system=system, environment=environment, artifact=artifact)
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
                system_id, environment_id, artifact, decision, blockers, more_blockers, still_required, decided_at,
                decided_by
            )
            SELECT s.id, e.id, %(artifact)s, %(decision)s, %(blockers)s::jsonb, %(more_blockers)s,
                %(still_required)s::jsonb, %(at)s, %(decided_by)s
            FROM systems s JOIN environments e ON e.system_id = s.id
            WHERE s.key = %(system)s AND e.name = %(environment)s
            RETURNING *
        )
        SELECT {_COLUMNS} FROM p JOIN environments e ON e.id = p.environment_id
        """,
        system=system,
        environment=environment,
        artifact=artifact,
        **recorded(decision),
        at=at,
        decided_by=principal.subject,
    )
    assert inserted is not None
    return inserted


def recorded(decision: Decision | None) -> dict[str, Any]:
    """Return the parameters of a statement that records a decision. All are None without one."""
    if decision is None:
        return dict.fromkeys(("decision", "blockers", "more_blockers", "still_required"))
    required = decision.still_required
    return {
        "decision": decision.word,
        "blockers": msgspec.json.encode(decision.blockers).decode(),
        "more_blockers": decision.more_blockers,
        "still_required": None if required is None else msgspec.json.encode(required).decode(),
    }


def list_(
    db: Database, system: str, query: PromotionQuery, *, limit: int, after: tuple[Any, ...] | None
) -> list[Promotion]:
    after_at, after_id = after or (None, None)
    return db.select(
        Promotion,
        f"""
        SELECT {_COLUMNS}
        FROM promotions p JOIN environments e ON e.id = p.environment_id
        WHERE {in_system("p")}
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
