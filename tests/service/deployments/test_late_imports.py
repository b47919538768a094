"""Rule 16 of docs/registry/rules.md: what is imported once an environment is in use proves nothing."""

import pytest

from tests.service.deployments.records import an_artifact

PATH = "/v1/systems/azul/deployments"
LATE = an_artifact("late")
OLD = "2026-01-01T00:00:00Z"


@pytest.fixture
def in_use(given):
    given.the_usual(required_approvals=2)
    for environment in ("preproduction", "production"):
        given.a_deployment(an_artifact("recorded"), environment=environment)


def a_verification(artifact):
    return {
        "environment": "preproduction",
        "artifact": artifact,
        "suite": "acceptance",
        "trigger": "manual",
        "outcome": "success",
        "imported": True,
        "started_at": OLD,
        "finished_at": OLD,
    }


@pytest.mark.usefixtures("in_use")
def test_no_rollback_goes_to_what_was_imported_late(api, given):
    given.an_import(LATE, environment="production")

    answer = api.as_("maintainer").post(PATH, {"environment": "production", "artifact": LATE, "kind": "rollback"})

    assert answer.problem == "rollback-refused"


@pytest.mark.usefixtures("in_use")
def test_no_gate_counts_what_was_imported_late(api, given):
    given.an_import(LATE, environment="preproduction")
    assert api.post("/v1/systems/azul/verifications", a_verification(LATE)).status == 201

    denied = api.as_("pipeline").post(PATH, {"environment": "production", "artifact": LATE})

    assert denied["blockers"][0]["code"] == "not-deployed"


def test_no_gate_counts_a_late_verification_of_an_early_import(api, given):
    given.the_usual()
    given.an_import(LATE, environment="preproduction")
    given.a_deployment(an_artifact("recorded"), environment="preproduction")
    assert api.post("/v1/systems/azul/verifications", a_verification(LATE)).status == 201

    denied = api.as_("pipeline").post(PATH, {"environment": "production", "artifact": LATE})

    assert "not-verified" in [blocker["code"] for blocker in denied["blockers"]]


@pytest.mark.usefixtures("in_use")
def test_a_late_import_is_listed_as_history(api, given):
    imported = given.an_import(LATE, environment="production")

    assert imported["id"] in [each["id"] for each in api.get(PATH)["items"]]


def test_an_import_has_no_time_in_the_future(api, given):
    given.the_usual()
    [(soon,)] = given.sql("SELECT to_json(now() + interval '30 s')::text")
    body = {"environment": "development", "artifact": LATE, "imported": True, "state": "succeeded"}

    answer = api.post(PATH, {**body, "started_at": OLD, "finished_at": soon.strip('"')})

    assert (answer.status, answer["errors"][0]["pointer"]) == (422, "#/finished_at")
