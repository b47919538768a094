"""Measure the journeys of the load test, with the handler in this process, and pgbench on the same PostgreSQL."""

import json
import operator
import os
import platform
import re
import subprocess
import time
import uuid
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import psutil
from psycopg2.extensions import make_dsn

import app as application
from chalicelib.database import POSTGRES_MAJOR
from chalicelib.database.connection import database
from tools.checkout import ToolError
from tools.checks.bench import packages, service
from tools.checks.bench.exchanges import recorded
from tools.local.acceptance.system import ENVIRONMENTS
from tools.local.load.journeys import Answer, Journey, Unexpected
from tools.local.load.mixes import journeys
from tools.local.postgres import SUPERUSER

SYSTEM = "load-1"
# About the history of a project of two years, in each of its environments.
DEPLOYMENTS = 50
SECONDS = 3.0  # for each journey and each kind of transaction
_SETTLING_SECONDS = 0.5
_SCALE = 10  # pgbench's table has 100,000 rows for each unit


class Cost(NamedTuple):
    """The average cost of a request, in milliseconds. `share` is the part of all requests that are like this.

    `function` is the function's processor time, and `postgres` PostgreSQL's. `took` is the whole time. `requests` is
    how many requests the journey has, each to another method.
    """

    name: str
    requests: float
    share: float
    trips: float
    took: float
    function: float
    postgres: float
    kilobytes: float


class Floor(NamedTuple):
    """The cost of a transaction of pgbench. No service can be cheaper."""

    name: str
    clients: int
    per_second: float
    postgres: float


class Measured(NamedTuple):
    """Everything that was measured here."""

    machine: str
    on: str
    costs: list[Cost]
    floors: list[Floor]

    @property
    def mean(self) -> Cost:
        """The cost of a request of the whole mix."""
        columns = list(zip(*self.costs, strict=True))
        shares = columns[2]
        means = (sum(map(operator.mul, shares, column)) for column in columns[3:])
        return Cost("all", sum(columns[1]), sum(shares), *means)


def measure(seconds: float = SECONDS) -> Measured:
    """Measure on a new database, which has the records of 500 systems."""
    with service.on_a_database():
        packages.fill(DEPLOYMENTS)
        return Measured(_machine(), f"{datetime.now(UTC):%d %B %Y}", [*costs(seconds)], [*floors(seconds)])


def costs(seconds: float) -> Iterator[Cost]:
    """Yield the cost of each journey, which is repeated for some seconds on the database of this stage."""
    _prepare()
    postmaster = _postmaster()
    found = journeys()
    requests = sum(each.per_hour * each.requests for each in found)
    for journey in found:
        yield _cost(journey, journey.per_hour * journey.requests / requests, seconds, postmaster)


def floors(seconds: float, scale: int = _SCALE) -> Iterator[Floor]:
    """Yield the costs of pgbench's transactions on the same PostgreSQL."""
    postmaster = _postmaster()
    address = make_dsn(os.environ["DATABASE_URL"], user=SUPERUSER)
    pgbench = Path(postmaster.exe()).with_name("pgbench")
    _pgbench(pgbench, "--initialize", "--quiet", f"--scale={scale}", address)
    for name, script in (("SELECT of one row", "select-only"), ("UPDATE, SELECT and INSERT", "simple-update")):
        for clients in sorted({1, os.cpu_count() or 1}):
            before = _settled_time(postmaster)
            said = _pgbench(
                pgbench,
                *(f"--builtin={script}", "--protocol=prepared", "--no-vacuum"),
                *(f"--client={clients}", f"--time={max(1, round(seconds))}", address),
            )
            per_second, count = (
                float(re.findall(pattern, said)[0]) for pattern in (r"tps = ([\d.]+)", r"actually processed: (\d+)")
            )
            yield Floor(name, clients, per_second, 1000 * (_settled_time(postmaster) - before) / count)


class _Caller:
    """Calls the handler as API Gateway does, as an admin."""

    def __init__(self) -> None:
        self.system = SYSTEM
        self.memory: dict[str, Any] = {}
        self.requests = self.bytes = 0

    def get(self, path: str, etag: str = "") -> Answer:
        return self._ask(f"GET {path}", more={"If-None-Match": etag} if etag else {})

    def post(self, path: str, body: Mapping[str, Any]) -> Answer:
        return self._ask(f"POST {path}", body, key=str(uuid.uuid4()))

    def patch(self, path: str, body: Mapping[str, Any], etag: str) -> Answer:
        return self._ask(f"PATCH {path}", body, more={"If-Match": etag})

    def _ask(self, route: str, body: Mapping[str, Any] | None = None, **given: Any) -> Answer:
        answer = application.app(service.event(route, body, role="admin", **given), None)
        text = answer["body"] or ""
        self.requests += 1
        self.bytes += len(text)
        if answer["statusCode"] not in (200, 201, 204, 304):
            raise Unexpected(f"{route} answered {answer['statusCode']}: {text[:300]}")
        headers = {**answer.get("headers", {}), **answer.get("multiValueHeaders", {})}
        etag = headers.get("ETag", "")
        return Answer(
            answer["statusCode"], json.loads(text) if text else None, etag if isinstance(etag, str) else etag[0]
        )


def _prepare() -> None:
    service.asked(service.event("POST /v1/systems", {"key": SYSTEM, "name": "Load tests"}, role="admin"))
    for name, rank in ENVIRONMENTS.items():
        body = {"name": name, "rank": rank}
        service.asked(service.event(f"POST /v1/systems/{SYSTEM}/environments", body, role="admin"))


def _cost(journey: Journey, share: float, seconds: float, postmaster: psutil.Process) -> Cost:
    caller = _Caller()
    for _ in range(5):  # fill caches, and prepare statements
        journey.run(caller)
    caller.requests = caller.bytes = 0
    with recorded() as exchanges:
        journey.run(caller)
    trips = len(exchanges) / caller.requests
    caller.requests = caller.bytes = 0
    of_postgres, of_function, started = _processor_time(postmaster), time.process_time(), time.perf_counter()
    while time.perf_counter() - started < seconds:
        journey.run(caller)
    spent = (
        time.perf_counter() - started,
        time.process_time() - of_function,
        _processor_time(postmaster) - of_postgres,
    )
    took, function, postgres = (1000 * each / caller.requests for each in spent)
    return Cost(
        journey.name, journey.requests, share, trips, took, function, postgres, caller.bytes / caller.requests / 1000
    )


def _pgbench(program: Path, *arguments: str) -> str:
    done = subprocess.run([program, *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        raise ToolError(f"pgbench failed: {done.stderr}")
    return done.stdout


def _postmaster() -> psutil.Process:
    """Return the process that starts a process for each connection to PostgreSQL."""
    connection = database()
    try:
        parent = psutil.Process(connection.value("SELECT pg_backend_pid()")).parent()
    finally:
        connection.close()
    assert parent is not None
    return parent


def _settled_time(postmaster: psutil.Process) -> float:
    """Return the processor time after the processes of closed connections have ended, so that all of it is counted."""
    time.sleep(_SETTLING_SECONDS)
    return _processor_time(postmaster)


def _processor_time(postmaster: psutil.Process) -> float:
    """Return the processor time of all processes of PostgreSQL, also of those that have ended, in seconds."""
    own = postmaster.cpu_times()
    spent = own.user + own.system + own.children_user + own.children_system
    for process in postmaster.children(recursive=True):
        try:
            times = process.cpu_times()
        except psutil.NoSuchProcess:
            continue
        spent += times.user + times.system
    return spent


def _machine() -> str:
    return f"{os.cpu_count()} cores of {_processor()}, Python {platform.python_version()}, PostgreSQL {POSTGRES_MAJOR}"


def _processor() -> str:
    try:
        found = re.search(r"^model name\s*: (.+)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    except OSError:
        found = None
    return found[1] if found else platform.machine()
