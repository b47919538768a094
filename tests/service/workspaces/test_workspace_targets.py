"""Workspaces as targets of deployments and verifications."""

import psycopg2
import pytest

from chalicelib.database.connection import lock_key
from tests.service.deployments.records import an_artifact
from tests.support.given import ahead
from tests.support.races import at_once, held

SYSTEM = "/v1/systems/azul"
PATH = f"{SYSTEM}/workspaces"
DEPLOYMENTS = f"{SYSTEM}/deployments"
LOCK = f"SELECT pg_advisory_xact_lock({lock_key('system azul')})"
DAY = 86400
OVER = "2026-01-01T00:00:00Z"


def pointers(answer):
    assert answer.problem == "invalid", answer
    return [fault["pointer"] for fault in answer["errors"]]


def rollout(workspace, artifact="first", **fields):
    return {"environment": "development", "workspace": workspace, "artifact": an_artifact(artifact), **fields}


def verification(**fields):
    return {"suite": "acceptance", "trigger": "manual", "outcome": "success", **fields}


def test_deployments_and_verifications_go_to_a_workspace(api, given):
    given.the_usual()
    given.a_workspace("jane")

    deployment = given.a_deployment(workspace="jane")
    verified = given.a_verification(workspace="jane")

    assert deployment["workspace"] == verified["workspace"] == "jane"
    assert verified["artifact"] == deployment["artifact"]
    assert [each["id"] for each in api.get(f"{DEPLOYMENTS}?workspace=jane")["items"]] == [deployment["id"]]
    assert api.get(f"{DEPLOYMENTS}?workspace=default")["items"] == []


def test_a_workspace_is_a_target_of_its_own(api, given):
    given.the_usual()
    given.a_workspace("jane")
    given.a_workspace("joe")
    given.a_deployment(workspace="jane", state="in_progress")

    assert api.post(DEPLOYMENTS, rollout("jane", "second")).problem == "target-busy"
    assert api.post(DEPLOYMENTS, rollout("joe")).status == 201
    assert api.post(DEPLOYMENTS, rollout("default")).status == 201


def test_deployments_and_verifications_in_a_workspace_prove_nothing_for_the_gate(api, given):
    given.the_usual()
    given.a_workspace("jane")
    given.a_deployment(workspace="jane")
    given.a_verification(workspace="jane")

    answer = api.post(f"{SYSTEM}/promotions", {"environment": "preproduction", "artifact": an_artifact()})

    assert [blocker["code"] for blocker in answer["blockers"]] == ["not-deployed"]


def test_deployments_to_a_workspace_pass_no_gate(api, given):
    given.the_usual()
    given.a_workspace("jane", environment="production")

    opened = api.as_("pipeline").post(DEPLOYMENTS, {**rollout("jane"), "environment": "production"})

    assert (opened.status, opened["promotion_id"]) == (201, None)


def test_a_workspace_of_another_environment_is_unknown(api, given):
    given.the_usual()
    given.a_workspace("jane", environment="production")
    imported = given.an_import() and {"imported": True, "started_at": OVER, "finished_at": OVER}

    for resource, asked in {
        "deployments": rollout("jane"),
        "verifications": rollout("jane", **verification(), **imported),
    }.items():
        assert pointers(api.post(f"{SYSTEM}/{resource}", asked)) == ["#/workspace"]


def test_a_deployment_to_an_inactive_workspace_is_refused(api, given):
    given.the_usual()
    workspace = given.a_workspace("jane")["id"]
    given.a_deployment(workspace="jane")
    given.time_passes(2 * DAY)

    expired = api.post(DEPLOYMENTS, rollout("jane", "second"))
    api.delete(f"{PATH}/{workspace}", if_match="*")
    destroyed = api.post(DEPLOYMENTS, rollout("jane", "second"))

    assert [expired.problem, destroyed.problem] == ["workspace-not-active"] * 2
    assert given.sql("SELECT count(*) FROM deployments") == [(1,)]


def test_a_workspace_does_not_inherit_the_records_of_an_earlier_one_of_its_name(api, given):
    given.the_usual()
    over = {"started_at": OVER, "finished_at": OVER, "imported": True}
    run = api.as_("pipeline", run_id="4711")
    made = []
    for _ in range(2):
        workspace = given.a_workspace("jane")["id"]
        made += [
            run.post(DEPLOYMENTS, rollout("jane")),
            api.post(DEPLOYMENTS, rollout("jane", **over, state="succeeded")),
            api.post(f"{SYSTEM}/verifications", rollout("jane", **verification(), **over)),
        ]
        api.delete(f"{PATH}/{workspace}", if_match="*")

    assert [answer.status for answer in made] == [201] * 6


def test_an_expired_workspace_can_be_verified_and_a_destroyed_one_cannot(api, given):
    given.the_usual()
    workspace = given.a_workspace("jane")["id"]
    tested = given.a_deployment(workspace="jane")["id"]
    given.time_passes(2 * DAY)

    expired = api.post(f"{SYSTEM}/verifications", verification(deployment=tested))
    api.delete(f"{PATH}/{workspace}", if_match="*")
    destroyed = api.post(f"{SYSTEM}/verifications", verification(deployment=tested))

    assert (expired.status, destroyed.problem) == (201, "workspace-not-active")


def test_a_deployment_in_progress_outlives_the_expiry_of_its_workspace(api, given):
    given.the_usual()
    given.a_workspace("jane", expires_at=ahead(minutes=1))
    opened = given.a_deployment(workspace="jane", state="in_progress")
    given.time_passes(61)

    assert given.a_status(opened["id"], "succeeded").status == 201


def test_a_retried_run_gets_its_deployment_even_in_an_expired_workspace(api, given):
    given.the_usual()
    given.a_workspace("jane", expires_at=ahead(minutes=1))
    pipeline = api.as_("pipeline", run_id="4711")
    first = pipeline.post(DEPLOYMENTS, rollout("jane"))
    given.time_passes(61)

    again = pipeline.post(DEPLOYMENTS, rollout("jane"))

    assert (first.status, again.status, again["id"]) == (201, 200, first["id"])


def test_imports_may_name_a_destroyed_workspace_but_not_an_unknown_one(api, given):
    given.the_usual()
    workspace = given.a_workspace("jane")["id"]
    api.delete(f"{PATH}/{workspace}", if_match="*")
    over = {"started_at": OVER, "finished_at": OVER, "imported": True}

    first = given.an_import(workspace="jane")
    again = given.an_import(workspace="jane")
    verified = api.post(f"{SYSTEM}/verifications", rollout("jane", **verification(), **over))
    never = api.post(DEPLOYMENTS, rollout("joe", state="succeeded", **over))

    assert (first.status, again.status, verified.status) == (201, 200, 201)
    assert pointers(never) == ["#/workspace"]


def test_a_new_workspace_with_an_old_name_starts_empty(api, given):
    given.the_usual()
    first = given.a_workspace("jane")["id"]
    given.a_deployment(workspace="jane")
    api.delete(f"{PATH}/{first}", if_match="*")
    given.a_workspace("jane")

    back = api.post(DEPLOYMENTS, rollout("jane", kind="rollback"))
    given.a_deployment(an_artifact("second"), workspace="jane")
    back_again = api.post(DEPLOYMENTS, rollout("jane", kind="rollback"))

    assert [back.problem, back_again.problem] == ["rollback-refused"] * 2
    assert "no deployment of the artifact" in back_again["detail"]


def test_a_new_workspace_with_an_old_name_is_not_busy(api, given):
    given.the_usual()
    first = given.a_workspace("jane")["id"]
    given.a_deployment(workspace="jane", state="in_progress")
    api.delete(f"{PATH}/{first}", if_match="*")
    given.a_workspace("jane")

    assert api.post(DEPLOYMENTS, rollout("jane", "second")).status == 201


def test_a_workspace_can_be_rolled_back(api, given):
    given.the_usual()
    given.a_workspace("jane")
    for name in ("first", "second"):
        given.a_deployment(an_artifact(name), workspace="jane")

    assert api.post(DEPLOYMENTS, rollout("jane", kind="rollback")).status == 201


@pytest.mark.parametrize("table", ["deployments", "verifications"])
def test_the_schema_refuses_unknown_targets(given, table):
    given.the_usual()
    given.a_deployment()
    given.a_verification()
    names = [
        name
        for (name,) in given.sql(
            """
            SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0
                AND attgenerated = '' AND attname NOT IN ('id', 'workspace', 'workspace_id')
            """,
            table,
        )
    ]
    columns = ", ".join(names)
    copied = f"INSERT INTO {table} ({columns}, workspace, workspace_id) SELECT {columns}, %s, %s FROM {table}"

    with pytest.raises(psycopg2.IntegrityError, match="target"):
        given.sql(copied, "jane", None)
    with pytest.raises(psycopg2.IntegrityError, match="keep_workspace"):
        given.sql(copied, "jane", 99)


def test_a_deployment_during_the_destruction_is_cancelled_or_refused(api, given):
    given.the_usual()
    workspace = given.a_workspace("jane")["id"]

    opened, destroyed = at_once(
        lambda: api.post(DEPLOYMENTS, rollout("jane")), lambda: api.delete(f"{PATH}/{workspace}", if_match="*")
    )

    assert destroyed.status == 204
    if opened.status == 201:
        assert api.get(f"{DEPLOYMENTS}/{opened['id']}")["state"] == "cancelled"
    else:
        assert opened.problem == "workspace-not-active"


def test_a_deployment_that_waited_for_the_destruction_is_refused(api, given, database_url):
    given.the_usual()
    workspace = given.a_workspace("jane")["id"]

    with held(database_url, LOCK) as hold:
        destroyed = hold.waiting(lambda: api.delete(f"{PATH}/{workspace}", if_match="*"))
        opened = hold.waiting(lambda: api.post(DEPLOYMENTS, rollout("jane")))

    assert (destroyed.result().status, opened.result().problem) == (204, "workspace-not-active")
