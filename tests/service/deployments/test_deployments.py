"""Deployments, their statuses and their lists: rules 1 and 4 of docs/registry/rules.md."""

import json

import pytest

from chalicelib.identity.roles import Role
from tests.service.deployments.records import a_revision, an_artifact
from tests.support.expected import WHOLE, Expected, Write


def _opens_a_deployment(given):
    given.a_system_with_an_environment()
    body = {"environment": "development", "artifact": an_artifact()}
    return Write(
        "/v1/systems/azul/deployments",
        "azul/deployments/{id}",
        body,
        {**body, "artifact": an_artifact("other")},
    )


def _adds_a_status(given):
    given.a_system_with_an_environment()
    deployment = given.a_deployment(state="in_progress")["id"]
    return Write(
        f"/v1/systems/azul/deployments/{deployment}/statuses",
        f"azul/deployments/{deployment}",
        {"state": "succeeded"},
        {"state": "failed"},
    )


def _two(given, system):
    commits = [{"sha": a_revision(name), "authored_at": "2026-01-01T00:00:00Z"} for name in ("first", "second")]
    for name in ("first", "second"):
        given.a_deployment(an_artifact(name), system=system, commits=commits)


EXPECTED = Expected(
    roles={
        "GET /v1/systems/{system}/deployments": Role.viewer,
        "GET /v1/systems/{system}/deployments/{id}": Role.viewer,
        "GET /v1/systems/{system}/deployments/{id}/statuses": Role.viewer,
        "POST /v1/systems/{system}/deployments": Role.pipeline,
        "POST /v1/systems/{system}/deployments/{id}/statuses": Role.pipeline,
    },
    rights={
        "deployment_commits": {"SELECT": WHOLE, "INSERT": WHOLE},
        "deployment_statuses": {"SELECT": WHOLE, "INSERT": "all but id"},
        "deployments": {
            "SELECT": WHOLE,
            "INSERT": "all but id",
            "UPDATE": "state detail lease_expires_at finished_at",
        },
    },
    open_records={"deployments": "state = 'in_progress'"},
    granted_functions=("compare_artifacts", "count_commits_ahead", "deployment_below", "first_deployment"),
    out_of_reach={
        "deployments_overridden_known": "the gate names the blockers",
        "deployments_promotion_id_fkey": "the statement that records a deployment also records its promotion",
        "deployment_statuses_deployment_id_fkey": "each status has a deployment, and no deployment is deleted",
        "deployment_commits_deployment_id_fkey": "the statement that records commits also records their deployment",
        "deployments_are_not_truncated": "the service has no right to truncate a table",
    },
    writes={
        "POST /v1/systems/{system}/deployments": _opens_a_deployment,
        "POST /v1/systems/{system}/deployments/{id}/statuses": _adds_a_status,
    },
    two=_two,
)


PATH = "/v1/systems/azul/deployments"


def rollout(environment="development", **fields):
    return {"environment": environment, "artifact": an_artifact(), **fields}


def test_a_deployment_opens_in_progress_and_can_be_read(api, given):
    given.the_usual()

    opened = api.as_("pipeline").post(PATH, rollout(revision=a_revision(), run_url="https://ci.example.org/1"))

    assert opened.status == 201
    assert opened["state"] == "in_progress"
    assert opened["created_by"] == "pipeline@local"
    assert opened["finished_at"] is None
    assert api.as_("viewer").get(opened.headers["Location"]).json == opened.json


@pytest.mark.parametrize("state", ["succeeded", "failed", "cancelled"])
def test_a_status_finishes_it_at_the_servers_time(api, given, state):
    given.the_usual()
    opened = given.a_deployment(state="in_progress")

    status = given.a_status(opened["id"], state, detail="as it happened")

    finished = api.get(f"{PATH}/{opened['id']}")
    assert (finished["state"], finished["detail"]) == (state, "as it happened")
    assert finished["finished_at"] == status["created_at"]


def test_its_statuses_are_listed_newest_first(api, given):
    given.the_usual()
    opened = given.a_deployment(state="in_progress")
    given.a_status(opened["id"], "in_progress", detail="half way")
    given.a_status(opened["id"], "succeeded")

    statuses = api.get(f"{PATH}/{opened['id']}/statuses")

    assert [each["state"] for each in statuses["items"]] == ["succeeded", "in_progress", "in_progress"]


@pytest.mark.parametrize("late", ["in_progress", "succeeded", "failed", "cancelled"])
def test_a_finished_deployment_does_not_change(api, given, late):
    given.the_usual()
    opened = given.a_deployment(state="failed")
    before = api.get(f"{PATH}/{opened['id']}")

    answer = api.post(f"{PATH}/{opened['id']}/statuses", {"state": late})

    assert (answer.status, answer.problem) == (409, "deployment-final")
    assert api.get(f"{PATH}/{opened['id']}").json == before.json


def test_a_denied_deployment_lists_its_blockers_and_is_not_opened(api, given):
    given.the_usual()

    answer = api.as_("pipeline").post(PATH, rollout("preproduction"))

    assert (answer.status, answer.problem) == (409, "promotion-denied")
    assert [blocker["code"] for blocker in answer["blockers"]] == ["not-deployed"]
    assert api.get(PATH)["items"] == []


def test_opening_records_the_decision(api, given):
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
def test_the_gate_applies_to_rollouts_and_hotfixes(api, given, kind):
    given.the_usual()

    assert api.post(PATH, rollout("preproduction", kind=kind)).problem == "promotion-denied"


def test_a_maintainer_overrides_the_gate_with_a_reason_that_is_shown(api, given):
    given.the_usual()
    reason = "The incident can't wait"

    answer = api.as_("maintainer").post(PATH, rollout("production", kind="hotfix", override_reason=reason))

    assert answer.status == 201
    assert answer["override_reason"] == reason
    assert api.get(f"{PATH}/{answer['id']}")["override_reason"] == reason
    (target,) = [each for each in api.get("/v1/systems/azul/state")["targets"] if each["environment"] == "production"]
    assert target["last_attempt"]["override_reason"] == reason
    assert target["last_attempt"]["overridden"] == ["not-deployed"]
    assert api.get("/v1/systems/azul/promotions")["items"][0]["decision"] == "denied"


def test_overridden_deployments_are_found(api, given):
    given.the_usual()
    overridden = given.a_deployment(environment="production")["id"]
    free = given.a_deployment(override_reason="The lowest environment asks for nothing")["id"]

    def found(value):
        return [each["id"] for each in api.get(f"{PATH}?overridden={value}")["items"]]

    assert (found("true"), found("false")) == ([overridden], [free])


@pytest.mark.parametrize("reason", ["", "too short", " " * 20, "x" * 501, " not trimmed "])
def test_an_override_without_a_reason_is_refused(api, given, reason):
    given.the_usual()

    answer = api.post(PATH, rollout("production", override_reason=reason))

    assert (answer.status, answer["errors"][0]["pointer"]) == (422, "#/override_reason")


def test_a_pipeline_cannot_override(api, given):
    given.the_usual()

    answer = api.as_("pipeline").post(PATH, rollout("production", override_reason="I want to deploy now"))

    assert answer.status == 403


@pytest.mark.parametrize(
    ("digits", "subject", "indent"),
    [(40, None, None), (64, "x" * 200, 4), (64, "x" * 120, 8), (64, "\U0001f680" * 60, "\t")],
)
def test_ten_thousand_commits_are_counted_and_kept(api, given, digits, subject, indent):
    given.the_usual()
    at = "2026-01-01T00:00:00.123456+01:00"  # the longest form
    commits = [{"sha": f"{n:0{digits}x}", "authored_at": at, "subject": subject} for n in range(10_000)]

    # An indented body with this number of characters must also fit into an event of Lambda, as escaped text.
    body = json.dumps(rollout(commits=commits), indent=indent, ensure_ascii=False)
    answer = api.post(PATH, body)

    assert len(json.dumps(body, ensure_ascii=False).encode()) < 6_000_000
    assert (answer.status, answer["commit_count"]) == (201, 10_000)
    assert given.sql("SELECT count(*) FROM deployment_commits") == [(10_000,)]


def test_repeated_commits_and_more_than_ten_thousand_are_refused(api, given):
    given.the_usual()
    commits = [{"sha": f"{n:040x}", "authored_at": "2026-01-01T00:00:00Z"} for n in range(10_001)]

    for refused in (commits, [commits[0], *commits[:2]]):
        answer = api.post(PATH, rollout(commits=refused))

        assert (answer.status, answer.problem) == (422, "invalid")
        assert [fault["pointer"] for fault in answer["errors"]] == ["#/commits"]
    assert api.get(PATH)["items"] == []


def test_an_unknown_workspace_is_refused_by_name(api, given):
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


def test_a_deployment_is_found_only_in_its_own_system(api, given):
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
