"""Rule 12 of docs/registry/rules.md: a request that changes facts of the gate first takes the system's lock."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.service.deployments.records import an_artifact
from tests.support.api import Api
from tests.support.given import Given
from tests.support.races import held

LOCK = "SELECT pg_advisory_xact_lock(hashtextextended('system azul', 0))"
PATH = "/v1/systems/azul"

ACTIONS: dict[str, Callable[[Api, str], Any]] = {
    "opening a deployment": lambda api, _: api.post(
        f"{PATH}/deployments", {"environment": "preproduction", "artifact": an_artifact()}
    ),
    "finishing a deployment": lambda api, id_: api.post(f"{PATH}/deployments/{id_}/statuses", {"state": "succeeded"}),
    "recording a verification": lambda api, id_: api.post(
        f"{PATH}/verifications",
        {"deployment": id_, "suite": "acceptance", "trigger": "manual", "outcome": "success"},
    ),
    "recording a decision": lambda api, _: api.post(
        f"{PATH}/promotions", {"environment": "preproduction", "artifact": an_artifact()}
    ),
}


@pytest.mark.parametrize("action", ACTIONS)
def test_a_write_waits_for_the_systems_lock(api: Api, given: Given, database_url: str, action: str) -> None:
    given.the_usual()
    given.a_deployment(environment="production")
    opened = given.a_deployment(state="in_progress")

    with held(database_url, LOCK) as hold:
        future = hold.waiting(lambda: ACTIONS[action](api, opened["id"]))
        waited = not future.done()

    assert waited
    assert future.result().status in (200, 201, 409)


def test_a_write_decides_by_what_was_committed_while_it_waited(api: Api, given: Given, database_url: str) -> None:
    given.the_usual()
    given.a_deployment()
    given.a_verification()
    failure = """
        INSERT INTO verifications (system_id, deployment_id, environment_id, artifact, suite, trigger, outcome,
            started_at, finished_at, imported, issuer, created_by)
        SELECT system_id, deployment_id, environment_id, artifact, suite, trigger, 'failure',
            now(), now(), imported, issuer, created_by
        FROM verifications
    """

    with held(database_url, f"{LOCK}; {failure}") as hold:
        future = hold.waiting(lambda: ACTIONS["opening a deployment"](api, ""))

    assert future.result().problem == "promotion-denied"
    assert [blocker["code"] for blocker in future.result()["blockers"]] == ["verification-failed"]


def test_a_dry_run_waits_for_no_lock(api: Api, given: Given, database_url: str) -> None:
    given.the_usual()
    body = {"environment": "development", "artifact": an_artifact(), "dry_run": True}

    with held(database_url, LOCK):
        answer = api.as_("viewer").post(f"{PATH}/promotions", body)

    assert answer["decision"] == "granted"
