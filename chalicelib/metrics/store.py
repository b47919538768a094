"""Delivery metrics in PostgreSQL. docs/metrics.md has the definitions in words."""

from datetime import datetime
from typing import Any

import msgspec

from chalicelib.database.connection import Database
from chalicelib.database.prepared import Prepared
from chalicelib.metrics.model import DEFAULT_DAYS, DEFINITION, MOST_CONTRIBUTING, Metrics
from chalicelib.rest.paging import Keyset
from chalicelib.vocabulary import Slug

ORDER = Keyset(system=Slug)

# With more deployments or commits than this between two environments, `waiting` is null: counting would take too long.
MOST_STEPS = 1000
MOST_COMMITS = 20_000

# The rows that the fragments below use:
# - `e` is the environment of the system `s` with the highest rank, and `before` the one with the next lower rank. Their
#   ids are null if they do not exist.
# - `w` is the window, from `start` to `stop`.
# - `back` has the rollbacks of `e` since the start of the window.
# - A deployment comes before another one if its (finished_at, id) is smaller.


def _ran(row: str) -> str:
    """Return SQL: true for the deployments that are counted, apart from their time."""
    return f"{row}.environment_id = e.id AND {row}.workspace = 'default' AND {row}.state = 'succeeded'"


def _place(artifact: str, until: str) -> str:
    """Return SQL for a relation: the last rollout or hotfix of an artifact at a row `until`, or before it."""
    return f"""
        (
            SELECT a.finished_at, a.id FROM deployments a
            WHERE {_ran("a")} AND a.artifact = {artifact} AND a.kind <> 'rollback'
                AND (a.finished_at, a.id) <= ({until}.finished_at, {until}.id)
            ORDER BY a.finished_at DESC, a.id DESC LIMIT 1
        )
    """


# Each rollback has the place of its artifact, and the id of the deployment that it replaced by another artifact.
_BACK = f"""
    SELECT r.finished_at, r.id, new.finished_at AS new_at, new.id AS new_id,
        CASE WHEN replaced.artifact <> r.artifact THEN replaced.id END AS replaced_id
    FROM deployments r
    LEFT JOIN LATERAL (
        SELECT b.id, b.artifact FROM deployments b
        WHERE {_ran("b")} AND (b.finished_at, b.id) < (r.finished_at, r.id)
        ORDER BY b.finished_at DESC, b.id DESC LIMIT 1
    ) AS replaced ON true
    LEFT JOIN LATERAL {_place("r.artifact", "r")} AS new ON true
    WHERE {_ran("r")} AND r.kind = 'rollback' AND r.finished_at >= w.start
"""


def _failed_in_use(d: str) -> str:
    """Return SQL for a value: true if a succeeded deployment since the start of the window failed in use.

    The verifications are looked up suite by suite, as `verdicts` in targets/store.py does.
    """
    verified = f"""
        SELECT v.suite, v.outcome FROM verifications v
        WHERE v.deployment_id = {d}.id AND v.trigger = 'deployment' AND v.outcome IN ('success', 'failure')
    """
    latest_first = "ORDER BY v.suite, v.counts_at DESC, v.id DESC LIMIT 1"
    return f"""
        (
            EXISTS (
                WITH RECURSIVE verdict AS (
                    ({verified} {latest_first})
                    UNION ALL
                    SELECT next.* FROM verdict CROSS JOIN LATERAL (
                        {verified} AND v.suite > verdict.suite {latest_first}
                    ) AS next
                )
                SELECT FROM verdict WHERE outcome = 'failure'
            ) OR EXISTS (
                SELECT FROM (SELECT) AS always
                LEFT JOIN LATERAL {_place(f"{d}.artifact", d)} AS its ON true CROSS JOIN back
                WHERE (back.finished_at, back.id) > ({d}.finished_at, {d}.id)
                    AND CASE WHEN back.new_id IS NULL OR its.id IS NULL THEN back.replaced_id = {d}.id
                        ELSE (its.finished_at, its.id) > (back.new_at, back.new_id) END
            ) OR EXISTS (
                SELECT FROM holds h
                WHERE h.system_id = s.id AND h.artifact = {d}.artifact AND h.kind = 'bad' AND h.released_at IS NULL
                    AND h.starts_at >= {d}.finished_at
                    AND NOT EXISTS (
                        SELECT FROM deployments successor
                        WHERE {_ran("successor")} AND successor.finished_at <= h.starts_at
                            AND (successor.finished_at, successor.id) > ({d}.finished_at, {d}.id)
                    )
            )
        )
    """


# The deployments in the window. The last one before the window tells if the first one continues a failure.
_DEPLOYED = f"""
    SELECT *, failed AND NOT coalesce(lag(failed) OVER (ORDER BY finished_at, id), false) AS begins,
        min(finished_at) FILTER (WHERE NOT failed) OVER (
            ORDER BY finished_at DESC, id DESC ROWS UNBOUNDED PRECEDING
        ) AS good_at
    FROM (
        SELECT d.*, {_failed_in_use("d")} AS failed
        FROM (
            SELECT d.id, d.finished_at, d.kind, d.artifact FROM deployments d
            WHERE {_ran("d")} AND d.finished_at >= w.start AND d.finished_at < w.stop
            UNION ALL (
                SELECT d.id, d.finished_at, d.kind, d.artifact FROM deployments d
                WHERE {_ran("d")} AND d.finished_at < w.start
                ORDER BY d.finished_at DESC, d.id DESC LIMIT 1
            )
        ) AS d
        OFFSET 0
    ) AS each
"""

_GOOD_AFTER_WINDOW = f"""
    (
        SELECT n.finished_at FROM deployments n
        WHERE {_ran("n")} AND n.finished_at >= w.stop AND NOT {_failed_in_use("n")}
        ORDER BY n.finished_at, n.id LIMIT 1
    )
"""

# One row for each commit that a deployment in the window was the first to deliver. OFFSET 0 keeps the look-up of each
# deployment by its id. A join may read the whole table.
_DELIVERED = f"""
    SELECT d.id, d.finished_at, extract(epoch FROM d.finished_at - c.authored_at)::float8 AS seconds
    FROM deployed d CROSS JOIN LATERAL (
        SELECT sha, authored_at FROM deployment_commits WHERE deployment_id = d.id OFFSET 0
    ) AS c
    WHERE d.finished_at >= w.start AND d.id <> (
        SELECT f.id FROM deployments f WHERE {_ran("f")} ORDER BY f.finished_at, f.id LIMIT 1
    ) AND NOT EXISTS (
        SELECT FROM (
            SELECT deployment_id FROM deployment_commits
            WHERE environment_id = e.id AND sha = c.sha AND deployment_id <> d.id OFFSET 0
        ) AS other CROSS JOIN LATERAL (
            SELECT FROM deployments o
            WHERE o.id = other.deployment_id AND {_ran("o")} AND (o.finished_at, o.id) < (d.finished_at, d.id)
            OFFSET 0
        ) AS earlier
    )
"""


def _ids(condition: str) -> str:
    """Return SQL for a value: the ids of the first deployments that meet a condition."""
    collected = f"array_agg(id::text ORDER BY finished_at, id) FILTER (WHERE {condition})"
    return f"to_jsonb(coalesce(({collected})[1:{MOST_CONTRIBUTING}], '{{}}'))"


_IN_PERIOD = "finished_at >= p.start AND finished_at < p.stop"

# The figures of one period `p`. A count of 0 without any sample becomes null.
_FIGURES = f"""
    SELECT jsonb_build_object(
        'from', p.start, 'to', p.stop,
        'deployment_frequency', jsonb_build_object(
            'per_day', nullif(advances, 0)::float8 * 86400 / extract(epoch FROM p.stop - p.start)::float8,
            'deployments', nullif(advances, 0), 'days', nullif(days, 0),
            'sample_size', advances, 'contributing', advanced
        ),
        'change_lead_time_seconds', jsonb_build_object(
            'median', median, 'p90', p90, 'anomalies', CASE WHEN commits > 0 THEN anomalies END,
            'sample_size', commits, 'contributing', delivering
        ),
        'change_fail_rate', jsonb_build_object(
            'value', failures::float8 / nullif(advances, 0),
            'failed_attempts', CASE WHEN advances + failed_attempts > 0 THEN failed_attempts END,
            'sample_size', advances, 'contributing', failing
        ),
        'failed_deployment_recovery_time_seconds', jsonb_build_object(
            'median', median_recovery, 'unrecovered', CASE WHEN deployments > 0 THEN beginnings - recoveries END,
            'sample_size', recoveries, 'contributing', beginning
        ),
        'deployment_rework_rate', jsonb_build_object(
            'value', reworks::float8 / nullif(deployments, 0), 'sample_size', deployments, 'contributing', reworking
        )
    ) AS shown
    FROM (
        SELECT count(*) AS deployments,
            count(*) FILTER (WHERE kind <> 'rollback') AS advances,
            {_ids("kind <> 'rollback'")} AS advanced,
            count(DISTINCT (finished_at AT TIME ZONE 'UTC')::date) FILTER (WHERE kind <> 'rollback') AS days,
            {_ids("id IN (SELECT id FROM delivered)")} AS delivering,
            count(*) FILTER (WHERE failed AND kind <> 'rollback') AS failures,
            {_ids("failed AND kind <> 'rollback'")} AS failing,
            count(*) FILTER (WHERE begins) AS beginnings,
            count(recovery_seconds) AS recoveries,
            percentile_cont(0.5) WITHIN GROUP (ORDER BY recovery_seconds) AS median_recovery,
            {_ids("begins")} AS beginning,
            count(*) FILTER (WHERE kind <> 'rollout') AS reworks,
            {_ids("kind <> 'rollout'")} AS reworking
        FROM (
            SELECT *, CASE WHEN begins THEN
                extract(epoch FROM coalesce(good_at, {_GOOD_AFTER_WINDOW}) - finished_at)::float8
            END AS recovery_seconds
            FROM deployed WHERE {_IN_PERIOD}
            OFFSET 0
        ) AS d
    ) AS of_deployments CROSS JOIN (
        SELECT count(*) AS commits, count(*) FILTER (WHERE seconds < 0) AS anomalies,
            percentile_cont(0.5) WITHIN GROUP (ORDER BY greatest(seconds, 0)) AS median,
            percentile_cont(0.9) WITHIN GROUP (ORDER BY greatest(seconds, 0)) AS p90
        FROM delivered WHERE {_IN_PERIOD}
    ) AS of_commits CROSS JOIN (
        SELECT count(*) AS failed_attempts FROM deployments
        WHERE environment_id = e.id AND workspace = 'default' AND state = 'failed' AND kind <> 'rollback'
            AND {_IN_PERIOD}
    ) AS of_attempts
"""

# The whole window as period 0, and then its days, weeks or months in UTC.
_PERIODS = """
    SELECT 0 AS number, w.start, w.stop
    UNION ALL
    SELECT number, greatest(begin AT TIME ZONE 'UTC', w.start),
        least((begin + ('1 ' || %(per)s::text)::interval) AT TIME ZONE 'UTC', w.stop)
    FROM generate_series(
        date_trunc(%(per)s::text, w.start AT TIME ZONE 'UTC'),
        (w.stop AT TIME ZONE 'UTC') - interval '1 microsecond',
        ('1 ' || %(per)s::text)::interval
    ) WITH ORDINALITY AS each (begin, number)
"""


def _last(environment: str) -> str:
    return f"""
        (
            SELECT artifact FROM deployments
            WHERE environment_id = {environment} AND workspace = 'default' AND state = 'succeeded'
            ORDER BY finished_at DESC, id DESC LIMIT 1
        )
    """


# The function `compare_artifacts` finds the last 100 changes in the same way. Here all of them count: the commits of
# the deployments that only the chain of the environment before has, without those of the chain of `e`. `runs` keeps the
# sub-selects out of the functions' arguments: PostgreSQL would plan each function again in every request.
_WAITING = f"""
    WITH RECURSIVE walk AS (
        SELECT 0 AS step, 0::bigint AS commits, head, base, NULL::deployments AS passed, NULL::boolean AS of_head
        FROM (SELECT {_last("before.id")} AS ahead, {_last("e.id")} AS there) AS runs
        CROSS JOIN LATERAL first_deployment(runs.ahead, e.id, before.id) AS head
        LEFT JOIN LATERAL first_deployment(runs.there, e.id, before.id) AS base ON true
        UNION ALL
        SELECT step + 1, commits + CASE WHEN later.is_head THEN (head).commit_count ELSE 0 END,
            CASE WHEN later.is_head THEN below ELSE head END, CASE WHEN later.is_head THEN base ELSE below END,
            later.node, later.is_head
        FROM walk CROSS JOIN LATERAL (
            SELECT side.is_head, CASE WHEN side.is_head THEN head ELSE base END AS node
            FROM (
                SELECT (base).id IS NULL OR coalesce(
                    ((head).finished_at, (head).id) > ((base).finished_at, (base).id), false
                ) AS is_head
            ) AS side
        ) AS later LEFT JOIN LATERAL deployment_below(later.node, e.id, before.id) AS below ON true
        WHERE (head).id IS DISTINCT FROM (base).id AND step < {MOST_STEPS} AND commits <= {MOST_COMMITS}
    ), meeting AS (
        SELECT head AS node FROM walk
        WHERE (head).id IS NOT DISTINCT FROM (base).id AND commits <= {MOST_COMMITS}
        ORDER BY step DESC LIMIT 1
    ), nodes AS (
        SELECT of_head, (passed).id, (passed).finished_at FROM walk CROSS JOIN meeting WHERE step > 0
    ), candidates AS (
        SELECT n.id, n.finished_at, c.sha, c.authored_at FROM nodes n CROSS JOIN LATERAL (
            SELECT sha, authored_at FROM deployment_commits WHERE deployment_id = n.id OFFSET 0
        ) AS c
        WHERE n.of_head
    ), others AS MATERIALIZED (
        -- The other deployments that delivered one of these commits too. Almost always, there is none.
        SELECT c.sha, d.id, d.finished_at
        FROM candidates c CROSS JOIN unnest(ARRAY[e.id, before.id]) AS there (id)
        CROSS JOIN LATERAL (
            SELECT deployment_id FROM deployment_commits
            WHERE environment_id = there.id AND sha = c.sha AND deployment_id <> c.id OFFSET 0
        ) AS delivery
        CROSS JOIN LATERAL (
            SELECT id, finished_at FROM deployments
            WHERE id = delivery.deployment_id AND workspace = 'default' AND state = 'succeeded' OFFSET 0
        ) AS d
    ), common AS (
        SELECT 0 AS step, node FROM meeting WHERE (node).id IS NOT NULL AND EXISTS (SELECT FROM others)
        UNION ALL
        SELECT step + 1, below FROM common
        CROSS JOIN LATERAL deployment_below(common.node, e.id, before.id) AS below
        WHERE step < {MOST_STEPS}
            AND ((node).finished_at, (node).id) > (SELECT finished_at, id FROM others ORDER BY finished_at, id LIMIT 1)
    ), changes AS (
        SELECT * FROM candidates WHERE sha NOT IN (
            SELECT sha FROM others WHERE id IN (
                SELECT id FROM nodes WHERE NOT of_head UNION ALL SELECT (node).id FROM common
            )
        )
    )
    SELECT jsonb_build_object(
        'changes', number, 'sample_size', coalesce(number, 0),
        'oldest_seconds', (
            SELECT floor(extract(epoch FROM greatest(statement_timestamp() - min(authored_at), interval '0')))::bigint
            FROM changes HAVING number > 0
        ),
        'contributing', (SELECT {_ids("true")} FROM (SELECT DISTINCT id, finished_at FROM changes) AS its)
    ) AS shown
    FROM (
        SELECT CASE WHEN EXISTS (SELECT FROM meeting)
            AND (EXISTS (SELECT FROM candidates) OR NOT EXISTS (SELECT FROM nodes WHERE of_head))
            THEN (SELECT count(DISTINCT sha) FROM changes) END AS number
    ) AS counted
"""

_METRICS = f"""
    SELECT (
        WITH back AS MATERIALIZED ({_BACK}),
        deployed AS MATERIALIZED ({_DEPLOYED}),
        delivered AS MATERIALIZED ({_DELIVERED}),
        measured AS (
            SELECT p.number, figures.shown FROM ({_PERIODS}) AS p (number, start, stop)
            CROSS JOIN LATERAL ({_FIGURES}) AS figures
        )
        SELECT shown || jsonb_build_object(
            'system', s.key, 'environment', e.name, 'definition', '{DEFINITION}', 'waiting', waiting.shown,
            'periods', (SELECT coalesce(jsonb_agg(shown ORDER BY number), '[]') FROM measured WHERE number > 0)
        )
        FROM measured WHERE number = 0
    )::text AS metrics
    FROM chosen s
    LEFT JOIN LATERAL (
        SELECT id, name, rank FROM environments WHERE system_id = s.id ORDER BY rank DESC LIMIT 1
    ) AS e ON true
    LEFT JOIN LATERAL (
        SELECT id FROM environments WHERE system_id = s.id AND rank < e.rank ORDER BY rank DESC LIMIT 1
    ) AS before ON true
    CROSS JOIN LATERAL (
        -- The end of the hour is the same for all pages of a list, and keeps the ETag of an unchanged answer.
        SELECT coalesce(%(from)s::timestamptz, stop - interval '{DEFAULT_DAYS} days') AS start, stop
        FROM (
            SELECT coalesce(
                %(to)s::timestamptz, date_trunc('hour', statement_timestamp()) + interval '1 hour'
            ) AS stop
        ) AS asked
    ) AS w
    CROSS JOIN LATERAL ({_WAITING}) AS waiting
    ORDER BY s.key
"""

_OF_SYSTEM = Prepared(f"WITH chosen AS (SELECT id, key FROM systems WHERE key = %(system)s) {_METRICS}")
_OVER_SYSTEMS = Prepared(
    f"""
    WITH chosen AS (
        SELECT id, key FROM systems
        WHERE (%(only)s::text[] IS NULL OR key = ANY (%(only)s)) AND (%(after)s::text IS NULL OR key > %(after)s)
        ORDER BY key LIMIT %(limit)s
    ) {_METRICS}
    """
)


def get(db: Database, system: str, start: datetime | None, end: datetime | None, per: str | None) -> Metrics | None:
    """Return the metrics of a system. None if the system does not exist."""
    found = db.select(_decoded, _OF_SYSTEM, system=system, to=end, per=per, **{"from": start})
    return found[0] if found else None


def list_(
    db: Database,
    start: datetime | None,
    end: datetime | None,
    *,
    only: list[str] | None,
    limit: int,
    after: tuple[Any, ...] | None,
) -> list[Metrics]:
    """Return the metrics of the next systems by key. `only` has the keys of the systems that the caller may see."""
    return db.select(
        _decoded,
        _OVER_SYSTEMS,
        only=only,
        after=after[0] if after else None,
        limit=limit,
        to=end,
        per=None,
        **{"from": start},
    )


def _decoded(metrics: str) -> Metrics:
    return msgspec.json.decode(metrics, type=Metrics)
