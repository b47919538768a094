"""Opening deployments: rules 1, 2, 4 and 5, imports and retries."""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

import pytest

from tests.support.given import a_revision, an_artifact

PATH = "/v1/systems/azul/deployments"


def rollout(environment="development", **fields):
    return {"environment": environment, "artifact": an_artifact(), **fields}


def test_a_deployment_opens_in_progress_and_is_read_the_same(api, given):
    given.the_usual()

    opened = api.as_("pipeline").post(PATH, rollout(revision=a_revision(), run_url="https://ci.example.org/1"))

    assert opened.status == 201
    assert opened["state"] == "in_progress"
    assert opened["created_by"] == "pipeline@local"
    assert opened["finished_at"] is None
    assert api.as_("viewer").get(opened.headers["Location"]).json == opened.json


@pytest.mark.parametrize("state", ["succeeded", "failed", "cancelled"])
def test_a_status_finishes_it_by_the_servers_clock(api, given, state):
    given.the_usual()
    opened = given.a_deployment(state="in_progress")

    status = given.a_status(opened["id"], state, detail="as it happened")

    finished = api.get(f"{PATH}/{opened['id']}")
    assert (finished["state"], finished["detail"]) == (state, "as it happened")
    assert finished["finished_at"] == status["created_at"]


def test_the_statuses_tell_its_story_newest_first(api, given):
    given.the_usual()
    opened = given.a_deployment(state="in_progress")
    given.a_status(opened["id"], "in_progress", detail="half way")
    given.a_status(opened["id"], "succeeded")

    statuses = api.get(f"{PATH}/{opened['id']}/statuses")

    assert [each["state"] for each in statuses["items"]] == ["succeeded", "in_progress", "in_progress"]


@pytest.mark.parametrize("late", ["in_progress", "succeeded", "failed", "cancelled"])
def test_a_finished_deployment_stays_as_it_is(api, given, late):
    given.the_usual()
    opened = given.a_deployment(state="failed")
    before = api.get(f"{PATH}/{opened['id']}")

    answer = api.post(f"{PATH}/{opened['id']}/statuses", {"state": late})

    assert (answer.status, answer.problem) == (409, "deployment-final")
    assert api.get(f"{PATH}/{opened['id']}").json == before.json


def test_a_denied_deployment_names_its_blockers_and_is_not_opened(api, given):
    given.the_usual()

    answer = api.as_("pipeline").post(PATH, rollout("preproduction"))

    assert (answer.status, answer.problem) == (409, "promotion-denied")
    assert [blocker["code"] for blocker in answer["blockers"]] == ["not-deployed"]
    assert api.get(PATH)["items"] == []


def test_opening_records_the_decision_granted_or_denied(api, given):
    given.the_usual()

    granted = api.post(PATH, rollout("development"))
    api.post(PATH, rollout("production"))

    decisions = api.get("/v1/systems/azul/promotions")["items"]
    assert [(each["environment"], each["decision"]) for each in decisions] == [
        ("production", "denied"),
        ("development", "granted"),
    ]
    assert granted["promotion_id"] == decisions[1]["id"]


@pytest.mark.parametrize("kind", ["rollout", "hotfix"])
def test_rollouts_and_hotfixes_pass_the_gate(api, given, kind):
    given.the_usual()

    assert api.post(PATH, rollout("preproduction", kind=kind)).problem == "promotion-denied"


# Rule 4: override


def test_a_maintainer_passes_the_gate_with_a_reason_and_it_is_shown(api, given):
    given.the_usual()
    reason = "The incident can't wait"

    answer = api.as_("maintainer").post(PATH, rollout("production", kind="hotfix", override_reason=reason))

    assert answer.status == 201
    assert answer["override_reason"] == reason
    assert api.get(f"{PATH}/{answer['id']}")["override_reason"] == reason
    (target,) = [each for each in api.get("/v1/systems/azul/state")["targets"] if each["environment"] == "production"]
    assert target["last_attempt"]["override_reason"] == reason
    assert api.get("/v1/systems/azul/promotions")["items"][0]["decision"] == "denied"


@pytest.mark.parametrize("reason", ["", "too short", " " * 20, "x" * 501, " not trimmed "])
def test_an_override_without_a_reason_is_refused(api, given, reason):
    given.the_usual()

    answer = api.post(PATH, rollout("production", override_reason=reason))

    assert (answer.status, answer["errors"][0]["pointer"]) == (422, "#/override_reason")


def test_a_pipeline_can_not_override(api, given):
    given.the_usual()

    answer = api.as_("pipeline").post(PATH, rollout("production", override_reason="I would like to"))

    assert answer.status == 403


# Rule 5: one at a time, for a lease


def test_a_busy_target_names_its_holder(api, given):
    given.the_usual()
    holder = given.a_deployment(state="in_progress", run_url="https://ci.example.org/7")

    answer = api.post(PATH, rollout(artifact=an_artifact("second")))

    assert (answer.status, answer.problem) == (409, "target-busy")
    assert answer["holder"] == {
        "id": holder["id"],
        "run_url": "https://ci.example.org/7",
        "lease_expires_at": holder["lease_expires_at"],
    }


def test_other_environments_are_not_busy(api, given):
    given.the_usual()
    given.a_deployment(state="in_progress")

    assert given.a_deployment(environment="preproduction").status == 201


def test_of_many_pipelines_at_once_one_gets_the_target(api, given):
    given.the_usual()
    pipeline = api.as_("pipeline")

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda n: pipeline.post(PATH, rollout(artifact=an_artifact(str(n)))), range(16)))

    (winner,) = [answer for answer in answers if answer.status == 201]
    losers = [answer for answer in answers if answer.status != 201]
    assert {answer.problem for answer in losers} == {"target-busy"}
    assert {answer["holder"]["id"] for answer in losers} == {winner["id"]}


def test_even_behind_the_services_back_a_target_takes_one(api, given):
    given.the_usual()
    given.a_deployment(state="in_progress")

    with pytest.raises(Exception, match="deployments_one_at_a_time"):
        given.sql(
            """
            INSERT INTO deployments (system_id, environment_id, artifact, kind, state, imported, commit_count,
                lease_seconds, lease_expires_at, started_at, issuer, created_by)
            SELECT system_id, environment_id, artifact, kind, state, imported, commit_count,
                lease_seconds, lease_expires_at, started_at, issuer, created_by FROM deployments
            """
        )


def test_a_lease_lasts_an_hour_unless_it_is_given(api, given):
    given.the_usual()

    usual = given.a_deployment(state="in_progress")
    short = given.a_deployment(state="in_progress", environment="preproduction", lease_seconds=60)

    assert seconds_of_lease(usual) == 3600
    assert seconds_of_lease(short) == 60


@pytest.mark.parametrize("seconds", [59, 14401, 0, -1])
def test_a_lease_has_bounds(api, given, seconds):
    given.the_usual()

    answer = api.post(PATH, rollout(lease_seconds=seconds))

    assert (answer.status, answer["errors"][0]["pointer"]) == (422, "#/lease_seconds")


def test_a_status_renews_the_lease(api, given):
    given.the_usual()
    opened = given.a_deployment(state="in_progress", lease_seconds=60)
    given.time_passes(40)

    renewal = given.a_status(opened["id"], "in_progress")

    renewed = api.get(f"{PATH}/{opened['id']}")
    assert renewed["state"] == "in_progress"
    assert seconds_between(renewal["created_at"], renewed["lease_expires_at"]) == 60


def test_an_expired_lease_reads_as_cancelled_before_anybody_swept(api, given):
    given.the_usual()
    opened = given.a_deployment(state="in_progress", lease_seconds=60)

    given.time_passes(61)

    lapsed = api.get(f"{PATH}/{opened['id']}")
    assert lapsed["state"] == "cancelled"
    assert lapsed["finished_at"] == lapsed["lease_expires_at"]
    assert [each["id"] for each in api.get(f"{PATH}?state=cancelled")["items"]] == [opened["id"]]
    assert api.get(f"{PATH}?state=in_progress")["items"] == []


def test_an_expired_lease_frees_the_target_and_is_swept_in_the_same_transaction(api, given):
    given.the_usual()
    lapsed = given.a_deployment(state="in_progress", lease_seconds=60)
    given.time_passes(61)
    before = api.get(f"{PATH}/{lapsed['id']}")

    answer = api.post(PATH, rollout(artifact=an_artifact("second")))

    assert answer.status == 201
    assert given.sql("SELECT state FROM deployments WHERE id = %s", lapsed["id"]) == [("cancelled",)]
    assert api.get(f"{PATH}/{lapsed['id']}").json == before.json


@pytest.mark.parametrize("state", ["in_progress", "succeeded", "failed", "cancelled"])
def test_a_status_after_the_lease_changes_nothing(api, given, state):
    given.the_usual()
    opened = given.a_deployment(state="in_progress", lease_seconds=60)
    given.time_passes(61)
    before = api.get(f"{PATH}/{opened['id']}")

    answer = api.post(f"{PATH}/{opened['id']}/statuses", {"state": state})

    assert (answer.status, answer.problem) == (409, "lease-expired")
    assert api.get(f"{PATH}/{opened['id']}").json == before.json


def test_a_status_after_the_lease_was_swept_says_the_same(api, given):
    given.the_usual()
    opened = given.a_deployment(state="in_progress", lease_seconds=60)
    given.time_passes(61)
    given.a_deployment(an_artifact("second"))

    answer = api.post(f"{PATH}/{opened['id']}/statuses", {"state": "succeeded"})

    assert (answer.status, answer.problem) == (409, "lease-expired")


# Rule 2: rollback


def rollback(artifact="first", environment="production"):
    return {"environment": environment, "artifact": an_artifact(artifact), "kind": "rollback"}


def test_production_goes_back_to_what_was_good_before(api, given):
    given.the_usual()
    given.a_deployment(an_artifact("first"), environment="production")
    given.a_deployment(an_artifact("second"), environment="production")

    answer = api.as_("pipeline").post(PATH, rollback("first"))

    assert (answer.status, answer["promotion_id"]) == (201, None)


def test_what_never_succeeded_there_is_no_way_back(api, given):
    given.the_usual()
    given.a_deployment(an_artifact("first"), environment="production", state="failed")
    given.a_deployment(an_artifact("second"), environment="production")

    answer = api.post(PATH, rollback("first"))

    assert (answer.status, answer.problem) == (422, "rollback-refused")


def test_what_runs_there_is_no_way_back(api, given):
    given.the_usual()
    given.a_deployment(an_artifact("first"), environment="production")

    assert api.post(PATH, rollback("first")).problem == "rollback-refused"


def test_what_failed_its_latest_verification_there_is_no_way_back(api, given):
    given.the_usual()
    given.a_deployment(an_artifact("first"), environment="production")
    given.a_verification(environment="production", outcome="failure")
    given.a_verification(environment="production", outcome="error")
    given.a_deployment(an_artifact("second"), environment="production")

    answer = api.post(PATH, rollback("first"))

    assert (answer.status, answer.problem) == (422, "rollback-refused")


def test_what_succeeded_after_it_failed_there_is_a_way_back(api, given):
    given.the_usual()
    given.a_deployment(an_artifact("first"), environment="production")
    given.a_verification(environment="production", outcome="failure")
    given.a_verification(environment="production", outcome="success")
    given.a_deployment(an_artifact("second"), environment="production")

    assert api.post(PATH, rollback("first")).status == 201


def test_success_elsewhere_is_no_way_back(api, given):
    given.the_usual()
    given.a_deployment(an_artifact("first"), environment="preproduction")
    given.a_deployment(an_artifact("second"), environment="production")

    assert api.post(PATH, rollback("first")).problem == "rollback-refused"


# Imports


def test_history_is_recorded_as_it_was(api, given):
    given.the_usual()

    answer = given.an_import(environment="production", at="2020-02-29T12:00:00+02:00", state="failed")

    assert answer.status == 201
    assert (answer["state"], answer["finished_at"]) == ("failed", "2020-02-29T10:00:00Z")
    assert (answer["lease_expires_at"], answer["promotion_id"]) == (None, None)


def test_history_holds_no_target(api, given):
    given.the_usual()
    given.a_deployment(state="in_progress")

    assert given.an_import().status == 201


def test_the_same_history_again_is_what_is_there(api, given):
    given.the_usual()
    first = given.an_import(revision=a_revision())

    again = given.an_import(revision=a_revision(), run_url="https://ci.example.org/other")

    assert (again.status, again.json) == (200, first.json)
    assert given.an_import(revision=a_revision("other")).status == 201
    assert given.an_import().status == 201
    assert given.an_import(revision=a_revision(), at="2026-01-02T00:00:00Z").status == 201


def test_history_takes_a_maintainer(api, given):
    given.the_usual()
    body = rollout(
        imported=True, state="succeeded", started_at="2026-01-01T00:00:00Z", finished_at="2026-01-01T00:00:00Z"
    )

    assert api.as_("pipeline").post(PATH, body).status == 403
    assert api.as_("maintainer").post(PATH, body).status == 201


def test_history_is_over(api, given):
    given.the_usual()

    answer = api.post(PATH, rollout(imported=True))

    assert answer.status == 422
    assert [fault["pointer"] for fault in answer["errors"]] == ["#/state", "#/started_at", "#/finished_at"]


def test_what_happens_now_is_not_dated_by_its_caller(api, given):
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
def test_history_lies_in_the_past_and_in_order(api, given, started_at, finished_at, pointer):
    given.the_usual()
    body = rollout(imported=True, state="succeeded", started_at=started_at, finished_at=finished_at)

    answer = api.post(PATH, body)

    assert (answer.status, answer["errors"][0]["pointer"]) == (422, pointer)


# Retried runs


def test_a_retried_run_gets_what_it_recorded(api, given):
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


# Bodies and lists


def test_ten_thousand_commits_are_counted_and_kept(api, given):
    given.the_usual()
    commits = [{"sha": f"{n:040x}", "authored_at": "2026-01-01T00:00:00+01:00"} for n in range(10_000)]

    answer = api.post(PATH, rollout(commits=commits))

    assert (answer.status, answer["commit_count"]) == (201, 10_000)
    assert given.sql("SELECT count(*) FROM deployment_commits") == [(10_000,)]


def test_a_commit_is_named_once_and_no_more_than_ten_thousand_are(api, given):
    given.the_usual()
    commit = {"sha": a_revision(), "authored_at": "2026-01-01T00:00:00Z"}

    assert api.post(PATH, rollout(commits=[commit, commit]))["errors"][0]["pointer"] == "#/commits"
    assert api.post(PATH, rollout(commits=[commit] * 10_001)).status in (413, 422)


def test_there_is_no_other_workspace_yet(api, given):
    given.the_usual()

    answer = api.post(PATH, rollout(workspace="jane"))

    assert (answer.status, answer["errors"][0]["pointer"]) == (422, "#/workspace")


def test_an_unknown_system_environment_or_deployment_is_not_found(api, given):
    given.the_usual()

    assert api.post("/v1/systems/nothing/deployments", rollout()).status == 404
    assert api.post(PATH, rollout("nowhere")).status == 404
    assert api.get("/v1/systems/nothing/deployments").status == 404
    for id_ in ("1", "0", "x", "-1", "9" * 30, "\u0661"):
        assert api.get(f"{PATH}/{id_}").status == 404
        assert api.get(f"{PATH}/{id_}/statuses").status == 404
        assert api.post(f"{PATH}/{id_}/statuses", {"state": "failed"}).status == 404


def test_a_deployment_is_found_under_its_own_system_alone(api, given):
    given.the_usual()
    given.a_system("other")
    opened = given.a_deployment()

    assert api.get(f"/v1/systems/other/deployments/{opened['id']}").status == 404


def test_the_list_is_newest_first_filtered_and_paged(api, given):
    given.the_usual()
    for day in range(1, 6):
        given.an_import(
            an_artifact(str(day % 2)),
            environment="development" if day < 4 else "preproduction",
            at=f"2026-01-0{day}T00:00:00Z",
            revision=a_revision(str(day)),
        )

    def days(query):
        items = api.get(f"{PATH}?{query}")["items"]
        return [int(each["started_at"][8:10]) for each in items]

    assert days("limit=3") == [5, 4, 3]
    assert days("environment=development") == [3, 2, 1]
    assert days(f"artifact={an_artifact('0')}") == [4, 2]
    assert days(f"revision={a_revision('4')}") == [4]
    assert days("from=2026-01-02T00:00:00Z&to=2026-01-04T00:00:00Z") == [3, 2]
    assert days("state=failed") == []
    assert days("kind=rollout&workspace=default&limit=1") == [5]
    page = api.get(f"{PATH}?limit=2")
    seen = [each["id"] for each in page["items"]]
    while page["next"]:
        page = api.get(f"{PATH}?limit=2&cursor={page['next']}")
        seen += [each["id"] for each in page["items"]]
    assert len(seen) == len(set(seen)) == 5


def seconds_of_lease(deployment):
    return seconds_between(deployment["started_at"], deployment["lease_expires_at"])


def seconds_between(earlier, later):
    return (datetime.fromisoformat(later) - datetime.fromisoformat(earlier)).total_seconds()
