"""Rule 10 of docs/registry/rules.md: repeated imports and retried runs are recorded once."""

import pytest

from tests.service.deployments.records import a_revision, an_artifact

PATH = "/v1/systems/azul/deployments"


def rollout(environment="development", **fields):
    return {"environment": environment, "artifact": an_artifact(), **fields}


def test_an_import_keeps_its_times_and_state(api, given):
    given.the_usual()

    answer = given.an_import(environment="production", at="2020-02-29T12:00:00+02:00", state="failed")

    assert answer.status == 201
    assert (answer["state"], answer["finished_at"]) == ("failed", "2020-02-29T10:00:00Z")
    assert (answer["lease_expires_at"], answer["promotion_id"]) == (None, None)


def test_an_import_does_not_hold_its_target(api, given):
    given.the_usual()
    given.a_deployment(state="in_progress")

    assert given.an_import().status == 201


def test_a_repeated_import_returns_the_recorded_deployment(api, given):
    given.the_usual()
    first = given.an_import(revision=a_revision())

    again = given.an_import(revision=a_revision(), run_url="https://ci.example.org/other")

    assert (again.status, again.json) == (200, first.json)
    assert given.an_import(revision=a_revision("other")).status == 201
    assert given.an_import().status == 201
    assert given.an_import(revision=a_revision(), at="2026-01-02T00:00:00Z").status == 201


def test_an_import_needs_a_maintainer(api, given):
    given.the_usual()
    body = rollout(
        imported=True, state="succeeded", started_at="2026-01-01T00:00:00Z", finished_at="2026-01-01T00:00:00Z"
    )

    assert api.as_("pipeline").post(PATH, body).status == 403
    assert api.as_("maintainer").post(PATH, body).status == 201


def test_an_import_must_be_finished(api, given):
    given.the_usual()

    answer = api.post(PATH, rollout(imported=True))

    assert answer.status == 422
    assert [fault["pointer"] for fault in answer["errors"]] == ["#/state", "#/started_at", "#/finished_at"]


def test_only_an_import_may_name_its_times(api, given):
    given.the_usual()

    answer = api.post(PATH, rollout(started_at="2026-01-01T00:00:00Z", state="succeeded"))

    assert [fault["pointer"] for fault in answer["errors"]] == ["#/state", "#/started_at"]


@pytest.mark.parametrize(
    ("started_at", "finished_at", "pointer"),
    [
        ("2026-01-02T00:00:00Z", "2026-01-01T00:00:00Z", "#/finished_at"),
        ("2026-01-01T00:00:00Z", "9999-01-01T00:00:00Z", "#/finished_at"),
        ("1969-12-31T23:59:59Z", "2026-01-01T00:00:00Z", "#/started_at"),
        ("0001-01-01T00:00:00+23:00", "2026-01-01T00:00:00Z", "#/started_at"),
    ],
)
def test_the_times_of_an_import_are_past_and_in_order(api, given, started_at, finished_at, pointer):
    given.the_usual()
    body = rollout(imported=True, state="succeeded", started_at=started_at, finished_at=finished_at)

    answer = api.post(PATH, body)

    assert (answer.status, answer["errors"][0]["pointer"]) == (422, pointer)


def rollback(artifact="first", environment="production"):
    return {"environment": environment, "artifact": an_artifact(artifact), "kind": "rollback"}


def test_a_retried_run_gets_its_recorded_deployment(api, given):
    given.the_usual()
    run = api.as_("pipeline", run_id="4711", run_attempt="1", sha=a_revision(), actor="jane")

    first = run.post(PATH, rollout())
    again = run.post(PATH, rollout())

    assert (first.status, again.status) == (201, 200)
    assert again.json == first.json
    assert (first["run_id"], first["run_attempt"], first["run_sha"], first["run_actor"]) == (
        "4711",
        "1",
        a_revision(),
        "jane",
    )


def test_another_attempt_or_kind_of_the_same_run_is_another_deployment(api, given):
    given.the_usual()
    given.a_deployment(an_artifact("first"))
    given.a_deployment(an_artifact("second"))

    rolled_back = api.as_("pipeline", run_id="1").post(PATH, rollback("first", "development"))
    given.a_status(rolled_back["id"], "succeeded")
    rolled_out = api.as_("pipeline", run_id="1").post(PATH, rollout())
    given.a_status(rolled_out["id"], "succeeded")
    attempted = api.as_("pipeline", run_id="1", run_attempt="2").post(PATH, rollout())

    assert [each.status for each in (rolled_back, rolled_out, attempted)] == [201, 201, 201]


def test_a_run_that_deploys_an_artifact_again_after_another_one_makes_another_deployment(api, given):
    given.the_usual()
    run = api.as_("pipeline", run_id="4711")

    def deployed(**fields):
        answer = run.post(PATH, rollout(**fields))
        given.a_status(answer["id"], "succeeded")
        return answer

    made = [deployed(), deployed(artifact=an_artifact("second")), deployed(), deployed(revision=a_revision())]

    assert [each.status for each in made] == [201] * 4


@pytest.mark.parametrize(
    "other",
    [
        {"state": "failed"},
        {"kind": "hotfix"},
        {"started_at": "2025-12-31T23:59:59Z"},
        {"commits": [{"sha": a_revision(), "authored_at": "2025-12-31T00:00:00Z"}]},
    ],
    ids=str,
)
def test_an_import_with_other_facts_is_a_conflict(api, given, other):
    given.the_usual()
    given.an_import()
    body = {
        "environment": "development",
        "artifact": an_artifact(),
        "imported": True,
        "state": "succeeded",
        "started_at": "2026-01-01T00:00:00Z",
        "finished_at": "2026-01-01T00:00:00Z",
    }

    same = api.post(PATH, body | {"started_at": "2026-01-01T01:00:00+01:00", "detail": "Found in a log"})
    answer = api.post(PATH, body | other)

    assert same.status == 200
    assert (answer.status, answer.problem) == (409, "conflict")


def test_imports_end_before_the_first_deployment_that_was_recorded_here(api, given):
    given.the_usual()
    given.a_deployment()
    [(before, after)] = given.sql(
        "SELECT to_json(started_at)::text, to_json(started_at + interval '1 us')::text FROM deployments"
    )
    body = {"environment": "development", "artifact": an_artifact("second"), "imported": True, "state": "succeeded"}

    def post(at, **fields):
        return api.post(PATH, {**body, "started_at": at.strip('"'), "finished_at": at.strip('"'), **fields})

    assert post(before).status == 201
    late = post(after)
    assert (late.status, late["errors"][0]["pointer"]) == (422, "#/finished_at")
    assert post(after, environment="preproduction").status == 201
