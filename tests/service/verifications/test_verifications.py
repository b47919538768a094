"""Verifications can be recorded, imported and listed."""

import pytest

from chalicelib.identity.roles import Role
from tests.service.deployments.records import an_artifact
from tests.support.expected import WHOLE, Expected, Write


def _records_a_verification(given):
    given.a_system_with_an_environment()
    given.a_deployment()
    body = {"environment": "development", "suite": "acceptance", "trigger": "manual", "outcome": "success"}
    return Write(
        "/v1/systems/azul/verifications",
        "azul/verifications/{id}",
        body,
        {**body, "outcome": "failure"},
    )


def _two(given, system):
    for _ in range(2):
        given.a_verification(system=system, passed=3, failed=0, skipped=1)


EXPECTED = Expected(
    roles={
        "GET /v1/systems/{system}/verifications": Role.viewer,
        "GET /v1/systems/{system}/verifications/{id}": Role.viewer,
        "POST /v1/systems/{system}/verifications": Role.pipeline,
    },
    rights={
        "verifications": {"SELECT": WHOLE, "INSERT": "all but id created_at"},
    },
    out_of_reach={
        "verifications_are_not_truncated": "the service has no right to truncate a table",
    },
    harmless={
        f"verifications.{count}": "the API allows every number that the column can hold"
        for count in ("passed", "failed", "skipped")
    },
    writes={
        "POST /v1/systems/{system}/verifications": _records_a_verification,
    },
    two=_two,
)


PATH = "/v1/systems/azul/verifications"


def verification(**fields):
    return {
        "environment": "development",
        "suite": "acceptance",
        "trigger": "schedule",
        "outcome": "success",
        **fields,
    }


def test_a_verification_defaults_to_the_current_artifact_and_time(api, given):
    given.the_usual()
    given.a_deployment(an_artifact("first"))
    given.a_deployment(an_artifact("second"))

    recorded = api.as_("pipeline").post(PATH, verification(passed=12, failed=0, skipped=1))

    assert recorded.status == 201
    assert recorded["artifact"] == an_artifact("second")
    assert recorded["started_at"] == recorded["finished_at"]
    assert (recorded["passed"], recorded["failed"], recorded["skipped"]) == (12, 0, 1)
    assert api.as_("viewer").get(recorded.headers["Location"]).json == recorded.json


def test_missing_counts_are_null(api, given):
    given.the_usual()
    given.a_deployment()

    recorded = api.post(PATH, verification())

    assert (recorded["passed"], recorded["failed"], recorded["skipped"]) == (None, None, None)


@pytest.mark.parametrize("artifact", ["first", "unknown"])
def test_an_artifact_that_is_not_current_cannot_be_verified(api, given, artifact):
    given.the_usual()
    given.a_deployment(an_artifact("first"))
    given.a_deployment(an_artifact("second"))

    answer = api.post(PATH, verification(artifact=an_artifact(artifact)))

    assert (answer.status, answer.problem) == (409, "artifact-not-current")


def test_a_target_without_a_current_artifact_cannot_be_verified(api, given):
    given.the_usual()
    given.a_deployment(state="failed")

    answer = api.post(PATH, verification())

    assert (answer.status, answer.problem) == (409, "artifact-not-current")


def test_the_last_finished_is_current_whenever_it_started(api, given):
    given.the_usual()
    given.an_import(an_artifact("long"), started_at="2026-01-01T00:00:00Z", finished_at="2026-01-03T00:00:00Z")
    given.an_import(an_artifact("short"), started_at="2026-01-02T00:00:00Z", finished_at="2026-01-02T00:00:00Z")

    assert api.post(PATH, verification())["artifact"] == an_artifact("long")


def test_the_later_recorded_of_two_that_finished_at_once_is_current(api, given):
    given.the_usual()
    given.an_import(an_artifact("first"))
    given.an_import(an_artifact("second"))

    assert api.post(PATH, verification())["artifact"] == an_artifact("second")


def test_a_clock_that_is_ahead_does_not_hide_later_verifications(api, given):
    given.the_usual()
    given.a_deployment()
    [(soon,)] = given.sql("SELECT to_json(now() + interval '50 s')::text")
    given.a_verification(finished_at=soon.strip('"'))

    given.a_verification(outcome="failure")

    body = {"artifact": an_artifact(), "environment": "preproduction", "dry_run": True}
    assert api.post("/v1/systems/azul/promotions", body)["blockers"][0]["code"] == "verification-failed"


@pytest.mark.parametrize(
    ("times", "pointer"),
    [
        ({"finished_at": "9999-01-01T00:00:00Z"}, "#/finished_at"),
        ({"started_at": "9999-01-01T00:00:00Z"}, "#/started_at"),
        ({"started_at": "2026-01-02T00:00:00Z", "finished_at": "2026-01-01T00:00:00Z"}, "#/finished_at"),
        ({"finished_at": "1969-12-31T00:00:00Z"}, "#/finished_at"),
    ],
)
def test_its_times_are_past_and_in_order(api, given, times, pointer):
    given.the_usual()
    given.a_deployment()

    answer = api.post(PATH, verification(**times))

    assert (answer.status, answer["errors"][0]["pointer"]) == (422, pointer)


def test_clocks_may_differ_by_a_minute(api, given):
    given.the_usual()
    given.a_deployment()
    [(soon, too_soon)] = given.sql(
        "SELECT to_json(now() + interval '50 s')::text, to_json(now() + interval '70 s')::text"
    )

    assert api.post(PATH, verification(finished_at=soon.strip('"'))).status == 201
    assert api.post(PATH, verification(started_at=soon.strip('"'))).status == 201
    assert api.post(PATH, verification(finished_at=too_soon.strip('"'))).status == 422


def test_an_import_may_verify_a_former_artifact(api, given):
    given.the_usual()
    given.a_deployment(an_artifact("second"))
    body = verification(
        artifact=an_artifact("first"),
        imported=True,
        started_at="2026-01-01T00:00:00Z",
        finished_at="2026-01-01T00:01:00Z",
    )

    first = api.as_("maintainer").post(PATH, body)
    again = api.as_("maintainer").post(PATH, body)

    assert (first.status, again.status) == (201, 200)
    assert again.json == first.json


def test_an_import_must_be_complete_and_needs_a_maintainer(api, given):
    given.the_usual()

    answer = api.post(PATH, verification(imported=True))

    assert [fault["pointer"] for fault in answer["errors"]] == ["#/artifact", "#/started_at", "#/finished_at"]
    assert api.as_("pipeline").post(PATH, verification(imported=True)).status in (403, 422)


def test_an_import_of_another_kind_of_artifact_is_refused(api, given):
    given.the_usual()
    body = verification(
        artifact="sha256:" + 64 * "0",
        imported=True,
        started_at="2026-01-01T00:00:00Z",
        finished_at="2026-01-01T00:01:00Z",
    )

    answer = api.post(PATH, body)

    assert (answer.status, answer["errors"][0]["pointer"]) == (422, "#/artifact")


def test_a_verification_never_changes(api, given):
    given.the_usual()
    given.a_deployment()
    given.a_verification(outcome="failure")

    for statement in ("UPDATE verifications SET outcome = 'success'", "DELETE FROM verifications"):
        with pytest.raises(Exception, match="never changes"):
            given.sql(statement)


def test_a_finished_deployment_never_changes(api, given):
    given.the_usual()
    given.a_deployment(state="failed")

    for statement in ("UPDATE deployments SET state = 'succeeded'", "DELETE FROM deployments"):
        with pytest.raises(Exception, match="never changes"):
            given.sql(statement)


def test_an_unknown_workspace_is_refused_by_name(api, given):
    given.the_usual()

    answer = api.post(PATH, verification(workspace="jane"))

    assert (answer.status, answer["errors"][0]["pointer"]) == (422, "#/workspace")


def test_the_list_is_last_finished_first_filtered_and_paged(api, given):
    given.the_usual()
    given.a_deployment()
    for suite, outcome in [("smoke", "success"), ("acceptance", "failure"), ("acceptance", "success")]:
        given.a_verification(suite=suite, outcome=outcome)

    def found(query):
        return [(each["suite"], each["outcome"]) for each in api.get(f"{PATH}?{query}")["items"]]

    assert found("limit=2") == [("acceptance", "success"), ("acceptance", "failure")]
    assert found("suite=smoke") == [("smoke", "success")]
    assert found("outcome=failure&environment=development&trigger=deployment") == [("acceptance", "failure")]
    assert found("to=2026-01-01T00:00:00Z") == []
    assert found(f"artifact={an_artifact('other')}") == []
    first = api.get(f"{PATH}?limit=2")
    rest = api.get(f"{PATH}{first.headers['Link'].split('>')[0].lstrip('<')}")
    assert [each["suite"] for each in rest["items"]] == ["smoke"]
    assert rest["next"] is None


def test_an_unknown_system_environment_or_verification_is_not_found(api, given):
    given.the_usual()

    assert api.post("/v1/systems/nothing/verifications", verification()).status == 404
    assert api.post(PATH, verification(environment="nowhere")).status == 404
    assert api.get("/v1/systems/nothing/verifications").status == 404
    assert api.get(f"{PATH}/1").status == 404
