"""The facts for the overview, read by one statement for a page of systems."""

from typing import Any

import msgspec

from chalicelib.database.connection import Database
from chalicelib.database.prepared import Prepared
from chalicelib.deployments.store import FINISHED_AT, LEASE_ENDED, STATE
from chalicelib.holds.model import HoldFact
from chalicelib.holds.store import FREEZES_OF_SYSTEM, FREEZES_OVER_SYSTEMS, marks_fact
from chalicelib.overview.model import (
    MOST_CHARACTERS,
    MOST_ENVIRONMENTS,
    MOST_EXAMINED,
    MOST_FAILED_SUITES,
    MOST_SEARCHED,
    MOST_SYSTEMS,
    MOST_WORKSPACES,
    OverviewQuery,
    ScannedFacts,
    SystemFacts,
)
from chalicelib.promotions.store import gate_facts
from chalicelib.rest.paging import Keyset
from chalicelib.targets.store import verdicts
from chalicelib.vocabulary import Slug

ORDER = Keyset(key=Slug)

# The rows that the fragments below use:
# - `e` is an environment of the system `s`, and `current` is the last succeeded deployment to it.
# - `before` is the environment with the next lower rank, and `ahead` is the last succeeded deployment to it.

# True if the environment before runs another artifact, so that there is something to decide.
_DIFFERS = "ahead.artifact IS DISTINCT FROM current.artifact AND ahead.id IS NOT NULL"

_CURRENT = f"""
    (
        SELECT json_build_object(
            'id', current.id::text, 'artifact', current.artifact, 'since', current.finished_at,
            'suites', count(*),
            'failed_suites', to_json((
                coalesce(array_agg(suite ORDER BY suite) FILTER (WHERE outcome = 'failure'), '{{}}')
            )[1:{MOST_FAILED_SUITES}])
        )
        FROM {verdicts("current.id")} AS verdict
    )
"""

_LAST_ATTEMPT = f"""
    (
        SELECT json_build_object(
            'id', d.id::text, 'artifact', d.artifact, 'kind', d.kind, 'state', {STATE},
            'started_at', d.started_at, 'finished_at', {FINISHED_AT}, 'lease_seconds', d.lease_seconds,
            'lease_expires_at', d.lease_expires_at, 'lease_expired', {LEASE_ENDED},
            'detail', left(d.detail, {MOST_CHARACTERS})
        )
        FROM deployments d
        WHERE d.environment_id = e.id AND d.workspace = 'default'
        ORDER BY d.started_at DESC, d.id DESC LIMIT 1
    )
"""

_ENVIRONMENTS = f"""
    SELECT coalesce(json_agg(json_build_object(
        'name', e.name,
        'rank', e.rank,
        'production', e.production,
        'current', CASE WHEN current.id IS NOT NULL THEN {_CURRENT} END,
        'last_attempt', {_LAST_ATTEMPT},
        'gate', CASE WHEN {_DIFFERS} THEN {gate_facts("ahead.artifact", holds="'[]'::json")} END,
        'marks', {marks_fact("current.artifact", "ahead.artifact")},
        'commits_behind', CASE
            WHEN {_DIFFERS} THEN count_commits_ahead(ahead.artifact, current.artifact, e.id, before.id)
            WHEN ahead.id IS NOT NULL THEN 0
        END,
        'workspaces', (
            SELECT count(*) FROM (
                SELECT FROM workspaces
                WHERE environment_id = e.id AND state = 'active' AND expires_at > statement_timestamp()
                LIMIT {MOST_WORKSPACES}
            ) AS active
        )
    ) ORDER BY e.rank), '[]')
    FROM (
        SELECT each.*, runs.id AS current_id, runs.artifact AS current_artifact, runs.finished_at AS current_since,
            lag(each.id) OVER by_rank AS before_id, lag(each.name) OVER by_rank AS before_name,
            lag(runs.id) OVER by_rank AS ahead_id, lag(runs.artifact) OVER by_rank AS ahead_artifact,
            lag(runs.finished_at) OVER by_rank AS ahead_since
        FROM (SELECT * FROM environments WHERE system_id = s.id ORDER BY rank LIMIT {MOST_ENVIRONMENTS}) AS each
        LEFT JOIN LATERAL (
            SELECT id, artifact, finished_at FROM deployments
            WHERE environment_id = each.id AND workspace = 'default' AND state = 'succeeded'
            ORDER BY finished_at DESC, id DESC LIMIT 1
        ) AS runs ON true
        WINDOW by_rank AS (ORDER BY each.rank)
    ) AS e
    CROSS JOIN LATERAL (
        SELECT e.current_id AS id, e.current_artifact AS artifact, e.current_since AS finished_at
    ) AS current
    CROSS JOIN LATERAL (SELECT e.before_id AS id, e.before_name AS name) AS before
    CROSS JOIN LATERAL (
        SELECT e.ahead_id AS id, e.ahead_artifact AS artifact, e.ahead_since AS finished_at
    ) AS ahead
    WHERE e.production OR NOT %(production)s
"""

_READABLE = "(%(only)s::text[] IS NULL OR key = ANY (%(only)s))"

_SCAN = Prepared(f"""
    WITH searched AS (
        SELECT id, key, name FROM systems
        WHERE {_READABLE} AND (%(after)s::text IS NULL OR key > %(after)s)
        ORDER BY key LIMIT %(searched)s
    ), found AS (
        SELECT s.*, least(count, {MOST_ENVIRONMENTS}) AS environments, count > {MOST_ENVIRONMENTS} AS more_environments
        FROM (
            SELECT * FROM searched
            WHERE %(q)s::text IS NULL OR strpos(lower(key), lower(%(q)s)) > 0 OR strpos(lower(name), lower(%(q)s)) > 0
            ORDER BY key LIMIT %(most)s
        ) AS s
        CROSS JOIN LATERAL (
            SELECT count(*) FROM (
                SELECT FROM environments WHERE system_id = s.id LIMIT {MOST_ENVIRONMENTS + 1}
            ) AS its
        ) AS counted
    ), taken AS (
        SELECT * FROM (
            SELECT *, sum(environments) OVER (ORDER BY key) - environments AS environments_before FROM found
        ) AS measured
        WHERE environments_before < {MOST_EXAMINED}
    ), scanned AS (
        -- A request that takes fewer systems than it may has examined all that it searched.
        SELECT CASE WHEN of_found.count = of_taken.count AND of_found.count < %(most)s
            THEN (SELECT max(key) FROM searched) ELSE of_taken.last END AS end
        FROM (SELECT count(*) FROM found) AS of_found, (SELECT count(*), max(key) AS last FROM taken) AS of_taken
    )
    SELECT statement_timestamp() AS at, {FREEZES_OVER_SYSTEMS} AS freezes_over_systems, (
        SELECT coalesce(json_agg(json_build_object(
            'key', s.key, 'name', s.name, 'more_environments', s.more_environments,
            'freezes', {FREEZES_OF_SYSTEM},
            'environments', ({_ENVIRONMENTS})
        ) ORDER BY s.key), '[]')::text FROM taken s
    ) AS systems, scanned.end, EXISTS (
        SELECT FROM systems WHERE key > scanned.end AND {_READABLE}
    ) AS more
    FROM scanned
""")


def scan(db: Database, query: OverviewQuery, *, only: list[str] | None, after: tuple[Any, ...] | None) -> ScannedFacts:
    """Read the facts about the next systems that a query may be about. The number of systems is bounded.

    `only` has the keys of the systems that the caller may see, or None for all systems.
    """
    most = MOST_SYSTEMS if query.attention or query.production else query.limit
    row = db.row(
        _SCAN,
        only=only,
        after=after[0] if after else None,
        searched=most if query.q is None else MOST_SEARCHED,
        q=query.q,
        most=most,
        production=query.production,
    )
    assert row is not None
    return ScannedFacts(
        at=row["at"],
        freezes_over_systems=msgspec.convert(row["freezes_over_systems"], tuple[HoldFact, ...]),
        systems=msgspec.json.decode(row["systems"], type=tuple[SystemFacts, ...]),
        end=row["end"],
        more=row["more"],
    )
