"""The state, derived in PostgreSQL by one statement for any number of systems."""

from typing import Any

import msgspec

from chalicelib.database.connection import Database
from chalicelib.deployments.store import COLUMNS as DEPLOYMENT
from chalicelib.rest.paging import Keyset
from chalicelib.state.model import SystemState, TargetState
from chalicelib.verifications.store import COLUMNS as VERIFICATION
from chalicelib.vocabulary import Slug

ORDER = Keyset(system=Slug)

# The rows that the fragments below use:
# - `target` is the environment `e` of the system `s`, or a workspace of `e`. `current` is the last succeeded deployment
#   to `target`.
# - `before` is the environment with the next lower rank. `ahead` is the last succeeded deployment to `before`. A
#   workspace has neither, because promotion does not go through workspaces.
# - `passed` is the latest deployment of the current artifact to `before`.
# - `arrived` and `arrived_ahead` are the first deployments of the artifacts of `current` and `ahead`. An artifact
#   contains the commits that were delivered until its first deployment: a rollback to the artifact takes back later
#   commits.
_ON_TARGET = "environment_id = e.id AND workspace = target.name AND workspace_id IS NOT DISTINCT FROM target.id"

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
            SELECT coalesce(json_agg(shown ORDER BY shown.suite), '[]') FROM (
                SELECT DISTINCT ON (v.suite) {VERIFICATION} FROM verifications v
                WHERE {_ON_TARGET} AND v.artifact = current.artifact
                ORDER BY v.suite, v.finished_at DESC, v.id DESC
            ) AS shown
        ),
        'drift', CASE WHEN before.id IS NOT NULL THEN json_build_object(
            'environment', before.name,
            'commits', CASE WHEN ahead.id IS NOT NULL THEN (
                -- If the deployments recorded no commits, the number is unknown: null.
                SELECT CASE WHEN count(d.id) = 0 OR count(c.sha) > 0
                    THEN count(DISTINCT c.sha) FILTER (WHERE delivered.sha IS NULL) END
                FROM deployments d
                LEFT JOIN deployment_commits c ON c.deployment_id = d.id
                LEFT JOIN (
                    deployment_commits delivered JOIN deployments here
                        ON here.id = delivered.deployment_id AND here.workspace = 'default'
                            AND here.state = 'succeeded'
                            AND (here.finished_at, here.id) <= (arrived.finished_at, arrived.id)
                ) ON delivered.environment_id = e.id AND delivered.sha = c.sha
                WHERE d.environment_id = before.id AND d.workspace = 'default' AND d.state = 'succeeded'
                    AND (d.finished_at, d.id) <= (arrived_ahead.finished_at, arrived_ahead.id)
                    AND (passed.id IS NULL OR (d.finished_at, d.id) > (passed.finished_at, passed.id))
            ) END,
            'seconds', CASE WHEN ahead.id IS NOT NULL AND current.id IS NOT NULL THEN extract(epoch FROM greatest(
                ahead.finished_at - coalesce(passed.finished_at, current.finished_at), interval '0'
            ))::bigint END
        ) END
    )
"""

_STATE = f"""
    SELECT s.key AS system, s.name, (
        SELECT coalesce(json_agg({_TARGET} ORDER BY e.rank, target.id IS NOT NULL, target.name), '[]')
        FROM environments e
        CROSS JOIN LATERAL (
            SELECT NULL::bigint AS id, 'default' AS name, e.base_url
            UNION ALL
            SELECT w.id, w.name, w.base_url FROM workspaces w
            WHERE w.environment_id = e.id AND w.state <> 'destroyed'
        ) AS target
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
            SELECT id, finished_at FROM deployments
            WHERE environment_id = before.id AND workspace = 'default' AND state = 'succeeded'
                AND artifact = current.artifact
            ORDER BY finished_at DESC, id DESC LIMIT 1
        ) AS passed ON true
        LEFT JOIN LATERAL (
            SELECT id, finished_at FROM deployments
            WHERE environment_id = e.id AND workspace = 'default' AND state = 'succeeded'
                AND artifact = current.artifact
            ORDER BY finished_at, id LIMIT 1
        ) AS arrived ON true
        LEFT JOIN LATERAL (
            SELECT id, finished_at FROM deployments
            WHERE environment_id = before.id AND workspace = 'default' AND state = 'succeeded'
                AND artifact = ahead.artifact
            ORDER BY finished_at, id LIMIT 1
        ) AS arrived_ahead ON true
        WHERE e.system_id = s.id
    )::text AS targets
    FROM systems s
"""


def get(db: Database, system: str) -> SystemState | None:
    return db.select_one(_state, f"{_STATE} WHERE s.key = %(system)s", system=system)


def list_(db: Database, *, limit: int, after: tuple[Any, ...] | None) -> list[SystemState]:
    return db.select(
        _state,
        f"{_STATE} WHERE %(after)s IS NULL OR s.key > %(after)s ORDER BY s.key LIMIT %(limit)s",
        limit=limit,
        after=after[0] if after else None,
    )


def _state(system: str, name: str, targets: str) -> SystemState:
    return SystemState(system=system, name=name, targets=msgspec.json.decode(targets, type=list[TargetState]))
