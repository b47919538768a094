"""Ask every GET, and the gate, of a registry with 2 million deployments. Run it with `make bench SCALE=1`.

Each figure is the median time of a request, divided by that of a request that reads one row by an index. A statement
that reads a large table from its start to its end counts as a fault.
"""

import math
import os
import re
import statistics
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from functools import cache
from hashlib import md5
from typing import Any, cast

import msgspec

import app as application
from chalicelib.database.connection import connect
from chalicelib.rest.declaration import Operation
from chalicelib.rest.operation import OPERATIONS
from tools.checks.bench.exchanges import recorded
from tools.checks.bench.figures import Figure
from tools.checks.bench.service import ask, asked, event
from tools.local.gateway_event import Event
from tools.local.postgres import SUPERUSER, as_login

ROUNDS = 15
PAGE = 50
# A table of more rows is large.
LARGE = 20_000
SYSTEM = "made-250"

# 500 systems with four environments each, and in each environment some deployments of two commits, with a verification
# and a promotion.
_DATA = """
    INSERT INTO systems (key, name, repository, description, artifact_kind)
    SELECT 'made-' || to_char(number, 'FM000'), 'Made ' || number, 'https://github.com/example/' || number, '', 'tree'
    FROM generate_series(1, 500) AS number;

    INSERT INTO environments (system_id, name, rank, production, required_soak_seconds, required_suites)
    SELECT id, (ARRAY['development', 'integration', 'preproduction', 'production'])[rank], rank, rank = 4, 3600,
        '{acceptance}'
    FROM systems CROSS JOIN generate_series(1, 4) AS rank WHERE key LIKE 'made-%';

    INSERT INTO promotions (system_id, environment_id, artifact, decision, blockers, more_blockers, decided_at,
        decided_by)
    SELECT system_id, e.id, 'tree:' || md5(system_id || '-' || number) || '00000000', 'granted', '[]', false,
        now() - (1010 - number) * interval '6 hours' - rank * interval '1 hour', 'bench'
    FROM generate_series(1, %(deployments)s) AS number CROSS JOIN environments e JOIN systems s ON s.id = system_id
    WHERE key LIKE 'made-%';

    INSERT INTO deployments (system_id, environment_id, artifact, revision, kind, state, imported, commit_count,
        lease_seconds, lease_expires_at, started_at, finished_at, issuer, created_by)
    SELECT system_id, environment_id, artifact, md5('r' || artifact) || '00000000',
        CASE id % 50 WHEN 1 THEN 'rollback' WHEN 2 THEN 'hotfix' ELSE 'rollout' END,
        CASE id % 20 WHEN 1 THEN 'failed' ELSE 'succeeded' END,
        false, 2, 3600, decided_at + interval '1 hour', decided_at, decided_at + interval '5 minutes', 'bench', 'bench'
    FROM promotions ORDER BY decided_at;

    INSERT INTO deployment_commits (deployment_id, environment_id, sha, authored_at)
    SELECT id, environment_id, md5(artifact || number) || '00000000', started_at - number * interval '1 hour'
    FROM deployments CROSS JOIN generate_series(1, 2) AS number;

    INSERT INTO verifications (system_id, deployment_id, environment_id, artifact, suite, trigger, outcome, started_at,
        finished_at, imported, issuer, created_by, created_at)
    SELECT system_id, id, environment_id, artifact, 'acceptance', 'deployment',
        CASE id % 30 WHEN 1 THEN 'failure' ELSE 'success' END, finished_at, finished_at + interval '5 minutes', false,
        'bench', 'bench', finished_at + interval '5 minutes'
    FROM deployments WHERE state = 'succeeded';

    INSERT INTO audit_events (at, system_key, issuer, principal, action, resource, request_id)
    SELECT started_at, s.key, 'bench', 'bench', 'deployment.open', s.key || '/deployments/' || d.id, 'bench'
    FROM deployments d JOIN systems s ON s.id = d.system_id WHERE d.id % 10 = 0 ORDER BY d.id;
    VACUUM ANALYZE;
"""


def at_scale() -> Iterator[Figure]:
    """Yield the time of each request, divided by the time of a request for one row."""
    with closing(connect(as_login(os.environ["DATABASE_URL"], SUPERUSER))) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            _insert(cursor, deployments=1000)
            cursor.execute("SELECT relname FROM pg_class WHERE relkind = 'r' AND reltuples > %s", [LARGE])
            large = {name for (name,) in cursor.fetchall()}
            one_row = event("GET /v1/systems/{system}/deployments/{id}", system=SYSTEM, id=_path()["id"])
            of_one_row = _milliseconds(one_row)
            yield Figure("one row", of_one_row * 1000, "µs", None, "the unit of the figures below")
            first = 0.0
            for what, sent, bound in _requests():
                spent = _milliseconds(sent)
                scanned = sorted(_scanned(sent, cursor) & large)
                detail = f"{spent:.2f} ms" + (f"; it reads all of {', '.join(scanned)}" if scanned else "")
                times = math.inf if scanned else spent / of_one_row
                # A page costs the same wherever it is.
                yield Figure(what, times, "times", round(2 * first, 2) if what.endswith(_LAST_PAGE) else bound, detail)
                first = times


def fill(deployments: int) -> None:
    """Record 500 systems, with this number of deployments to each of their four environments."""
    with closing(connect(as_login(os.environ["DATABASE_URL"], SUPERUSER))) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            _insert(cursor, deployments)


def _insert(cursor: Any, deployments: int) -> None:
    # Triggers, which check foreign keys too, would take most of the time.
    cursor.execute("SET statement_timeout = 0; SET session_replication_role = replica")
    for statement in filter(str.strip, _DATA.split(";\n")):
        cursor.execute(statement.replace("%(deployments)s", str(deployments)))


def _requests() -> Iterator[tuple[str, Event, float]]:
    """Yield a request for each GET, for the deepest page of each list, and for each filter that nothing matches."""
    for declared in OPERATIONS:
        named = set(re.findall(r"{(\w+)}", declared.path))
        if declared.method != "GET" or declared.role == "public" or not named <= _path().keys():
            continue
        bound = BOUNDS.get(declared.path, OTHERWISE)
        path = {name: _path()[name] for name in named}
        filters = _filters(declared)
        paged = "cursor" in filters
        first = {"limit": str(PAGE)} if paged else {}
        name = declared.path.replace("/v1/systems/{system}", "…")

        def sent(query: Mapping[str, str], declared: Operation = declared, path: dict[str, str] = path) -> Event:
            return event(f"GET {declared.path.format(**path)}", query=query, role="admin")

        if not _is_there(sent(first)):
            continue
        yield name, sent(first), bound
        if paged:
            if (deepest := _deepest(sent)) is not None:
                yield f"{name}{_LAST_PAGE}", deepest, bound
            for each, value in filters.items():
                if value is not None and _is_there(sent({**first, each: value})):
                    yield f"{name}?{each}={value[:10]}", sent({**first, each: value}), bound
    gate = {"environment": "production", "artifact": _path()["artifact"], "dry_run": True}
    yield "the gate", event("POST /v1/systems/{system}/promotions", gate, system=SYSTEM), 5.0


# The bounds of requests, as multiples of the time of a request for one row.
BOUNDS = {
    "/v1/overview": 60.0,
    "/v1/systems/{system}/state": 10.0,
    "/v1/systems/{system}/metrics": 20.0,
    "/v1/metrics": 500.0,
    "/v1/systems/{system}/environments/{environment}/changes": 5.0,
}
OTHERWISE = 10.0
_LAST_PAGE = ", last page"


@cache
def _path() -> dict[str, str]:
    """Return values for the parameters of paths: those of the newest records of one system."""
    newest = asked(event("GET /v1/systems/{system}/deployments", query={"environment": "preproduction"}, system=SYSTEM))
    deployment = next(each for each in newest["items"] if each["state"] == "succeeded")
    return {
        "system": SYSTEM,
        "environment": "production",
        "id": deployment["id"],
        "artifact": deployment["artifact"],
        "sha": md5(f"{deployment['artifact']}1".encode(), usedforsecurity=False).hexdigest() + "00000000",
    }


def _filters(declared: Operation) -> dict[str, str | None]:
    """Return the query parameters of an operation, with values that match few rows or none."""
    if declared.query is None:
        return {}
    found: dict[str, str | None] = {}
    for field in cast(msgspec.inspect.StructType, msgspec.inspect.type_info(declared.query)).fields:
        found[field.encode_name] = _rare(field.encode_name, field.type)
    return found | ({"cursor": None, "limit": None} if "cursor" in found else {})


def _rare(name: str, type_: msgspec.inspect.Type) -> str | None:
    match type_:
        case msgspec.inspect.Metadata():
            return _rare(name, type_.type)
        case msgspec.inspect.UnionType():
            return next(filter(None, (_rare(name, each) for each in type_.types)), None)
        case msgspec.inspect.LiteralType():
            return str(type_.values[-1])
        case msgspec.inspect.DateTimeType():
            return "1970-01-02T00:00:00Z" if name == "to" else "2199-01-01T00:00:00Z"
        case msgspec.inspect.BoolType():
            return "true"
        case msgspec.inspect.StrType():
            return _OF_NOTHING.get(name, "nothing")
    return None


# Values of filters whose form is not a name.
_OF_NOTHING = {"artifact": f"tree:{'e' * 40}", "revision": "e" * 40, "action": "nothing.done", "deployment": "1"}


def _is_there(sent: Event) -> bool:
    return cast(int, application.app(sent, None)["statusCode"]) < 300


def _deepest(sent: Callable[[Mapping[str, str]], Event]) -> Event | None:
    """Return the request for the last page of a list. None if the list has one page."""
    query = {"limit": "200"}
    last = None
    while (after := asked(sent(query))["next"]) is not None:
        query = {"limit": "200", "cursor": after}
        last = {"limit": str(PAGE), "cursor": after}
    return None if last is None else sent(last)


def _milliseconds(sent: Event) -> float:
    """Return the median time of a request in milliseconds."""
    taken = []
    for _ in range(ROUNDS):
        started = time.perf_counter_ns()
        ask(sent)
        taken.append(time.perf_counter_ns() - started)
    return statistics.median(taken) / 1_000_000


def _scanned(sent: Event, cursor: Any) -> set[str]:
    """Return the tables that the statements of a request read from start to end."""
    with recorded() as exchanges:
        ask(sent)
    found: set[str] = set()
    for exchange in exchanges:
        for statement in exchange.message.split(";\n"):
            if statement.lstrip().startswith(("SELECT", "WITH")) and "INSERT" not in statement:
                cursor.execute(f"EXPLAIN (FORMAT JSON) {statement}")
                found |= set(_scans(cursor.fetchone()[0]))
    return found


def _scans(plan: Any) -> Iterator[str]:
    if isinstance(plan, list):
        for each in plan:
            yield from _scans(each)
    elif isinstance(plan, dict):
        if plan.get("Node Type") == "Seq Scan":
            yield plan["Relation Name"]
        yield from _scans([each for each in plan.values() if isinstance(each, dict | list)])
