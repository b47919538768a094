"""`make acceptance` finds faults of the gate. It leaves no deployment open."""

import json
from collections.abc import Callable

import pytest

from chalicelib.promotions import rules
from tests.support.acceptance import Ended, stop_when
from tests.support.given import Given
from tools.local import issuer


def without_gate(patch: pytest.MonkeyPatch) -> None:
    """Have the gate grant everything."""
    patch.setattr(rules, "RULES", ())


def without_verification(patch: pytest.MonkeyPatch) -> None:
    """Have the gate require a deployment, but no verification."""
    patch.setattr(rules, "RULES", (rules.deployed,))


GRANTS = "the gate grants only artifacts that were deployed and verified before"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("broken", "failed"),
    [
        (without_gate, {GRANTS, "the gate denies an artifact that was never deployed"}),
        (without_verification, {GRANTS}),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_each_fault_of_the_gate_fails_its_own_checks_only(
    url: str,
    acceptance: Callable[..., Ended],
    monkeypatch: pytest.MonkeyPatch,
    broken: Callable[[pytest.MonkeyPatch], None],
    failed: set[str],
) -> None:
    broken(monkeypatch)

    ended = acceptance(URL=url)

    assert ended.failed == failed, ended.said
    assert (ended.code, ended.report["outcome"]) == (1, "failure")


def test_a_pipeline_leaves_only_its_own_system_behind(url: str, given: Given, acceptance: Callable[..., Ended]) -> None:
    given.a_system("acceptance")
    for name in ("development", "preproduction"):
        given.an_environment(name, system="acceptance")
    token = issuer.token("pipeline", ["acceptance"])
    # A killed run left this deployment in progress. Its lease has expired.
    given.a_deployment(state="in_progress", system="acceptance", lease_seconds=60)
    given.time_passes(61)

    ended = acceptance(URL=url, TOKEN=token)

    assert ended.code == 0, ended.said
    assert token not in ended.said + json.dumps(ended.report)
    assert given.sql("SELECT key FROM systems") == [("acceptance",)]
    assert given.sql("SELECT count(*) FROM deployments WHERE state = 'in_progress'") == [(0,)]
    assert {finding["check"] for finding in ended.report["left_out"]} >= {
        "a system is created once changed with its etag and deleted",
        "a second environment of the same name is refused",
        "an unacceptable token of the issuer is refused [expired]",
    }
    assert {latency["operation"] for latency in ended.report["latencies"]} >= {"open_deployment", "get_state"}


@pytest.mark.slow
def test_a_stopped_run_leaves_no_deployment_open(
    url: str, given: Given, acceptance: Callable[..., Ended], monkeypatch: pytest.MonkeyPatch
) -> None:
    def deployment_is_open(method: str, path: str) -> bool:
        open_now = "SELECT 1 FROM deployments WHERE state = 'in_progress'"
        return (method, path[-12:]) == ("POST", "/deployments") and bool(given.sql(open_now))

    stop_when(monkeypatch, deployment_is_open)

    ended = acceptance(URL=url)

    assert (ended.code, ended.report["outcome"]) == (130, "cancelled"), ended.said
    assert given.sql("SELECT count(*) FROM deployments WHERE state = 'in_progress'") == [(0,)]
