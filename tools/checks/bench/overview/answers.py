"""The benchmark of the overview: its cost, and that a system with many records does not make it slow for everybody."""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import closing

from chalicelib.database.connection import connect
from tools.checks.bench.figures import Figure, fastest
from tools.checks.bench.service import SYSTEMS, ask, asked, event
from tools.local.gateway_event import Event
from tools.local.postgres import SUPERUSER, as_login

OVERVIEW = "/v1/overview"
PAGE = 50
ROUNDS = 21

# 500 systems with four environments each, and in each environment 20 deployments of 3 commits and a verification. In
# every third system, each environment is one deployment behind the one before. All production environments are frozen.
_SYSTEMS = """
    INSERT INTO systems (key, name, description, artifact_kind)
    SELECT 'aa-' || to_char(number, 'FM000'), 'Made', '', 'tree' FROM generate_series(1, 500) AS number;

    INSERT INTO environments (system_id, name, rank, production, required_soak_seconds, required_suites)
    SELECT id, 'environment-' || rank, rank, rank = 4, 3600, '{}'
    FROM systems CROSS JOIN generate_series(1, 4) AS rank WHERE key LIKE 'aa-%';

    INSERT INTO deployments (system_id, environment_id, artifact, kind, state, imported, commit_count,
        started_at, finished_at, issuer, created_by)
    SELECT system_id, e.id, 'tree:' || to_char(number - CASE WHEN s.id % 3 = 0 THEN rank ELSE 0 END + 4,
            'FM' || repeat('0', 40)), 'rollout', 'succeeded', true, 3,
        now() - (100 - number) * interval '1 hour', now() - (100 - number) * interval '1 hour', 'bench', 'bench'
    FROM environments e JOIN systems s ON s.id = system_id CROSS JOIN generate_series(1, 20) AS number
    WHERE key LIKE 'aa-%' ORDER BY number;

    INSERT INTO verifications (system_id, deployment_id, environment_id, artifact, suite, trigger, outcome, started_at,
        finished_at, imported, issuer, created_by)
    SELECT system_id, d.id, environment_id, artifact, 'acceptance', 'deployment', 'success', finished_at, finished_at,
        true, 'bench', 'bench'
    FROM deployments d JOIN systems s ON s.id = system_id WHERE key LIKE 'aa-%';

    INSERT INTO holds (system_id, kind, production, reason, starts_at, ends_at, recurrence, blocks_rollbacks,
        created_at, issuer, created_by)
    VALUES (NULL, 'freeze', true, 'Weekends', now(), NULL, '{"by_day": ["MO", "TU", "WE", "TH", "FR", "SA", "SU"],
        "from": "16:00", "to": "15:59", "days": 1, "time_zone": "Europe/Berlin"}', false, now(), 'bench', 'bench');
"""
# The first system of the list gets 150 deployments to its first environment, and then 50 of them to its second one.
# Each has 9500 commits, and the last ones 20,000 verifications.
_MANY = """
    INSERT INTO deployments (system_id, environment_id, artifact, kind, state, imported, commit_count,
        started_at, finished_at, issuer, created_by)
    SELECT system_id, e.id, 'tree:' || to_char(1000 + number, 'FM' || repeat('0', 40)), 'rollout', 'succeeded', true,
        9500, now() - (300 - number) * interval '1 minute', now() - (300 - number) * interval '1 minute',
        'bench', 'bench'
    FROM environments e JOIN systems s ON s.id = system_id
        CROSS JOIN LATERAL generate_series(1, CASE rank WHEN 1 THEN 150 ELSE 50 END) AS number
    WHERE key = 'aa-001' AND rank < 3 ORDER BY number;

    INSERT INTO verifications (system_id, deployment_id, environment_id, artifact, suite, trigger, outcome, started_at,
        finished_at, imported, issuer, created_by)
    SELECT system_id, d.id, environment_id, artifact, 'acceptance', 'deployment', 'success', finished_at,
        finished_at + number * interval '1 ms', true, 'bench', 'bench'
    FROM deployments d JOIN systems s ON s.id = system_id CROSS JOIN generate_series(1, 20000) AS number
    WHERE key = 'aa-001' AND commit_count = 9500 AND d.id IN (SELECT max(id) FROM deployments GROUP BY environment_id);
"""
_COMMITS = """
    INSERT INTO deployment_commits (deployment_id, environment_id, sha, authored_at)
    SELECT d.id, d.environment_id, md5(d.artifact || number) || '00000000', now()
    FROM deployments d JOIN systems s ON s.id = system_id CROSS JOIN generate_series(1, commit_count) AS number
    WHERE key LIKE 'aa-%';
    ANALYZE;
"""


def figures() -> Iterator[Figure]:
    """Yield the time of a page, divided by that of one row, and the time of a page with the system of many records."""
    with closing(connect(as_login(os.environ["DATABASE_URL"], SUPERUSER))) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            # Triggers, which check foreign keys too, would take most of the time.
            cursor.execute("SET statement_timeout = 0; SET session_replication_role = replica")
            cursor.execute(_SYSTEMS + _MANY + _COMMITS)
    second = asked(_page(1))["next"]
    one = event(f"GET {SYSTEMS}/{{system}}", system="aa-002")
    with_it, without, row = fastest(
        _milliseconds(_page(PAGE)),
        _milliseconds(_page(PAGE, cursor=second)),
        _milliseconds(one),
        rounds=ROUNDS,
    )
    yield Figure(
        f"overview: {PAGE} systems, one with 1.9 m commits",
        with_it / without,
        "times",
        1.5,
        f"{with_it:.1f} ms, without it {without:.1f} ms, with PostgreSQL's work",
    )
    yield Figure(
        f"overview: {PAGE} systems, compared with one row",
        without / row,
        "times",
        60,
        f"{without:.1f} ms, one row {row:.2f} ms, with PostgreSQL's work",
    )


def _page(limit: int, **cursor: str) -> Event:
    return event(f"GET {OVERVIEW}", query={"limit": str(limit), **cursor})


def _milliseconds(page: Event) -> Callable[[], float]:
    """Return a function that asks for the page, and returns the milliseconds that pass."""

    def spend() -> float:
        started = time.perf_counter_ns()
        ask(page)
        return (time.perf_counter_ns() - started) / 1_000_000

    return spend
