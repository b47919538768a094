"""The state, derived in PostgreSQL by one statement for any number of systems."""

from typing import Any

import msgspec

from chalicelib.database.connection import Database
from chalicelib.database.prepared import Prepared
from chalicelib.deployments.store import COLUMNS as DEPLOYMENT
from chalicelib.rest.paging import MOST_BYTES, Keyset
from chalicelib.state.model import MOST_COMMITS, MOST_TARGETS, SystemState, TargetState
from chalicelib.targets.store import verdicts
from chalicelib.verifications.store import COLUMNS as VERIFICATION
from chalicelib.vocabulary import Slug

ORDER = Keyset(system=Slug)

MOST_TARGET_BYTES = 1_000_000

# The rows that the fragments below use:
# - `target` is the environment `e` of the system `s`, or a workspace of `e`. `current` is the last succeeded deployment
#   to `target`.
# - `before` is the environment with the next lower rank. `ahead` is the last succeeded deployment to `before`. A
#   workspace has neither, because promotion does not go through workspaces.
# - `passed` is the latest deployment of the current artifact to `before`.
_ON_TARGET = "environment_id = e.id AND workspace = target.name AND (target.id IS NULL OR workspace_id = target.id)"

_TARGET = f"""
    json_build_object(
        'environment', e.name,
        'rank', e.rank,
        'production', e.production,
        'workspace', target.name,
        'base_url', target.base_url,
        'current', (
            SELECT to_json(shown) FROM (SELECT {DEPLOYMENT} FROM deployments d WHERE d.id = current.id) AS shown
        ),
        'last_attempt', (
            SELECT to_json(shown) FROM (
                SELECT {DEPLOYMENT} FROM deployments d
                WHERE {_ON_TARGET}
                ORDER BY d.started_at DESC, d.id DESC LIMIT 1
            ) AS shown
        ),
        'verifications', (
            SELECT coalesce(json_agg(shown ORDER BY shown.suite), '[]')
            FROM {verdicts("current.id", counted=False)} AS verdict
            CROSS JOIN LATERAL (SELECT {VERIFICATION} FROM verifications v WHERE v.id = verdict.id) AS shown
        ),
        'drift', CASE WHEN before.id IS NOT NULL THEN json_build_object(
            'environment', before.name,
            'commits', behind.ahead_by,
            'more_commits', coalesce(behind.more_commits, false),
            'seconds', CASE WHEN ahead.id IS NOT NULL AND current.id IS NOT NULL THEN extract(epoch FROM greatest(
                ahead.finished_at - coalesce(passed.finished_at, current.finished_at), interval '0'
            ))::bigint END
        ) END
    )
"""

# The commits that the environment before has and the target lacks. One system with many commits must not make the state
# slow for all systems, so the comparison stops after a number of commits or of deployments.
_BEHIND = f"compare_artifacts(ahead.artifact, current.artifact, e.id, before.id, {2 * MOST_COMMITS}, false)"

# One row for the system `s`: the first targets, with at least one and at most MOST_TARGET_BYTES.
_TARGETS = f"""
    SELECT coalesce(json_agg(shown ORDER BY place) FILTER (WHERE fits), '[]')::text AS targets,
        coalesce(bool_or(NOT fits), false) AS more_targets
    FROM (
        SELECT shown, place, place = 1 OR place <= {MOST_TARGETS}
            AND sum(octet_length(shown::text)) OVER (ORDER BY place) <= {MOST_TARGET_BYTES} AS fits
        FROM (
            SELECT target.place, {_TARGET} AS shown
            FROM (
                SELECT of.id AS environment_id, each.id, each.name, each.base_url,
                    row_number() OVER (ORDER BY of.rank, each.id IS NOT NULL, each.name) AS place
                FROM environments of
                CROSS JOIN LATERAL (
                    SELECT NULL::bigint AS id, 'default' AS name, of.base_url
                    UNION ALL
                    SELECT w.id, w.name, w.base_url FROM workspaces w
                    WHERE w.environment_id = of.id AND w.state <> 'destroyed'
                ) AS each
                WHERE of.system_id = s.id
                ORDER BY place LIMIT {MOST_TARGETS + 1}
            ) AS target JOIN environments e ON e.id = target.environment_id
            LEFT JOIN LATERAL (
                SELECT id, artifact, finished_at FROM deployments
                WHERE {_ON_TARGET} AND state = 'succeeded'
                ORDER BY finished_at DESC, id DESC LIMIT 1
            ) AS current ON true
            LEFT JOIN LATERAL (
                SELECT id, name FROM environments
                WHERE system_id = s.id AND rank < e.rank
                ORDER BY rank DESC LIMIT 1
            ) AS before ON target.id IS NULL
            LEFT JOIN LATERAL (
                SELECT id, artifact, finished_at FROM deployments
                WHERE environment_id = before.id AND workspace = 'default' AND state = 'succeeded'
                ORDER BY finished_at DESC, id DESC LIMIT 1
            ) AS ahead ON true
            LEFT JOIN LATERAL (
                SELECT finished_at FROM deployments
                WHERE environment_id = before.id AND workspace = 'default' AND state = 'succeeded'
                    AND artifact = current.artifact
                ORDER BY finished_at DESC, id DESC LIMIT 1
            ) AS passed ON true
            LEFT JOIN LATERAL {_BEHIND} AS behind ON true
        ) AS made
    ) AS measured
"""

_STATE = f"""
    SELECT s.key AS system, s.name, of_system.targets, of_system.more_targets
    FROM systems s CROSS JOIN LATERAL ({_TARGETS}) AS of_system
"""


_STATE_OF_SYSTEM = Prepared(f"{_STATE} WHERE s.key = %(system)s")


def get(db: Database, system: str) -> SystemState | None:
    return db.select_one(_state, _STATE_OF_SYSTEM, system=system)


def list_(db: Database, *, only: list[str] | None, limit: int, after: tuple[Any, ...] | None) -> list[SystemState]:
    # PostgreSQL writes the targets longer than the answer does. So twice the bytes of a page are always enough.
    return db.select(
        _state,
        f"""
        SELECT system, name, targets, more_targets FROM (
            SELECT found.*, sum(octet_length(targets)) OVER (ORDER BY system) - octet_length(targets) AS bytes_before
            FROM (
                {_STATE}
                WHERE (%(only)s IS NULL OR s.key = ANY (%(only)s::text[])) AND (%(after)s IS NULL OR s.key > %(after)s)
                ORDER BY s.key LIMIT %(limit)s
            ) AS found
        ) AS measured
        WHERE bytes_before <= {2 * MOST_BYTES}
        ORDER BY system
        """,
        only=only,
        limit=limit,
        after=after[0] if after else None,
    )


def _state(system: str, name: str, targets: str, more_targets: bool) -> SystemState:  # noqa: FBT001 (a column)
    decoded = msgspec.json.decode(targets, type=list[TargetState])
    return SystemState(system=system, name=name, targets=decoded, more_targets=more_targets)
