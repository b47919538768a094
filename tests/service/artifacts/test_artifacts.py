"""An artifact's history: its deployments, its verifications, and the environments that it may enter."""

import pytest

from chalicelib.artifacts.model import MOST, MOST_BYTES, MOST_DECISIONS
from chalicelib.holds import windows
from chalicelib.holds.model import WEEKDAYS
from chalicelib.identity.roles import Role
from tests.service.deployments.records import an_artifact
from tests.support.expected import Expected
from tests.support.largest import copy

EXPECTED = Expected(
    roles={
        "GET /v1/systems/{system}/artifacts/{artifact}": Role.viewer,
    },
    parameters={"artifact": an_artifact()},
)


FIRST, SECOND = an_artifact("first"), an_artifact("second")


def way(api, artifact: str = FIRST, system: str = "azul"):
    return api.get(f"/v1/systems/{system}/artifacts/{artifact}")


def codes(answer) -> dict[str, list[str]]:
    """Return the codes of the blockers for each environment, in the order of the answer."""
    return {
        decision["environment"]: [blocker["code"] for blocker in decision["blockers"]]
        for decision in answer["decisions"]
    }


def test_an_artifact_lists_its_deployments_newest_first(api, given):
    given.the_usual()
    ids = [
        given.a_deployment(FIRST, environment=environment)["id"]
        for environment in ("development", "preproduction", "production")
    ]

    answer = way(api)

    assert (answer["system"], answer["artifact"]) == ("azul", FIRST)
    assert [deployment["id"] for deployment in answer["deployments"]] == ids[::-1]
    assert answer["deployments"][0] == api.get(f"/v1/systems/azul/deployments/{ids[-1]}").json


def test_failed_attempts_are_listed(api, given):
    given.the_usual()
    given.a_deployment(FIRST, state="failed")

    answer = way(api)

    assert [deployment["state"] for deployment in answer["deployments"]] == ["failed"]
    assert codes(answer)["preproduction"] == ["not-deployed"]


def test_an_attempt_with_an_expired_lease_reads_as_cancelled(api, given):
    given.the_usual()
    given.a_deployment(FIRST, state="in_progress", lease_seconds=60)

    given.time_passes(61)

    assert [deployment["state"] for deployment in way(api)["deployments"]] == ["cancelled"]


def test_its_verifications_are_listed_last_finished_first(api, given):
    given.the_usual()
    given.a_deployment(FIRST)
    given.a_verification(suite="smoke", outcome="error")
    given.a_verification(suite="acceptance")

    verifications = way(api)["verifications"]

    assert [(each["suite"], each["outcome"]) for each in verifications] == [
        ("acceptance", "success"),
        ("smoke", "error"),
    ]


def test_another_artifacts_history_is_separate(api, given):
    given.the_usual()
    given.a_deployment(FIRST)
    given.a_verification()
    given.a_deployment(SECOND)

    answer = way(api, SECOND)

    assert [deployment["artifact"] for deployment in answer["deployments"]] == [SECOND]
    assert answer["verifications"] == []


def test_there_is_a_decision_for_every_environment_in_promotion_order(api, given):
    given.a_system()
    given.an_environment("production")
    given.an_environment("preproduction")
    given.an_environment("development")
    given.a_deployment(FIRST)

    answer = way(api)

    assert list(codes(answer).items()) == [
        ("development", []),
        ("preproduction", ["not-verified"]),
        ("production", ["not-deployed"]),
    ]
    assert [decision["decision"] for decision in answer["decisions"]] == ["granted", "denied", "denied"]


def test_a_verified_artifact_may_go_one_environment_further(api, given):
    given.the_usual()
    given.a_deployment(FIRST)

    given.a_verification()

    assert codes(way(api)) == {"development": [], "preproduction": [], "production": ["not-deployed"]}


def test_decisions_equal_those_of_a_dry_run(api, given):
    given.the_usual(required_soak_seconds=3600, required_suites=["acceptance", "load"])
    given.a_deployment(FIRST, environment="preproduction")
    given.a_verification(environment="preproduction", outcome="failure")

    decision = way(api)["decisions"][-1]

    dry_run = api.post(
        "/v1/systems/azul/promotions", {"artifact": FIRST, "environment": "production", "dry_run": True}
    ).json
    assert decision["blockers"] == dry_run["blockers"]
    assert len(decision["blockers"]) == 3
    assert decision["id"] is None


def test_reading_records_no_decision(api, given):
    given.the_usual()
    given.an_import(FIRST)

    way(api)

    assert api.get("/v1/systems/azul/promotions")["items"] == []


def test_an_unknown_artifact_is_not_found(api, given):
    given.the_usual()
    given.a_deployment(FIRST)

    assert way(api, SECOND).problem == "not-found"


@pytest.mark.parametrize(
    "artifact",
    ["tree:abc", "tree:" + "A" * 40, "latest", "tree:" + "a" * 40 + "%0A", "sha256:" + "a" * 40, "%F0%9F%9A%A2"],
)
def test_a_malformed_artifact_is_not_found(api, given, artifact):
    given.the_usual()

    assert way(api, artifact).problem == "not-found"


def test_an_unknown_system_is_not_found(api):
    assert way(api).problem == "not-found"


def test_a_system_shows_no_artifacts_of_another(api, given):
    for system in ("azul", "shop"):
        given.a_system(system)
        given.an_environment("development", system=system)
        given.an_environment("production", system=system)
    given.a_deployment(FIRST, system="shop")
    given.a_verification(system="shop")

    assert way(api).problem == "not-found"

    given.a_deployment(FIRST, state="failed")

    answer = way(api)
    assert [deployment["system"] for deployment in answer["deployments"]] == ["azul"]
    assert answer["verifications"] == []
    assert codes(answer) == {"development": [], "production": ["not-deployed"]}


def test_a_viewer_may_read_it(api, given):
    given.the_usual()
    given.a_deployment(FIRST)

    assert way(api.as_("viewer")).status == 200
    assert way(api.as_(None)).problem == "unauthenticated"


LISTS = ("deployments", "verifications", "decisions")


@pytest.mark.parametrize("more", [False, True])
def test_each_list_has_the_first_rows_and_says_if_there_are_more(api, given, more):
    given.a_system_with_an_environment()
    given.a_deployment(FIRST)
    given.a_verification()
    rows = MOST + more
    for table in ("deployments", "verifications"):
        copy(given, table, f", generate_series(2, {rows})")
    environments = MOST_DECISIONS + more
    copy(given, "environments", f", generate_series(2, {environments}) AS n", name="'e' || n", rank="n")

    answer = way(api)

    assert [(len(answer[name]), answer[f"more_{name}"]) for name in LISTS] == [
        (MOST, more),
        (MOST, more),
        (MOST_DECISIONS, more),
    ]


def test_the_windows_of_a_freeze_are_worked_out_once_for_all_environments(api, given, monkeypatch):
    given.a_system_with_an_environment()
    given.a_deployment(FIRST)
    always = {"by_day": [*WEEKDAYS], "from": "00:00", "to": "00:01", "days": 6, "time_zone": "America/New_York"}
    given.a_freeze(recurrence=always)
    given.a_freeze_over_systems(recurrence=always)
    copy(given, "environments", ", generate_series(2, 10) AS n", name="'e' || n", rank="n")
    worked_out = []
    counted = windows.windows
    monkeypatch.setattr(
        windows,
        "windows",
        lambda starts, ends, recurrence, since: (
            (recurrence and worked_out.append(recurrence)),
            counted(starts, ends, recurrence, since),
        )[1],
    )

    decisions = way(api)["decisions"]

    assert [[each["code"] for each in one["blockers"]][-2:] for one in decisions] == [["frozen", "frozen"]] * 10
    assert len(worked_out) == 4


def test_a_list_of_long_rows_is_cut_after_a_megabyte(api, given):
    given.a_system_with_an_environment()
    given.a_deployment(FIRST, detail='"' * 2000)
    copy(given, "deployments", ", generate_series(2, 190)")

    answer = way(api)

    assert 100 < len(answer["deployments"]) < 190
    assert answer["more_deployments"]
    assert len(answer.body) < MOST_BYTES
