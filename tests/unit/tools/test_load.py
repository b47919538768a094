"""The load test judges what it measured by the objectives, and only its own process imports Locust."""

import re
import time
from collections import Counter
from typing import Any

import jwt
import pytest

from tests.support.checkout import ROOT
from tools.checkout import ENVIRONMENTS, ToolError, UsageError
from tools.checks.capacity.computing import requests_of_an_address
from tools.local.load import run
from tools.local.load.journeys import Caller, Journey, shares
from tools.local.load.judgement import Journeys, Measured, Operation, judge, objectives
from tools.local.load.mixes import journeys
from tools.local.load.sending import JOURNEY, measured

WANTED = {
    "availability": 0.99,
    "latency": {"read": {"milliseconds": 500, "share": 0.95}, "write": {"milliseconds": 1000, "share": 0.95}},
}
GIVEN = {
    **dict.fromkeys(("TOKEN", "SECONDS", "REPORT", "CONFIRM"), ""),
    **dict.fromkeys(("READ_ONLY", "PRODUCTION"), "0"),
    "URL": "https://service.example.org",
    "SYSTEM": "load",
    "PROFILE": "smoke",
}


def reads(count: int, *, slow: int = 0, failures: int = 0) -> Operation:
    return Operation("get_system", "read", Counter({500.0: count - slow, 501.0: slow}), failures)


def verdicts(*operations: Operation, journeys: tuple[Journeys, ...] = ()) -> list[bool]:
    return [check.holds for check in judge(Measured(operations, journeys, {}), WANTED)]


def test_a_load_within_all_objectives_passes() -> None:
    assert verdicts(reads(100, slow=5, failures=1), journeys=(Journeys("browse", 10, 7),)) == [True, True, True]


def test_too_many_failures_fail_the_load() -> None:
    assert verdicts(reads(100, failures=2)) == [False, True]


def test_too_many_slow_answers_of_one_class_fail_the_load() -> None:
    writes = Operation("create_system", "write", Counter({1000.0: 100}), 0)

    assert verdicts(reads(100, slow=6), writes) == [True, False, True]


def test_a_service_that_does_not_keep_up_fails_the_load() -> None:
    assert verdicts(reads(100), journeys=(Journeys("browse", 100, 78),)) == [True, True, False]


def test_a_load_without_any_answer_fails() -> None:
    assert verdicts(journeys=(Journeys("browse", 100, 0),)) == [False, False]


def test_a_percentile_is_the_time_of_an_answer() -> None:
    operation = Operation("get_system", "read", Counter({10.0: 98, 20.0: 1, 30.0: 1}), 0)

    assert [operation.percentile(share) for share in (0.5, 0.98, 0.99, 1)] == [10, 10, 20, 30]


def test_locusts_figures_are_read_as_operations_and_journeys() -> None:
    entries = [
        entry("GET", "get_system", {"12": 2, "14": 1}, failures=1),
        entry("PATCH", "change_system", {"40": 1}),
        entry(JOURNEY, "browse", {"90": 3}),
    ]

    found = measured(entries, {"browse": 4, "describe": 1}, {})

    assert [(each.name, each.class_, each.failures) for each in found.operations] == [
        ("get_system", "read", 1),
        ("change_system", "write", 0),
    ]
    assert found.operations[0].times == {12: 2, 14: 1}
    assert found.journeys == [Journeys("browse", 4, 3), Journeys("describe", 1, 0)]


def entry(method: str, name: str, times: dict[str, int], failures: int = 0) -> dict[str, Any]:
    requests = sum(times.values())
    return {
        "method": method,
        "name": name,
        "num_requests": requests,
        "num_failures": failures,
        "response_times": times,
    }


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_each_environment_has_the_objectives_that_the_load_needs(environment: str) -> None:
    wanted = objectives(environment)

    assert 0 < wanted["availability"] < 1
    assert wanted["latency"].keys() == {"read", "write"}
    assert all(limit.keys() >= {"milliseconds", "share"} for limit in wanted["latency"].values())


def test_missing_objectives_are_named() -> None:
    with pytest.raises(ToolError, match=r"infra/nowhere/objectives\.json"):
        objectives("nowhere")


def test_callers_that_must_be_alone_have_a_system_each() -> None:
    def nothing(caller: Caller) -> None:
        pass

    often = Journey("deploy", 36_000, 7, "pipeline", nothing, alone=True)
    seldom = often._replace(per_hour=1)
    together = often._replace(alone=False)

    assert [each.callers for each in shares([often, seldom, together], ["load-1", "load-2"])] == [2, 1, 30]


def test_the_sample_resource_is_loaded() -> None:
    assert {"browse", "describe"} <= {each.name for each in journeys()}


def test_one_address_may_send_the_load() -> None:
    # The acceptance tests run from the same address just before, so they need a part of its requests.
    sent = sum(each.per_hour * each.requests for each in journeys()) / 3600 * 300

    assert sent < 0.85 * requests_of_an_address()


@pytest.mark.parametrize("stage", ["local", "development", "preproduction"])
def test_a_stage_without_users_may_be_loaded(stage: str) -> None:
    run.require_permission(stage, GIVEN["URL"], GIVEN)


@pytest.mark.parametrize("stage", ["production", "another"])
@pytest.mark.parametrize(
    "said", [{}, {"PRODUCTION": "1"}, {"CONFIRM": "service.example.org"}, {"PRODUCTION": "1", "CONFIRM": "yes"}]
)
def test_a_stage_with_users_must_be_named_twice(stage: str, said: dict[str, str]) -> None:
    with pytest.raises(UsageError, match=r"PRODUCTION=1 and CONFIRM=service\.example\.org"):
        run.require_permission(stage, GIVEN["URL"], {**GIVEN, **said})

    run.require_permission(stage, GIVEN["URL"], {**GIVEN, "PRODUCTION": "1", "CONFIRM": "service.example.org"})


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ({"URL": "http://service.example.org"}, "https://"),
        ({"SYSTEM": "shop"}, "SYSTEM=shop"),
        ({"SECONDS": "0"}, "SECONDS=0"),
        ({"SECONDS": "3601"}, "SECONDS=3601"),
        ({}, "TOKEN is missing"),
        ({"TOKEN": jwt.encode({"exp": time.time() + 200}, "k" * 32), "PROFILE": "load"}, "TOKEN expires"),
    ],
)
def test_wrong_options_are_refused_before_any_request(words: dict[str, str], reason: str) -> None:
    with pytest.raises(UsageError, match=reason):
        run.main({**GIVEN, **words})


def test_only_the_process_of_locust_imports_locust() -> None:
    # Locust replaces parts of the standard library in the process that imports it.
    files = [path for folder in ("chalicelib", "tools", "tests") for path in (ROOT / folder).rglob("*.py")]
    importing = [path for path in files if re.search(r"^\s*(from|import) (locust|gevent)\b", path.read_text(), re.M)]

    assert importing == [ROOT / "tests" / "load" / "locustfile.py"]
    assert "--disable-plugin-autoload" in (ROOT / "pyproject.toml").read_text()  # locust has a plugin of pytest
