"""The rate of writes, for requests that only the registry has."""

from tests.service.deployments.records import an_artifact
from tests.support.races import statuses

SYSTEM = "/v1/systems/azul"
OVER = {"started_at": "2026-01-01T00:00:00Z", "finished_at": "2026-01-01T00:00:00Z"}
IMPORT = {"environment": "development", "artifact": an_artifact(), "imported": True, "state": "succeeded", **OVER}


def test_a_stored_answer_counts_even_if_nothing_changed(api, given, rate):
    given.the_usual()
    api.post(f"{SYSTEM}/deployments", IMPORT)
    rate(2)
    maintainer = api.as_("maintainer")

    answers = [
        maintainer.post(f"{SYSTEM}/deployments", IMPORT, idempotency_key=key) for key in ("one", "two", "three", "four")
    ]

    assert statuses(answers) == {200: 2, 429: 2}
    assert given.sql("SELECT count(*) FROM idempotency_keys") == [(2,)]


def test_a_request_that_leaves_many_audit_events_counts_once(api, given, rate):
    given.the_usual()
    workspace = given.a_workspace("jane")["id"]
    given.a_deployment(workspace="jane", state="in_progress")
    for client in ("jane", "joe"):
        given.a_route(workspace, client)
    rate(1)

    assert api.as_("maintainer").delete(f"{SYSTEM}/workspaces/{workspace}", if_match="*").status == 204

    assert given.sql("SELECT writes FROM hourly_writes WHERE writer = 'maintainer@local'") == [(1,)]


def test_a_dry_run_does_not_count(api, given, rate):
    given.the_usual()
    rate(1)
    body = {"environment": "development", "artifact": an_artifact(), "dry_run": True}

    answers = [api.as_("viewer").post(f"{SYSTEM}/promotions", body, idempotency_key=key) for key in ("one", "two")]

    assert statuses(answers) == {200: 2}
