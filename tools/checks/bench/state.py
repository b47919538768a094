"""The benchmark of the list of states: a system with many records must not make the list slow for everybody."""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import closing

from chalicelib.database.connection import connect
from tools.checks.bench.figures import Figure, fastest
from tools.checks.bench.service import ask, asked, event
from tools.local.gateway_event import Event
from tools.local.postgres import SUPERUSER, as_login

STATES = "/v1/state"
PAGE = 50
ROUNDS = 21

# 500 systems with three environments each, and in each environment 20 deployments of 3 commits and a verification.
_SYSTEMS = """
    INSERT INTO systems (key, name, description, artifact_kind)
    SELECT 'aa-' || to_char(number, 'FM000'), 'Made', '', 'tree' FROM generate_series(1, 500) AS number;

    INSERT INTO environments (system_id, name, rank, production, required_soak_seconds, required_suites)
    SELECT id, 'environment-' || rank, rank, false, 0, '{}'
    FROM systems CROSS JOIN generate_series(1, 3) AS rank WHERE key LIKE 'aa-%';

    INSERT INTO deployments (system_id, environment_id, artifact, kind, state, imported, commit_count,
        started_at, finished_at, issuer, created_by)
    SELECT system_id, e.id, 'tree:' || to_char(number, 'FM' || repeat('0', 40)), 'rollout', 'succeeded', true, 3,
        now() - (100 - number) * interval '1 hour', now() - (100 - number) * interval '1 hour', 'bench', 'bench'
    FROM environments e JOIN systems s ON s.id = system_id CROSS JOIN generate_series(1, 20) AS number
    WHERE key LIKE 'aa-%' ORDER BY number;

    INSERT INTO verifications (system_id, deployment_id, environment_id, artifact, suite, trigger, outcome, started_at,
        finished_at, imported, issuer, created_by)
    SELECT system_id, d.id, environment_id, artifact, 'acceptance', 'deployment', 'success', finished_at, finished_at,
        true, 'bench', 'bench'
    FROM deployments d JOIN systems s ON s.id = system_id WHERE key LIKE 'aa-%';
"""
# The first system of the list gets 150 deployments to its first environment, and then 50 of them to its second one.
_MANY = """
    INSERT INTO deployments (system_id, environment_id, artifact, kind, state, imported, commit_count,
        started_at, finished_at, issuer, created_by)
    SELECT system_id, e.id, 'tree:' || to_char(1000 + number, 'FM' || repeat('0', 40)), 'rollout', 'succeeded', true,
        9500, now() - (300 - number) * interval '1 minute', now() - (300 - number) * interval '1 minute',
        'bench', 'bench'
    FROM environments e JOIN systems s ON s.id = system_id
        CROSS JOIN LATERAL generate_series(1, CASE rank WHEN 1 THEN 150 ELSE 50 END) AS number
    WHERE key = 'aa-001' AND rank < 3 ORDER BY number;
"""
_COMMITS = """
    INSERT INTO deployment_commits (deployment_id, environment_id, sha, authored_at)
    SELECT d.id, d.environment_id, md5(d.artifact || number) || '00000000', now()
    FROM deployments d JOIN systems s ON s.id = system_id CROSS JOIN generate_series(1, commit_count) AS number
    WHERE key LIKE 'aa-%';
    ANALYZE;
"""


def figures() -> Iterator[Figure]:
    """Yield the time of a page with the system that has many commits, divided by the time of a page without it."""
    with closing(connect(as_login(os.environ["DATABASE_URL"], SUPERUSER))) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            # Triggers, which check foreign keys too, would take most of the time.
            cursor.execute("SET statement_timeout = 0; SET session_replication_role = replica")
            cursor.execute(_SYSTEMS + _MANY + _COMMITS)
    second = asked(_page(1))["next"]
    with_it, without = fastest(_milliseconds(_page(PAGE)), _milliseconds(_page(PAGE, cursor=second)), rounds=ROUNDS)
    yield Figure(
        f"state: {PAGE} systems, one with 1.9 m commits",
        with_it / without,
        "times",
        1.5,
        f"{with_it:.1f} ms, without it {without:.1f} ms, with PostgreSQL's work",
    )


def _page(limit: int, **cursor: str) -> Event:
    return event(f"GET {STATES}", query={"limit": str(limit), **cursor})


def _milliseconds(page: Event) -> Callable[[], float]:
    """Return a function that asks for the page, and returns the milliseconds that pass."""

    def spend() -> float:
        started = time.perf_counter_ns()
        ask(page)
        return (time.perf_counter_ns() - started) / 1_000_000

    return spend
