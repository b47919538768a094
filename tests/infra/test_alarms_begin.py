"""Alarms of production begin when the service is broken: its log lines carry metrics that cross their thresholds."""

import json
import time
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from chalicelib import NAME
from chalicelib.database.connection import forget_connections
from chalicelib.rest import observing
from chalicelib.sweep import schedule
from chalicelib.telemetry import logs
from tests.support import alarms, modules
from tests.support.stage import SCHEDULED
from tools.aws.terraform import missing
from tools.checks.policy.plans import RUNS

pytestmark = pytest.mark.skipif(missing() is not None, reason=f"infrastructure: {missing()}")

[PRODUCTION] = [run for run in RUNS if run.name == "production"]
WINDOWS = ("1h", "5m", "6h", "30m")
# Fewer bad requests begin no alarm.
REQUESTS = 6


@pytest.fixture
def begun(monkeypatch: pytest.MonkeyPatch) -> Callable[[], set[str]]:
    """`begun()` returns the names of the alarms that the service's log lines so far begin.

    CloudWatch has no other metric then, so only alarms whose own metrics are in the lines can begin.
    """
    lines: list[str] = []
    monkeypatch.setattr(logs, "sink", lines.append)
    monkeypatch.setattr(logs, "place", lambda: {"environment": "production", "workspace": "default"})
    planned = alarms.alarms(modules.arguments(PRODUCTION))

    def begun() -> set[str]:
        values = alarms.embedded([json.loads(line) for line in lines])
        ours = [each for each in planned if any(metric.is_ours for metric in each.metrics.values())]
        return {each.name.removeprefix(f"{NAME}-production-") for each in ours if each.crosses(values)} - OF_TOOLS

    return begun


# Their metrics come from tools. Without them, jobs are overdue.
OF_TOOLS = {"reaper-overdue-personal", "reaper-overdue-debug", "verification-overdue"}


def test_a_service_that_works_begins_no_alarm(api: Any, begun: Callable[[], set[str]]) -> None:
    for _ in range(REQUESTS):
        assert api.get("/v1/systems").status == 200
    sweep()

    assert begun() == set()


def test_a_database_that_is_gone_begins_the_alarms_about_errors_and_the_database(
    api: Any, begun: Callable[[], set[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://127.0.0.1:1/none")
    forget_connections()

    for _ in range(REQUESTS):
        assert api.get("/v1/systems").status == 503

    assert begun() == {*(f"errors-{each}" for each in WINDOWS), "database-failures", "sweep-overdue"}


@pytest.mark.parametrize("class_", ["read", "write"])
def test_slow_requests_begin_the_alarms_about_the_latency_of_their_class(
    class_: str, api: Any, begun: Callable[[], set[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    # Each request seems to take more than a second longer than it does.
    monkeypatch.setattr(observing, "time", SimpleNamespace(perf_counter=lambda: time.perf_counter() + 1.1))

    for number in range(REQUESTS):
        system = {"key": f"azul-{number}", "name": "Azul"}
        answer = api.get("/v1/systems") if class_ == "read" else api.post("/v1/systems", system)
        assert answer.status in (200, 201)

    assert begun() == {*(f"latency-{class_}-{each}" for each in WINDOWS), "sweep-overdue"}


def test_a_sweep_that_fails_is_overdue(
    stage: None, begun: Callable[[], set[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://127.0.0.1:1/none")
    forget_connections()

    with pytest.raises(schedule.SweepIncomplete):
        sweep()

    assert begun() == {"database-failures", "sweep-overdue"}


def sweep() -> None:
    """Run the scheduled function as EventBridge does."""
    schedule.sweep(SCHEDULED, SimpleNamespace(aws_request_id="request-1"))
