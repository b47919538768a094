"""Rule 12 of docs/registry/rules.md: a request that changes facts of the gate first takes the system's lock."""

from collections.abc import Callable
from typing import Any

import pytest

from chalicelib.database.connection import lock_key
from tests.service.deployments.records import an_artifact
from tests.support.api import Api
from tests.support.given import Given
from tests.support.races import held

LOCK = f"SELECT pg_advisory_xact_lock({lock_key('system azul')})"
OF_HOLDS = lock_key("holds")
PATH = "/v1/systems/azul"
FREEZE = {"kind": "freeze", "reason": "Release week"}

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
    "creating a hold": lambda api, _: api.post(f"{PATH}/holds", FREEZE),
    "releasing a hold": lambda api, _: api.post(f"{PATH}/holds/1/release", {"reason": "No longer needed"}),
    "giving an approval": lambda api, _: api.post(
        f"{PATH}/approvals", {"environment": "production", "artifact": an_artifact("other")}
    ),
    "withdrawing an approval": lambda api, _: api.post(f"{PATH}/approvals/1/withdraw", {}),
}


@pytest.mark.parametrize("action", ACTIONS)
def test_a_write_waits_for_the_systems_lock(api: Api, given: Given, database_url: str, action: str) -> None:
    given.the_usual()
    given.a_deployment(environment="production")
    opened = given.a_deployment(state="in_progress")
    given.a_freeze()
    given.an_approval(an_artifact())

    with held(database_url, LOCK) as hold:
        future = hold.waiting(lambda: ACTIONS[action](api, opened["id"]))
        waited = not future.done()

    assert waited
    assert future.result().status in (200, 201, 409)


@pytest.mark.parametrize("action", ["creating", "releasing"])
def test_a_hold_over_systems_waits_until_nobody_decides(api: Api, given: Given, database_url: str, action: str) -> None:
    """It waits for each request that has a system's lock, and takes no such lock itself."""
    given.the_usual()
    existing = given.a_freeze_over_systems()["id"]
    path, body = {
        "creating": ("/v1/holds", FREEZE),
        "releasing": (f"/v1/holds/{existing}/release", {"reason": "No longer needed"}),
    }[action]

    with held(database_url, f"SELECT pg_advisory_xact_lock_shared({OF_HOLDS})") as hold:
        decides = ACTIONS["opening a deployment"](api, "")
        future = hold.waiting(lambda: api.post(path, body))
        waited = not future.done()
    with held(database_url, LOCK):
        alone = api.post("/v1/holds", FREEZE)

    assert waited
    assert decides.status in (201, 409)
    assert (future.result().status, alone.status) == (201 if action == "creating" else 200, 201)


def test_a_decision_waits_for_a_hold_over_systems(api: Api, given: Given, database_url: str) -> None:
    given.the_usual()

    with held(database_url, f"SELECT pg_advisory_xact_lock({OF_HOLDS})") as hold:
        future = hold.waiting(lambda: ACTIONS["opening a deployment"](api, ""))
        waited = not future.done()

    assert waited
    assert future.result().problem == "promotion-denied"


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
