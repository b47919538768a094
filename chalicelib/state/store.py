"""The state, derived in PostgreSQL by one statement."""

import msgspec

from chalicelib.database.connection import Database
from chalicelib.database.prepared import Prepared
from chalicelib.deployments.store import COLUMNS as DEPLOYMENT
from chalicelib.holds.model import HoldFact
from chalicelib.holds.rules import concerning, freezing
from chalicelib.holds.store import FREEZES_OF_SYSTEM, FREEZES_OVER_SYSTEMS, marked
from chalicelib.state.model import MOST_FORMER, MOST_TARGETS, SystemState, TargetState
from chalicelib.targets.drift import DRIFT
from chalicelib.targets.model import DEFAULT
from chalicelib.targets.store import WORKSPACE_STATE, in_workspace, standing, verdicts
from chalicelib.verifications.store import COLUMNS as VERIFICATION

MOST_TARGET_BYTES = 1_000_000

# The rows that the fragments below use:
# - `target` is the environment `e` of the system `s`, or a workspace of `e`. `current` is the last succeeded deployment
#   to `target`.
# - `before` is the environment with the next lower rank. `ahead` is the last succeeded deployment to `before`. A
#   workspace has neither, because promotion does not go through workspaces.
# - The others are those of targets/drift.py.
_ON_TARGET = f"environment_id = e.id AND workspace = target.name AND {in_workspace('target.id')}"

# The newest former artifact that a rollback of the target may go to. Holds concern environments only.
_ROLLBACK_TO = f"""
    (
        SELECT former.artifact FROM (
            SELECT id, artifact, finished_at FROM deployments
            WHERE {_ON_TARGET} AND state = 'succeeded'
            ORDER BY finished_at DESC, id DESC LIMIT {MOST_FORMER}
        ) AS former
        WHERE target.active AND former.artifact <> current.artifact
            AND (target.id IS NOT NULL OR NOT {marked("former.artifact")})
            AND (
                SELECT its.rolled_back IS NULL AND json_array_length(its.failed_suites) = 0
                FROM {standing(_ON_TARGET, "former.artifact")} AS its
            )
        ORDER BY former.finished_at DESC, former.id DESC LIMIT 1
    )
"""

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
        'rollback_to', {_ROLLBACK_TO},
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

# One row for the system `s`: the first targets, with at least one and at most MOST_TARGET_BYTES. All environments come
# before the workspaces: anybody who may create workspaces could otherwise hide the later environments.
_TARGETS = f"""
    SELECT coalesce(json_agg(shown ORDER BY place) FILTER (WHERE fits), '[]')::text AS targets,
        coalesce(bool_or(NOT fits), false) AS more_targets
    FROM (
        SELECT shown, place, place = 1 OR place <= {MOST_TARGETS}
            AND sum(octet_length(shown::text)) OVER (ORDER BY place) <= {MOST_TARGET_BYTES} AS fits
        FROM (
            SELECT target.place, {_TARGET} AS shown
            FROM (
                SELECT of.id AS environment_id, each.id, each.name, each.base_url, each.active,
                    row_number() OVER (ORDER BY each.id IS NOT NULL, of.rank, each.name) AS place
                FROM environments of
                CROSS JOIN LATERAL (
                    SELECT NULL::bigint AS id, 'default' AS name, of.base_url, true AS active
                    UNION ALL
                    SELECT w.id, w.name, w.base_url, {WORKSPACE_STATE} = 'active' FROM workspaces w
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
            {DRIFT}
        ) AS made
    ) AS measured
"""

_STATE = f"""
    SELECT s.key AS system, s.name, of_system.targets, of_system.more_targets, clock_timestamp() AS at,
        {FREEZES_OF_SYSTEM} AS freezes, {FREEZES_OVER_SYSTEMS} AS freezes_over_systems
    FROM systems s CROSS JOIN LATERAL ({_TARGETS}) AS of_system
"""


_STATE_OF_SYSTEM = Prepared(f"{_STATE} WHERE s.key = %(system)s")


def get(db: Database, system: str) -> SystemState | None:
    row = db.row(_STATE_OF_SYSTEM, system=system)
    if row is None:
        return None
    freezes = msgspec.convert([*row["freezes"], *row["freezes_over_systems"]], list[HoldFact])
    stopping = [freeze for freeze in freezing(freezes, row["at"]) if freeze.blocks_rollbacks]
    targets = msgspec.json.decode(row["targets"], type=list[TargetState])
    for target in targets:
        if target.workspace == DEFAULT and concerning(stopping, target.environment, production=target.production):
            target.rollback_to = None
    return SystemState(system=row["system"], name=row["name"], targets=targets, more_targets=row["more_targets"])
