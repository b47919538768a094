"""The state of one system is bounded, in its answer and in its cost, so that a large system does not hold up others."""

from typing import Any

import pytest

from chalicelib.state import store
from chalicelib.state.model import MOST_FORMER, MOST_TARGETS
from chalicelib.targets.drift import MOST_COMMITS
from tests.service.deployments.records import an_artifact
from tests.support.growth import grow, pages_read
from tests.support.largest import copy

FIRST, SECOND, THIRD = an_artifact("first"), an_artifact("second"), an_artifact("third")
STATE = "/v1/systems/azul/state"


def commits(*numbers: int) -> list[dict[str, str]]:
    return [{"sha": f"{number:040x}", "authored_at": "2025-12-24T12:00:00Z"} for number in numbers]


def drift(api) -> tuple[int | None, bool]:
    found = api.get(STATE)["targets"][1]["drift"]
    return found["commits"], found["more_commits"]


@pytest.mark.parametrize(("count", "shown"), [(MOST_TARGETS, MOST_TARGETS), (MOST_TARGETS + 1, MOST_TARGETS)])
def test_a_state_has_the_first_targets(api, given, count, shown):
    given.a_system_with_an_environment()
    copy(given, "environments", f", generate_series(2, {count}) AS n", name="'e' || n", rank="n")

    state = api.get(STATE)

    assert [target["rank"] for target in state["targets"]] == list(range(1, shown + 1))
    assert state["more_targets"] is (count > shown)


def test_workspaces_push_no_environment_out_of_a_state(api, given):
    given.the_usual()
    given.a_workspace("jane")
    copy(given, "workspaces", f", generate_series(1, {MOST_TARGETS}) AS n", name="'p' || n")

    state = api.get(STATE)

    shown = [(target["environment"], target["workspace"]) for target in state["targets"]]
    environments = [(name, "default") for name in ("development", "preproduction", "production")]
    assert shown[:4] == [*environments, ("development", "jane")]
    assert (len(shown), state["more_targets"]) == (MOST_TARGETS, True)


def test_a_state_of_long_targets_is_cut_after_a_megabyte(api, given):
    given.a_system_with_an_environment()
    given.a_deployment(detail='"' * 2000, run_url=f"https://ci.example.org/{'r' * 1900}")
    for number in range(50):
        given.a_verification(suite=f"suite-{number}", run_url=f"https://ci.example.org/{'r' * 1900}")
    copy(given, "environments", ", generate_series(2, 20) AS n", name="'e' || n", rank="n")
    copy(given, "deployments", "JOIN environments e ON e.rank > 1", environment_id="e.id")
    theirs = "(SELECT id FROM deployments WHERE environment_id = e.id)"
    copy(given, "verifications", "JOIN environments e ON e.rank > 1", environment_id="e.id", deployment_id=theirs)

    state = api.get(STATE)

    assert 750_000 < len(state.body) < store.MOST_TARGET_BYTES
    assert state["more_targets"] is True
    assert len(state["targets"][0]["verifications"]) == 50


def test_a_state_has_one_target_however_long(api, given, monkeypatch):
    given.the_usual()
    cut = store._STATE_OF_SYSTEM.replace(str(store.MOST_TARGET_BYTES), "1")
    monkeypatch.setattr(store, "_STATE_OF_SYSTEM", cut)

    state = api.get(STATE)

    assert ([target["environment"] for target in state["targets"]], state["more_targets"]) == (["development"], True)


@pytest.mark.parametrize(("count", "expected"), [(MOST_COMMITS, (100, False)), (MOST_COMMITS + 1, (100, True))])
def test_drift_counts_the_last_commits(api, given, count, expected):
    given.the_usual()
    given.an_import(FIRST, at="2026-01-01T00:00:00Z", commits=commits(0))
    given.an_import(FIRST, environment="preproduction", at="2026-01-01T06:00:00Z", commits=commits(0))
    given.an_import(SECOND, at="2026-01-02T00:00:00Z", commits=commits(*range(1, 51)))
    given.an_import(THIRD, at="2026-01-03T00:00:00Z", commits=commits(*range(51, count + 1)))

    assert drift(api) == expected


def test_a_commit_is_delivered_after_many_failed_attempts(api, given):
    given.the_usual()
    given.an_import(FIRST, at="2026-01-01T00:00:00Z", commits=commits(1))
    given.an_import(SECOND, at="2026-01-02T00:00:00Z", commits=commits(2))
    for day in range(1, 13):
        given.an_import(
            THIRD, environment="preproduction", at=f"2026-02-{day:02}T00:00:00Z", state="failed", commits=commits(1, 2)
        )
    given.an_import(THIRD, environment="preproduction", at="2026-03-01T00:00:00Z", commits=commits(1, 2))

    assert drift(api) == (0, False)


@pytest.mark.slow
def test_the_cost_of_a_state_does_not_grow_with_commits_or_verifications(api, given):
    given.the_usual()
    given.an_import(FIRST, at="2026-01-01T00:00:00Z", commits=commits(*range(1000)))
    given.an_import(SECOND, environment="preproduction", at="2026-01-01T06:00:00Z", commits=commits(*range(1000)))
    given.a_verification()

    grow(given, 20)
    few = read(given)
    grow(given, 100)

    assert api.get(STATE)["targets"][1]["drift"]["more_commits"]
    assert read(given) < 1.5 * few


@pytest.mark.slow
def test_a_state_reads_only_the_newest_deployments(api, given):
    given.the_usual()
    for rank in range(11, 21):
        given.an_environment(f"environment-{rank}", rank=rank)
    given.an_import(FIRST, at="2026-01-01T00:00:00Z")
    copy(
        given,
        "deployments",
        "JOIN environments e ON true, generate_series(1, 1000) AS n WHERE t.id = 1 ORDER BY n",
        environment_id="e.id",
        artifact="'tree:' || md5(n::text) || '00000000'",
        finished_at="now() + n * '1 h'::interval",
    )

    assert api.get(STATE)["targets"][0]["rollback_to"]
    given.sql("VACUUM ANALYZE")
    [(plan,)] = given.sql(f"EXPLAIN (ANALYZE, FORMAT JSON) {store._STATE} WHERE s.key = 'azul'")
    assert most_rows(plan[0]["Plan"]) <= MOST_FORMER


def most_rows(plan: dict[str, Any]) -> int:
    """Return the number of rows that the largest step of a plan gives."""
    return max([plan["Actual Rows"], *map(most_rows, plan.get("Plans", []))])


def read(given) -> int:
    return pages_read(given, f"{store._STATE} WHERE s.key = 'azul'")
