"""Send a service the load, as Locust runs it. `make load` starts Locust in a process of its own.

Locust replaces parts of Python's standard library by gevent's. So only this file imports Locust, and no test and no
tool imports this file.
"""

import csv
import itertools
import json
import math
import os
import threading
import time
import uuid
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import gevent
import requests
from gevent.event import Event
from locust import HttpUser, constant_pacing, events, task
from locust.stats import PERCENTILES_TO_REPORT, StatsCSV

from tools.checkout import USER_AGENT
from tools.local.acceptance.service import CONNECT_SECONDS, READ_SECONDS, operation_of
from tools.local.acceptance.settings import is_loopback
from tools.local.acceptance.system import may
from tools.local.load.journeys import Answer, Journey, Share, Unexpected, shares
from tools.local.load.mixes import journeys
from tools.local.load.sending import BROKEN, JOURNEY, WARM_UP_SECONDS, Terms
from tools.slipway_client import client

FOLDER = Path(os.environ["LOAD_FOLDER"])
TERMS = Terms.read(FOLDER)
TOKEN_SECONDS = 120  # GitHub's tokens last five minutes


class Token:
    """The token that all callers send. In a job of a workflow, get a new token before the old one expires."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._token, self._until = os.environ.get("TOKEN", ""), float("inf" if os.environ.get("TOKEN") else 0)

    def __str__(self) -> str:
        with self._lock:
            if time.monotonic() >= self._until:
                self._token = client.token(os.environ)
                self._until = time.monotonic() + TOKEN_SECONDS
            return self._token


TOKEN = Token()


class Uncounted:
    """Stands in for Locust's event that counts a request."""

    @staticmethod
    def fire(**_: Any) -> None:
        pass


class Visitor(HttpUser):
    """A caller who repeats a journey. The first repetition is not counted, because it wakes up the service."""

    abstract = True
    host = TERMS.url
    journey: Journey
    numbers: Iterator[int]
    seconds: float  # from the begin of a repetition to the next one

    def on_start(self) -> None:
        VISITORS.append(self)
        self.due: float | None = None  # when the first repetition that counts is to begin
        number = next(self.numbers)
        self.system = TERMS.systems[number % len(TERMS.systems)]
        self.memory: dict[str, Any] = {}
        self.client.trust_env = not is_loopback(TERMS.url)  # no proxy for a service on this machine
        counted, self.client.request_event = self.client.request_event, Uncounted
        self._go()
        self.client.request_event = counted
        wait = number / self.fixed_count * self.seconds  # the callers of a journey take turns
        self.due = time.monotonic() + wait
        if [each.due is not None for each in VISITORS].count(True) == sum(each.callers for each in SHARES):
            ALL_AWAKE.set()
        gevent.sleep(wait)

    @task
    def visit(self) -> None:
        started = time.perf_counter()
        self._go()
        milliseconds = (time.perf_counter() - started) * 1000
        self.environment.events.request.fire(
            request_type=JOURNEY, name=self.journey.name, response_time=milliseconds, response_length=0
        )

    def repetitions(self, until: float) -> int:
        """Return how many repetitions were to begin until a time."""
        assert self.due is not None
        return max(0, math.ceil((until - self.due) / self.seconds))

    def get(self, path: str, etag: str = "") -> Answer:
        return self._ask("GET", path, headers={"If-None-Match": etag} if etag else {})

    def post(self, path: str, body: Mapping[str, Any]) -> Answer:
        return self._ask("POST", path, body, {"Idempotency-Key": str(uuid.uuid4())})

    def patch(self, path: str, body: Mapping[str, Any], etag: str) -> Answer:
        return self._ask("PATCH", path, body, {"If-Match": etag})

    def _go(self) -> None:
        try:
            self.journey.run(self)
        except Unexpected:
            self.memory.clear()  # Locust has counted the fault, and the next repetition starts afresh

    def _ask(
        self, method: str, path: str, body: Mapping[str, Any] | None = None, headers: Mapping[str, str] | None = None
    ) -> Answer:
        with self.client.request(
            method,
            path,
            name=operation_of(method, path),
            catch_response=True,
            data=None if body is None else json.dumps(body),
            headers={
                "Authorization": f"Bearer {TOKEN}",
                "Content-Type": "application/json",
                "User-Agent": USER_AGENT,
                **(headers or {}),
            },
            timeout=(CONNECT_SECONDS, READ_SECONDS),
            allow_redirects=False,
            auth=lambda request: request,  # else `requests` would send this machine's login from ~/.netrc
        ) as response:
            if (fault := _fault(response)) is None:
                response.success()
            else:
                response.failure(fault)
        if fault is not None:
            raise Unexpected(fault)
        found = json.loads(response.content) if response.content else None
        return Answer(response.status_code, found, response.headers.get("ETag", ""))


def _fault(response: requests.Response) -> str | None:
    """Say what is wrong with an answer, without ids: Locust counts the faults with one text together."""
    if response.status_code == 0:  # Locust's stand-in for an answer that did not come
        return f"no answer: {type(response.error).__name__}"
    if response.status_code in (200, 201, 204, 304):
        return None
    problem = ""
    if response.headers.get("Content-Type") == "application/problem+json":
        problem = str(json.loads(response.content).get("type", "")).removeprefix("/problems/")
    return f"{response.status_code} {problem}".rstrip()


def _visitor(share: Share) -> type[Visitor]:
    return type(
        share.journey.name.title().replace(" ", ""),
        (Visitor,),
        {
            "journey": share.journey,
            "numbers": itertools.count(),
            "seconds": share.callers / share.per_second,
            "fixed_count": share.callers,
            "wait_time": constant_pacing(share.callers / share.per_second),
        },
    )


ALLOWED = [each for each in journeys() if all(may(TERMS.roles, each.role, key) for key in TERMS.systems)]
SHARES = shares(ALLOWED, TERMS.systems)
VISITORS: list[Visitor] = []
ALL_AWAKE = Event()  # set when each caller has made its journey once
globals().update({each.__name__: each for each in map(_visitor, SHARES)})  # Locust takes the classes in this module


@events.init.add_listener
def start_all_callers(environment: Any, **_: Any) -> None:
    """Start each caller at once, instead of Locust's one in a second."""
    environment.parsed_options.num_users = environment.parsed_options.spawn_rate = sum(each.callers for each in SHARES)


@events.test_start.add_listener
def stop_in_time(environment: Any, **_: Any) -> None:
    """End the run some seconds after each caller has made its journey once, or tried to for WARM_UP_SECONDS."""
    gevent.spawn(_stop_in_time, environment.runner)


def _stop_in_time(runner: Any) -> None:
    ALL_AWAKE.wait(WARM_UP_SECONDS)
    for visitor in VISITORS:
        if visitor.due is None:
            visitor.due = time.monotonic()
    gevent.sleep(TERMS.seconds)
    now = time.monotonic()
    planned = Counter({each.journey.name: 0 for each in SHARES})
    for visitor in VISITORS:
        planned[visitor.journey.name] += visitor.repetitions(now)
    (FOLDER / "planned.json").write_text(json.dumps(planned))
    runner.quit()


@events.quitting.add_listener
def end(environment: Any, **_: Any) -> None:
    """Write the CSV files. End with BROKEN if a journey itself is wrong: `make load` judges the service's answers.

    Locust's option --csv writes them each second, and fails at times if the run ends at that moment.
    """
    tables = StatsCSV(environment, PERCENTILES_TO_REPORT)
    for name, write in (("requests", tables.requests_csv), ("failures", tables.failures_csv)):
        with (FOLDER / f"{name}.csv").open("w", newline="") as file:
            write(csv.writer(file))
    environment.process_exit_code = BROKEN if environment.runner.exceptions else 0
