"""Rule 5 of docs/registry/rules.md: a target takes one deployment at a time. The deployment has a lease on it."""

from datetime import datetime

import pytest

from tests.service.deployments.records import an_artifact

PATH = "/v1/systems/azul/deployments"


def rollout(environment="development", **fields):
    return {"environment": environment, "artifact": an_artifact(), **fields}


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


def test_the_schema_allows_one_open_deployment_on_a_target(api, given):
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


def test_a_lease_lasts_an_hour_by_default(api, given):
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


def test_an_expired_lease_reads_as_cancelled_before_the_sweep(api, given):
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


def test_a_status_after_the_sweep_gets_the_same_refusal(api, given):
    given.the_usual()
    opened = given.a_deployment(state="in_progress", lease_seconds=60)
    given.time_passes(61)
    given.a_deployment(an_artifact("second"))

    answer = api.post(f"{PATH}/{opened['id']}/statuses", {"state": "succeeded"})

    assert (answer.status, answer.problem) == (409, "lease-expired")


def seconds_of_lease(deployment):
    return seconds_between(deployment["started_at"], deployment["lease_expires_at"])


def seconds_between(earlier, later):
    return (datetime.fromisoformat(later) - datetime.fromisoformat(earlier)).total_seconds()


def test_a_later_attempt_of_a_run_takes_over_its_target(api, given):
    given.the_usual()
    first = api.as_("pipeline", run_id="4711", run_attempt="9").post(PATH, rollout()).json
    other = api.as_("pipeline", run_id="4712", run_attempt="10").post(PATH, rollout())

    second = api.as_("pipeline", run_id="4711", run_attempt="10").post(PATH, rollout())

    assert (other.problem, second.status) == ("target-busy", 201)
    ended = api.get(f"{PATH}/{first['id']}")
    assert (ended["state"], ended["detail"]) == ("cancelled", "A later attempt of the run replaced this one")
    [event] = [each for each in api.get("/v1/audit-events")["items"] if each["action"] == "deployment.supersede"]
    assert (event["resource"], event["after"]) == (f"azul/deployments/{first['id']}", {"state": "cancelled"})


def test_an_earlier_attempt_of_a_run_takes_over_nothing(api, given):
    given.the_usual()
    api.as_("pipeline", run_id="4711", run_attempt="10").post(PATH, rollout())

    assert api.as_("pipeline", run_id="4711", run_attempt="9").post(PATH, rollout()).problem == "target-busy"


@pytest.mark.parametrize("ending", ["a later attempt", "a maintainer"])
def test_a_deployment_that_died_half_applied_has_a_way_back(api, given, ending):
    given.the_usual()
    given.a_deployment()
    died = api.as_("pipeline", run_id="4711").post(PATH, rollout(artifact=an_artifact("second")))
    back = rollout(kind="rollback")
    if ending == "a maintainer":
        assert api.as_("pipeline", run_id="4712").post(PATH, back).problem == "target-busy"
        api.as_("maintainer").post(f"{PATH}/{died['id']}/statuses", {"state": "failed"})

    assert api.as_("pipeline", run_id="4711", run_attempt="2").post(PATH, back).status == 201
