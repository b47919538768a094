"""The facts about an artifact for all gates of a system, in PostgreSQL."""

from datetime import datetime

import msgspec

from chalicelib.database.connection import Database
from chalicelib.database.prepared import Prepared
from chalicelib.promotions.model import GateFacts
from chalicelib.promotions.store import GATE_FACTS


class Gates(msgspec.Struct, kw_only=True):
    """The facts about an artifact for every environment of a system, by rank, at one moment."""

    at: datetime
    gates: list[GateFacts]


_GATES = Prepared(
    f"""
    SELECT clock_timestamp() AS at, (
        SELECT coalesce(json_agg(gate ORDER BY rank), '[]')
        FROM (
            SELECT e.rank, {GATE_FACTS} AS gate FROM environments e
            WHERE e.system_id = s.id ORDER BY e.rank LIMIT %(limit)s
        ) AS each
    ) AS gates
    FROM systems s WHERE s.key = %(system)s
    """
)


def gates(db: Database, system: str, artifact: str, *, limit: int) -> Gates | None:
    """Read the facts for the gates of the first `limit` environments. None if the system does not exist."""
    row = db.row(_GATES, system=system, artifact=artifact, limit=limit)
    return None if row is None else msgspec.convert(row, Gates)
