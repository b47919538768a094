"""Rule 16 of docs/registry/rules.md: verifications from the past are imported after their deployments."""

import pytest

from tests.service.deployments.records import an_artifact

PATH = "/v1/systems/azul/verifications"


def verification(artifact="first", *, started="2026-01-02T00:00:00Z", finished="2026-01-02T00:01:00Z", **fields):
    return {
        "environment": "development",
        "artifact": an_artifact(artifact),
        "suite": "acceptance",
        "trigger": "schedule",
        "outcome": "success",
        "imported": True,
        "started_at": started,
        "finished_at": finished,
        **fields,
    }


def pointers(answer):
    assert answer.problem == "invalid", answer
    return [fault["pointer"] for fault in answer["errors"]]


@pytest.fixture
def history(given):
    """Two artifacts of 1 and 3 January; the first one again on 5 January."""
    given.the_usual()
    return [
        given.an_import(an_artifact(name), at=f"2026-01-0{day}T00:00:00Z")["id"]
        for name, day in (("first", 1), ("second", 3), ("first", 5))
    ]


@pytest.mark.parametrize(("day", "expected"), [(1, 0), (2, 0), (4, 0), (5, 2), (6, 2)])
def test_an_import_is_of_the_artifacts_last_deployment_before_the_run(api, history, day, expected):
    started = f"2026-01-0{day}T00:00:00Z"

    recorded = api.as_("maintainer").post(PATH, verification(started=started, finished=started))

    assert (recorded.status, recorded["deployment"]) == (201, history[expected])


@pytest.mark.usefixtures("history")
def test_an_import_before_the_artifacts_first_deployment_is_refused(api):
    assert pointers(api.post(PATH, verification("second"))) == ["#/artifact"]
    assert pointers(api.post(PATH, verification("third"))) == ["#/artifact"]


@pytest.mark.usefixtures("history")
def test_a_repeated_import_has_one_effect(api):
    first = api.post(PATH, verification())
    again = api.post(PATH, verification())

    assert (first.status, again.status) == (201, 200)
    assert again.json == first.json


@pytest.mark.usefixtures("history")
@pytest.mark.parametrize(
    "other",
    [{"outcome": "failure"}, {"trigger": "deployment"}, {"started": "2026-01-01T12:00:00Z"}, {"passed": 3}],
    ids=str,
)
def test_an_import_with_other_facts_is_a_conflict(api, other):
    api.post(PATH, verification())

    answer = api.post(PATH, verification(**other))

    assert (answer.status, answer.problem) == (409, "conflict")


@pytest.mark.usefixtures("history")
def test_imports_end_before_the_first_deployment_that_was_recorded_here(api, given):
    given.a_deployment(an_artifact("third"))
    [(before, after)] = given.sql(
        """
        SELECT to_json(started_at)::text, to_json(started_at + interval '1 us')::text
        FROM deployments WHERE NOT imported
        """
    )

    in_time = api.post(PATH, verification(finished=before.strip('"')))
    late = api.post(PATH, verification(finished=after.strip('"'), suite="smoke"))

    assert in_time.status == 201
    assert pointers(late) == ["#/finished_at"]


def test_an_import_must_be_complete_and_needs_a_maintainer(api, given):
    given.the_usual()
    needed = {"suite": "acceptance", "trigger": "manual", "outcome": "success", "imported": True}

    incomplete = api.post(PATH, {**needed, "deployment": "1"})

    assert pointers(incomplete) == ["#/deployment", "#/environment", "#/artifact", "#/started_at", "#/finished_at"]
    assert api.as_("pipeline").post(PATH, verification()).status == 403


def test_an_import_of_another_kind_of_artifact_is_refused(api, given):
    given.the_usual()

    assert pointers(api.post(PATH, verification(artifact="x") | {"artifact": f"sha256:{64 * '0'}"})) == ["#/artifact"]


def test_an_unknown_environment_or_workspace_is_refused_by_name(api, given):
    given.the_usual()

    assert api.post(PATH, verification(environment="nowhere")).status == 404
    assert api.post("/v1/systems/nothing/verifications", verification()).status == 404
    assert pointers(api.post(PATH, verification(workspace="jane"))) == ["#/workspace"]
