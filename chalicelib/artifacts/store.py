"""The facts about an artifact for all gates of a system, in PostgreSQL."""

import msgspec

from chalicelib.artifacts.model import Gates
from chalicelib.database.connection import Database
from chalicelib.database.prepared import Prepared
from chalicelib.holds.store import FREEZES_OF_SYSTEM, FREEZES_OVER_SYSTEMS, marks_fact
from chalicelib.promotions.store import gate_facts

_GATES = Prepared(
    f"""
    SELECT clock_timestamp() AS at, {FREEZES_OF_SYSTEM} AS freezes, {FREEZES_OVER_SYSTEMS} AS freezes_over_systems, (
        SELECT coalesce(json_agg(json_build_object('production', production, 'facts', facts) ORDER BY rank), '[]')
        FROM (
            SELECT e.rank, e.production, {gate_facts("%(artifact)s", marks_fact("%(artifact)s"))} AS facts
            FROM environments e WHERE e.system_id = s.id ORDER BY e.rank LIMIT %(limit)s
        ) AS each
    ) AS gates
    FROM systems s WHERE s.key = %(system)s
    """
)


def gates(db: Database, system: str, artifact: str, *, limit: int) -> Gates | None:
    """Read the facts for the gates of the first `limit` environments. None if the system does not exist."""
    row = db.row(_GATES, system=system, artifact=artifact, limit=limit)
    return None if row is None else msgspec.convert(row, Gates)
