"""Rule 13 of docs/registry/rules.md: verifications name the deployment that they tested."""

import pytest

from chalicelib.identity.roles import Role
from tests.service.deployments.records import an_artifact
from tests.support.expected import WHOLE, Expected, Write


def _records_a_verification(given):
    given.a_system_with_an_environment()
    body = {
        "deployment": given.a_deployment()["id"],
        "suite": "acceptance",
        "trigger": "manual",
        "outcome": "success",
    }
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
        "verifications": {"SELECT": WHOLE, "INSERT": "all but id created_at counts_at"},
    },
    out_of_reach={
        "verifications_are_not_truncated": "the service has no right to truncate a table",
        "verifications_deployment_id_fkey": "the statement that records a verification reads its deployment",
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
HOUR = 3600


def verification(tested, **fields):
    return {"deployment": tested, "suite": "acceptance", "trigger": "schedule", "outcome": "success", **fields}


def test_target_and_artifact_are_those_of_the_deployment(api, given):
    given.the_usual()
    tested = given.a_deployment(an_artifact("second"), environment="preproduction")

    recorded = api.as_("pipeline").post(PATH, verification(tested["id"], passed=12, failed=0, skipped=1))

    assert recorded.status == 201
    assert (recorded["deployment"], recorded["artifact"]) == (tested["id"], an_artifact("second"))
    assert (recorded["environment"], recorded["workspace"]) == ("preproduction", "default")
    assert recorded["started_at"] == recorded["finished_at"]
    assert (recorded["passed"], recorded["failed"], recorded["skipped"]) == (12, 0, 1)
    assert api.as_("viewer").get(recorded.headers["Location"]).json == recorded.json


def test_missing_counts_are_null(api, given):
    given.the_usual()

    recorded = api.post(PATH, verification(given.a_deployment()["id"]))

    assert (recorded["passed"], recorded["failed"], recorded["skipped"]) == (None, None, None)


def test_a_deployment_in_progress_can_be_verified_before_it_serves(api, given):
    given.the_usual()
    tested = given.a_deployment(state="in_progress")["id"]

    assert api.post(PATH, verification(tested)).status == 201


def test_a_replaced_deployment_can_be_verified_for_24_hours(api, given):
    given.the_usual()
    tested = given.a_deployment(an_artifact("first"))["id"]
    given.time_passes(9 * HOUR)
    given.a_deployment(an_artifact("second"))

    given.time_passes(24 * HOUR - 60)
    in_time = api.post(PATH, verification(tested))
    given.time_passes(60)
    late = api.post(PATH, verification(tested))

    assert (in_time["deployment"], in_time["artifact"]) == (tested, an_artifact("first"))
    assert (late.status, late.problem) == (409, "deployment-not-current")


def test_a_current_deployment_can_be_verified_at_any_age(api, given):
    given.the_usual()
    tested = given.a_deployment()["id"]
    given.a_deployment(an_artifact("second"), state="failed")
    given.time_passes(1000 * HOUR)

    assert api.post(PATH, verification(tested)).status == 201


@pytest.mark.parametrize("state", ["failed", "cancelled"])
def test_a_deployment_that_did_not_succeed_cannot_be_verified(api, given, state):
    given.the_usual()

    answer = api.post(PATH, verification(given.a_deployment(state=state)["id"]))

    assert (answer.status, answer.problem) == (409, "deployment-not-current")


def test_a_deployment_whose_lease_expired_cannot_be_verified(api, given):
    given.the_usual()
    tested = given.a_deployment(state="in_progress", lease_seconds=60)["id"]
    given.time_passes(60)

    assert api.post(PATH, verification(tested)).problem == "deployment-not-current"


@pytest.mark.parametrize("id_", ["999", "none", ""])
def test_an_unknown_deployment_is_refused_by_name(api, given, id_):
    given.the_usual()
    given.a_system("other")
    given.an_environment(system="other")
    foreign = given.a_deployment(system="other")["id"]

    for each in (id_, foreign):
        answer = api.post(PATH, verification(each))
        assert (answer.status, answer["errors"][0]["pointer"]) == (422, "#/deployment")


def test_the_deployment_names_the_target_and_no_other_field_does(api, given):
    given.the_usual()
    tested = given.a_deployment()["id"]

    answer = api.post(PATH, verification(tested, environment="production", workspace="jane", artifact=an_artifact()))
    without = api.post(PATH, verification(tested, deployment=None))

    assert [fault["pointer"] for fault in answer["errors"]] == ["#/environment", "#/workspace", "#/artifact"]
    assert [fault["pointer"] for fault in without["errors"]] == ["#/deployment"]


def test_verifications_count_in_the_order_in_which_they_are_recorded(api, given):
    given.the_usual()
    tested = given.a_deployment()["id"]
    given.a_verification(tested, outcome="failure")

    given.a_verification(tested, started_at="2026-01-01T00:00:00Z", finished_at="2026-01-01T00:01:00Z")

    body = {"artifact": an_artifact(), "environment": "preproduction", "dry_run": True}
    assert api.post("/v1/systems/azul/promotions", body)["decision"] == "granted"


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

    answer = api.post(PATH, verification(given.a_deployment()["id"], **times))

    assert (answer.status, answer["errors"][0]["pointer"]) == (422, pointer)


def test_clocks_may_differ_by_a_minute(api, given):
    given.the_usual()
    tested = given.a_deployment()["id"]
    [(soon, too_soon)] = given.sql(
        "SELECT to_json(now() + interval '50 s')::text, to_json(now() + interval '70 s')::text"
    )

    assert api.post(PATH, verification(tested, finished_at=soon.strip('"'))).status == 201
    assert api.post(PATH, verification(tested, started_at=soon.strip('"'))).status == 201
    assert api.post(PATH, verification(tested, finished_at=too_soon.strip('"'))).status == 422


def test_a_verification_never_changes(given):
    given.the_usual()
    given.a_deployment()
    given.a_verification(outcome="failure")

    for statement in ("UPDATE verifications SET outcome = 'success'", "DELETE FROM verifications"):
        with pytest.raises(Exception, match="never changes"):
            given.sql(statement)


def test_a_finished_deployment_never_changes(given):
    given.the_usual()
    given.a_deployment(state="failed")

    for statement in ("UPDATE deployments SET state = 'succeeded'", "DELETE FROM deployments"):
        with pytest.raises(Exception, match="never changes"):
            given.sql(statement)


def test_the_list_is_last_finished_first_filtered_and_paged(api, given):
    given.the_usual()
    tested = given.a_deployment()["id"]
    for suite, outcome in [("smoke", "success"), ("acceptance", "failure"), ("acceptance", "success")]:
        given.a_verification(suite=suite, outcome=outcome)

    def found(query):
        return [(each["suite"], each["outcome"]) for each in api.get(f"{PATH}?{query}")["items"]]

    assert found("limit=2") == [("acceptance", "success"), ("acceptance", "failure")]
    assert found("suite=smoke") == [("smoke", "success")]
    assert found("outcome=failure&environment=development&trigger=deployment") == [("acceptance", "failure")]
    assert found("to=2026-01-01T00:00:00Z") == []
    assert found(f"artifact={an_artifact('other')}") == []
    assert len(found(f"deployment={tested}")) == 3
    assert found("deployment=999") == found("deployment=none") == []
    first = api.get(f"{PATH}?limit=2")
    rest = api.get(f"{PATH}{first.headers['Link'].split('>')[0].lstrip('<')}")
    assert [each["suite"] for each in rest["items"]] == ["smoke"]
    assert rest["next"] is None


def test_an_unknown_system_or_verification_is_not_found(api, given):
    given.the_usual()

    assert api.post("/v1/systems/nothing/verifications", verification("1")).status in (404, 422)
    assert api.get("/v1/systems/nothing/verifications").status == 404
    assert api.get(f"{PATH}/1").status == 404
