"""Concurrent requests of pipelines: the records agree on which request came first."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from chalicelib.database.connection import lock_key
from tests.service.deployments.records import a_revision, an_artifact
from tests.support.api import Answer, Api
from tests.support.given import Given
from tests.support.races import at_once, audited, held, statuses

MANY = 50
PATH = "/v1/systems/azul"
LOCK = f"SELECT pg_advisory_xact_lock({lock_key('system azul')})"


def rollout(environment: str = "development", artifact: str = "first", **fields: Any) -> dict[str, Any]:
    return {"environment": environment, "artifact": an_artifact(artifact), **fields}


def test_requests_that_waited_for_a_denied_one_are_evaluated_again(api: Api, given: Given) -> None:
    given.the_usual()
    given.a_deployment()

    def send() -> Answer:
        return api.post(f"{PATH}/deployments", rollout("preproduction"), idempotency_key="one")

    refused = at_once(*[send] * 10)
    given.a_verification()
    granted = at_once(*[send] * 10)

    assert statuses(refused) == {409: 10}
    assert statuses(granted) == {201: 10}
    assert len({answer.body for answer in granted}) == 1


# Pipelines, runs and imports may send requests at the same time.


def test_one_of_many_pipelines_gets_the_target_and_the_others_see_its_holder(api: Api, given: Given) -> None:
    given.the_usual()
    pipeline = api.as_("pipeline")

    answers = at_once(
        *(
            lambda number=number: pipeline.post(f"{PATH}/deployments", rollout(artifact=str(number)))
            for number in range(MANY)
        )
    )

    (winner,) = [answer for answer in answers if answer.status == 201]
    losers = [answer for answer in answers if answer.status != 201]
    assert {(answer.status, answer.problem) for answer in losers} == {(409, "target-busy")}
    assert {answer["holder"]["id"] for answer in losers} == {winner["id"]}
    assert given.sql("SELECT count(*) FROM deployments") == [(1,)]


def test_a_run_that_reports_many_times_at_once_is_recorded_once(api: Api, given: Given) -> None:
    given.the_usual()
    run = api.as_("pipeline", run_id="4711", sha=a_revision())

    answers = at_once(*[lambda: run.post(f"{PATH}/deployments", rollout())] * 20)

    assert statuses(answers) == {201: 1, 200: 19}
    assert len({answer.body for answer in answers}) == 1


def test_an_import_sent_many_times_at_once_is_recorded_once(api: Api, given: Given) -> None:
    given.the_usual()

    answers = at_once(*[lambda: given.an_import(revision=a_revision())] * 20)

    assert statuses(answers) == {201: 1, 200: 19}
    assert len({answer.body for answer in answers}) == 1


def test_an_import_does_not_disturb_a_deployment_in_progress(api: Api, given: Given) -> None:
    given.the_usual()
    live = given.a_deployment(state="in_progress")
    earlier = (datetime.now(UTC) - timedelta(hours=1)).isoformat()

    answers = at_once(
        *(lambda name=name: given.an_import(an_artifact(name), at=earlier) for name in "abcdefgh"),
        lambda: given.a_status(live["id"], "succeeded"),
        lambda: given.an_import(live["artifact"], at=earlier),
    )

    assert statuses(answers) == {201: len(answers)}
    (target, *_) = api.get(f"{PATH}/state")["targets"]
    assert target["current"]["id"] == live["id"]


# Facts of the gate may change while the gate decides.


def failing_verification(api: Api) -> Answer:
    body = {"deployment": "1", "suite": "acceptance", "trigger": "schedule", "outcome": "failure"}
    return api.post(f"{PATH}/verifications", body)


def test_a_failed_verification_that_comes_first_stops_a_concurrent_deployment(
    api: Api, given: Given, database_url: str
) -> None:
    given.the_usual()
    given.a_deployment()
    given.a_verification()

    with held(database_url, LOCK) as hold:
        verification = hold.waiting(lambda: failing_verification(api))
        deployment = hold.waiting(lambda: api.post(f"{PATH}/deployments", rollout("preproduction")))

    assert verification.result().status == 201
    assert deployment.result().problem == "promotion-denied"
    assert audited(given) == ["verification.record", "promotion.decide"]


def test_a_deployment_opened_before_the_failed_verification_is_granted(
    api: Api, given: Given, database_url: str
) -> None:
    given.the_usual()
    given.a_deployment()
    given.a_verification()

    with held(database_url, LOCK) as hold:
        deployment = hold.waiting(lambda: api.post(f"{PATH}/deployments", rollout("preproduction")))
        verification = hold.waiting(lambda: failing_verification(api))

    assert (deployment.result().status, verification.result().status) == (201, 201)
    assert audited(given) == ["deployment.open", "verification.record"]


@pytest.mark.parametrize("round_", range(5))
def test_the_audit_order_agrees_with_the_outcome(api: Api, given: Given, round_: int) -> None:
    given.the_usual()
    given.a_deployment()
    given.a_verification()

    deployment, verification = at_once(
        lambda: api.post(f"{PATH}/deployments", rollout("preproduction")), lambda: failing_verification(api)
    )

    assert verification.status == 201
    assert audited(given) == (
        ["deployment.open", "verification.record"]
        if deployment.status == 201
        else ["verification.record", "promotion.decide"]
    )


# A lease may end while other requests run.


def test_a_finish_that_waits_beyond_the_lease_is_refused(api: Api, given: Given, database_url: str) -> None:
    given.the_usual()
    opened = given.a_deployment(state="in_progress", lease_seconds=60)

    with held(database_url, LOCK) as hold:
        finish = hold.waiting(lambda: api.post(f"{PATH}/deployments/{opened['id']}/statuses", {"state": "succeeded"}))
        given.time_passes(61)

    assert finish.result().problem == "lease-expired"
    assert api.get(f"{PATH}/deployments/{opened['id']}")["state"] == "cancelled"


def test_a_finish_and_a_successor_at_once_agree_on_who_holds_the_target(api: Api, given: Given) -> None:
    given.the_usual()
    opened = given.a_deployment(state="in_progress")

    finish, successor = at_once(
        lambda: api.post(f"{PATH}/deployments/{opened['id']}/statuses", {"state": "succeeded"}),
        lambda: api.post(f"{PATH}/deployments", rollout(artifact="second")),
    )

    assert finish.status == 201
    expected = ["status.add", "deployment.open"] if successor.status == 201 else ["status.add"]
    assert audited(given)[-len(expected) :] == expected


@pytest.mark.parametrize("round_", range(5))
def test_a_finish_after_the_lease_never_wins_against_a_successor(api: Api, given: Given, round_: int) -> None:
    given.the_usual()
    opened = given.a_deployment(state="in_progress", lease_seconds=60)
    given.time_passes(61)

    late, successor = at_once(
        lambda: api.post(f"{PATH}/deployments/{opened['id']}/statuses", {"state": "succeeded"}),
        lambda: api.post(f"{PATH}/deployments", rollout(artifact="second")),
    )

    assert (late.status, late.problem) == (409, "lease-expired")
    assert successor.status == 201
    assert api.get(f"{PATH}/deployments/{opened['id']}")["state"] == "cancelled"


def test_an_environment_gets_one_pin(api: Api, given: Given) -> None:
    given.the_usual()
    pin = {"kind": "pin", "environment": "production", "artifact": an_artifact(), "reason": "Keep it"}

    answers = at_once(*[lambda: api.post("/v1/systems/azul/holds", pin)] * 4)

    assert statuses(answers) == {201: 1, 409: 3}


def test_a_person_gets_one_approval(api: Api, given: Given) -> None:
    given.the_usual()
    body = {"environment": "production", "artifact": an_artifact()}

    answers = at_once(*[lambda: api.post("/v1/systems/azul/approvals", body)] * 4)

    assert statuses(answers) == {201: 1, 200: 3}
    assert len({answer["id"] for answer in answers}) == 1


def test_holds_over_systems_and_records_of_systems_never_wait_in_a_circle(api: Api, given: Given) -> None:
    given.the_usual()
    freeze = {"kind": "freeze", "reason": "Release week"}
    body = {"environment": "production", "artifact": an_artifact()}

    answers = at_once(
        *[lambda: api.post("/v1/holds", freeze)] * 4,
        *[lambda: api.post("/v1/systems/azul/holds", freeze)] * 4,
        *[lambda: api.post("/v1/systems/azul/promotions", body)] * 4,
    )

    assert statuses(answers) == {201: 8, 200: 4}
