"""Commits in PostgreSQL."""

from typing import Any

import msgspec

from chalicelib.commit_places.model import MOST_DELIVERIES, MOST_ENVIRONMENTS, CommitInEnvironment
from chalicelib.database.connection import Database
from chalicelib.deployments.store import COLUMNS as DEPLOYMENT
from chalicelib.rest.ids import number
from chalicelib.rest.paging import Keyset
from chalicelib.rest.types import Timestamp
from chalicelib.upcoming_changes.model import DeliveredCommit
from chalicelib.vocabulary import Sha

ORDER = Keyset(authored_at=Timestamp, sha=Sha)

MOST_STEPS = 1000
# A commit that more deployments recorded is looked for in the oldest ones.
_MOST_CANDIDATES = 100


def list_(db: Database, deployment: str, *, limit: int, after: tuple[Any, ...] | None) -> list[DeliveredCommit]:
    after_at, after_sha = after or (None, None)
    return db.select(
        DeliveredCommit,
        """
        SELECT sha, authored_at, subject FROM deployment_commits
        WHERE deployment_id = %(deployment)s
            AND (%(after_sha)s IS NULL OR (authored_at, sha) < (%(after_at)s::timestamptz, %(after_sha)s))
        ORDER BY authored_at DESC, sha DESC LIMIT %(limit)s
        """,
        deployment=number(deployment),
        after_at=after_at,
        after_sha=after_sha,
        limit=limit,
    )


# One row for the environment `e`, the environment `before` and the artifact `current`.
# - `candidates` are the succeeded deployments that recorded the commit. `oldest` is the oldest of them.
# - `chain` has the deployments from which `current` is made, down to `oldest`: see the function `first_deployment`.
# - `found` is the step of the oldest candidate in the chain. All deployments before that step contain the commit.
_CONTAINED = f"""
    WITH RECURSIVE recorded AS (
        SELECT d.id, d.finished_at, d.workspace, d.state,
            count(*) OVER (PARTITION BY d.environment_id) AS of_environment
        FROM (VALUES (e.id), (before.id)) AS there (id)
        CROSS JOIN LATERAL (
            SELECT deployment_id FROM deployment_commits
            WHERE environment_id = there.id AND sha = %(sha)s ORDER BY deployment_id LIMIT {_MOST_CANDIDATES + 1}
        ) AS delivery
        CROSS JOIN LATERAL (SELECT * FROM deployments WHERE id = delivery.deployment_id OFFSET 0) AS d
    ), candidates AS (
        SELECT id, finished_at FROM recorded WHERE workspace = 'default' AND state = 'succeeded'
    ), oldest AS (
        SELECT id, finished_at FROM candidates ORDER BY finished_at, id LIMIT 1
    ), chain AS (
        SELECT 0 AS step, start AS node
        FROM oldest CROSS JOIN first_deployment(current.artifact, e.id, before.id) AS start
        UNION ALL
        SELECT step + 1, below
        FROM chain CROSS JOIN oldest CROSS JOIN LATERAL deployment_below(chain.node, e.id, before.id) AS below
        WHERE step < {MOST_STEPS} AND ((chain.node).finished_at, (chain.node).id) > (oldest.finished_at, oldest.id)
    ), found AS (
        SELECT max(step) AS step FROM chain WHERE (node).id IN (SELECT id FROM candidates)
    )
    SELECT CASE WHEN found.step IS NOT NULL THEN true
        WHEN EXISTS (
            SELECT FROM chain CROSS JOIN oldest
            WHERE step = {MOST_STEPS} AND ((node).finished_at, (node).id) > (oldest.finished_at, oldest.id)
        ) OR (SELECT max(of_environment) FROM recorded) > {_MOST_CANDIDATES} THEN NULL
        ELSE false END AS contained,
        brought.id::text AS brought_by, brought.finished_at AS since
    FROM found LEFT JOIN LATERAL (
        SELECT here.id, here.finished_at
        FROM chain CROSS JOIN LATERAL (
            SELECT d.id, d.finished_at FROM deployments d
            WHERE d.environment_id = e.id AND d.workspace = 'default' AND d.state = 'succeeded'
                AND d.artifact = (chain.node).artifact
            ORDER BY d.finished_at, d.id LIMIT 1
        ) AS here
        WHERE chain.step <= found.step
        ORDER BY here.finished_at, here.id LIMIT 1
    ) AS brought ON true
"""

_PLACES = f"""
    SELECT json_build_object(
        'environment', e.name,
        'contained', place.contained,
        'since', place.since,
        'brought_by', place.brought_by,
        'deliveries', delivered.shown,
        'more_deliveries', delivered.more
    ) AS place
    FROM systems s JOIN environments e ON e.system_id = s.id
    LEFT JOIN LATERAL (
        SELECT id FROM environments WHERE system_id = s.id AND rank < e.rank ORDER BY rank DESC LIMIT 1
    ) AS before ON true
    LEFT JOIN LATERAL (
        SELECT artifact FROM deployments
        WHERE environment_id = e.id AND workspace = 'default' AND state = 'succeeded'
        ORDER BY finished_at DESC, id DESC LIMIT 1
    ) AS current ON true
    CROSS JOIN LATERAL ({_CONTAINED}) AS place
    CROSS JOIN LATERAL (
        SELECT coalesce(json_agg(json_build_object(
            'id', shown.id, 'workspace', shown.workspace, 'artifact', shown.artifact, 'kind', shown.kind,
            'state', shown.state, 'started_at', shown.started_at, 'finished_at', shown.finished_at
        ) ORDER BY number DESC) FILTER (WHERE place <= {MOST_DELIVERIES}), '[]') AS shown,
            count(*) > {MOST_DELIVERIES} AS more
        FROM (
            SELECT c.deployment_id AS number, row_number() OVER (ORDER BY c.deployment_id DESC) AS place, each.*
            FROM (
                SELECT * FROM deployment_commits WHERE environment_id = e.id AND sha = %(sha)s
                ORDER BY deployment_id DESC LIMIT {MOST_DELIVERIES + 1}
            ) AS c
            CROSS JOIN LATERAL (SELECT {DEPLOYMENT} FROM deployments d WHERE d.id = c.deployment_id OFFSET 0) AS each
        ) AS shown
    ) AS delivered
    WHERE s.key = %(system)s ORDER BY e.rank LIMIT {MOST_ENVIRONMENTS + 1}
"""


def places(db: Database, system: str, sha: str) -> list[CommitInEnvironment]:
    """Return the environments by rank, at most one more than MOST_ENVIRONMENTS."""
    return db.select(lambda place: msgspec.convert(place, CommitInEnvironment), _PLACES, system=system, sha=sha)


def recorded(db: Database, system: str, sha: str) -> DeliveredCommit:
    """Return the commit as the lowest environment's last deployment recorded it, if possible with a subject.

    Some environment of the system recorded it, maybe one that `places` leaves out.
    """
    commit = db.select_one(
        DeliveredCommit,
        f"""
        SELECT c.sha, c.authored_at, c.subject
        FROM systems s JOIN environments e ON e.system_id = s.id
        CROSS JOIN LATERAL (
            SELECT * FROM deployment_commits WHERE environment_id = e.id AND sha = %(sha)s
            ORDER BY deployment_id DESC LIMIT {MOST_DELIVERIES + 1}
        ) AS c
        WHERE s.key = %(system)s
        ORDER BY c.subject IS NULL, e.rank, c.deployment_id DESC LIMIT 1
        """,
        system=system,
        sha=sha,
    )
    assert commit is not None
    return commit
