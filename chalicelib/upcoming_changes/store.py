"""Changes in PostgreSQL."""

import msgspec

from chalicelib.database.connection import Database
from chalicelib.upcoming_changes.model import DeliveredCommit, Version

# An environment that is more artifacts behind gets numbers that may be too low.
MOST_STEPS = 1000


class Sides(msgspec.Struct, frozen=True, kw_only=True):
    """The two artifacts of a comparison, and the ids of the environment and of the environment before."""

    repository: str | None
    environment_id: int
    before_id: int | None
    base: Version | None
    head: Version | None


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """The commits of each side that the other one lacks."""

    ahead_by: int | None
    more_commits: bool
    commits: list[DeliveredCommit]
    behind_by: int | None
    more_removed: bool
    removed: list[DeliveredCommit]


def _last(environment: str, condition: str = "true") -> str:
    return f"""
        SELECT artifact, revision FROM deployments
        WHERE environment_id = {environment} AND workspace = 'default' AND state = 'succeeded' AND {condition}
        ORDER BY finished_at DESC, id DESC LIMIT 1
    """


# A given artifact has the revision of its last deployment to the environment before, or else to the environment itself.
_SIDES = f"""
    SELECT s.repository, e.id AS environment_id, before.id AS before_id, to_json(base) AS base,
        CASE WHEN %(artifact)s IS NULL THEN (SELECT to_json(ahead) FROM ({_last("before.id")}) AS ahead)
        ELSE coalesce(
            (SELECT to_json(there) FROM ({_last("before.id", "artifact = %(artifact)s")}) AS there),
            (SELECT to_json(here) FROM ({_last("e.id", "artifact = %(artifact)s")}) AS here),
            json_build_object('artifact', %(artifact)s, 'revision', NULL)
        ) END AS head
    FROM systems s JOIN environments e ON e.system_id = s.id
    LEFT JOIN LATERAL (
        SELECT id FROM environments WHERE system_id = s.id AND rank < e.rank ORDER BY rank DESC LIMIT 1
    ) AS before ON true
    LEFT JOIN LATERAL ({_last("e.id")}) AS base ON true
    WHERE s.key = %(system)s AND e.name = %(environment)s
"""


def sides(db: Database, system: str, environment: str, artifact: str | None) -> Sides | None:
    """Read which artifacts to compare. None if the environment does not exist."""
    row = db.row(_SIDES, system=system, environment=environment, artifact=artifact)
    return None if row is None else msgspec.convert(row, Sides)


_DIFFERENCE = f"""
    SELECT * FROM compare_artifacts(
        %(head)s, %(base)s, %(environment)s::bigint, %(before)s::bigint, {MOST_STEPS}, true
    )
"""


def difference(db: Database, sides: Sides) -> Difference:
    """Compare the commits of the two artifacts."""
    row = db.row(
        _DIFFERENCE,
        head=sides.head.artifact if sides.head else None,
        base=sides.base.artifact if sides.base else None,
        environment=sides.environment_id,
        before=sides.before_id,
    )
    return msgspec.convert(row, Difference)
