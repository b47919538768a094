"""The rights to change a workspace, and the rules that the schema enforces."""

import psycopg2
import pytest

from tests.support.claims import RUN_SUBJECT
from tests.support.given import ahead

SYSTEM = "/v1/systems/azul"
PATH = f"{SYSTEM}/workspaces"


def body(**fields):
    return {
        "environment": "development",
        "name": "jane",
        "purpose": "personal",
        "reason": "To try an index",
        "expires_at": ahead(days=1),
        **fields,
    }


def test_a_pipeline_may_change_and_destroy_only_its_own_workspaces(api, given):
    given.the_usual()
    ours = api.as_("pipeline").post(PATH, body(name="ours"))["id"]
    theirs = api.as_("pipeline", sub="another@local").post(PATH, body(name="theirs"))["id"]
    pipeline = api.as_("pipeline")

    for path in (f"{PATH}/{theirs}",):
        assert pipeline.patch(path, {"owner": "joe"}, if_match="*").problem == "forbidden"
        assert pipeline.delete(path, if_match="*").problem == "forbidden"
        assert api.get(path)["state"] == "active"
    assert pipeline.patch(f"{PATH}/{ours}", {"owner": "joe"}, if_match="*").status == 200
    assert pipeline.delete(f"{PATH}/{ours}", if_match="*").status == 204


def test_a_maintainer_may_change_and_destroy_any_workspace_of_their_system(api, given):
    given.the_usual()
    path = f"{PATH}/{api.as_('pipeline').post(PATH, body())['id']}"

    assert api.as_("maintainer", of="blue").delete(path, if_match="*").problem == "forbidden"
    assert api.as_("maintainer").patch(path, {"owner": "joe"}, if_match="*").status == 200
    assert api.as_("maintainer").delete(path, if_match="*").status == 204


def test_a_run_may_write_workspaces_if_a_publisher_allows_it(api, given):
    given.the_usual()
    given.a_publisher()

    without = api.as_run().post(PATH, body())
    given.a_publisher(kinds=["workspaces"])
    created = api.as_run().post(PATH, body())
    elsewhere = api.as_run().post(PATH, body(environment="production"))

    assert [each.problem for each in (without, elsewhere)] == ["forbidden", "forbidden"]
    assert (created.status, created["owner"]) == (201, RUN_SUBJECT)


def test_a_run_needs_a_publisher_to_change_even_its_own_workspaces(api, given):
    given.the_usual()
    publisher = given.a_publisher(kinds=["workspaces"])
    path = f"{PATH}/{api.as_run().post(PATH, body())['id']}"
    given.a_publisher(kinds=["deployments"])
    api.delete(f"{SYSTEM}/publishers/{publisher['id']}", if_match="*")

    assert api.as_run().patch(path, {"owner": "joe"}, if_match="*").problem == "forbidden"
    assert api.as_run().delete(path, if_match="*").problem == "forbidden"


@pytest.mark.parametrize(
    ("purposes", "purpose"),
    [(["personal", "preview"], "debug"), (["debug"], "personal"), (["debug"], "preview")],
    ids=str,
)
def test_a_run_writes_only_workspaces_of_the_purposes_that_its_publisher_names(api, given, purposes, purpose):
    given.the_usual()
    named = given.a_publisher(kinds=["workspaces"], purposes=[purpose])["id"]
    path = f"{PATH}/{api.as_run().post(PATH, body(purpose=purpose))['id']}"
    given.a_publisher(kinds=["workspaces"], purposes=purposes)
    api.delete(f"{SYSTEM}/publishers/{named}", if_match="*")
    run = api.as_run()

    answers = [
        run.post(PATH, body(name="another", purpose=purpose)),
        run.patch(path, {"owner": "joe"}, if_match="*"),
        run.patch(path, {"expires_at": ahead(days=2), "reason": "To try it longer"}, if_match="*"),
        run.delete(path, if_match="*"),
    ]

    assert [answer.problem for answer in answers] == ["forbidden"] * 4
    assert f"{purpose} workspaces" in answers[0]["detail"]
    assert api.get(path)["state"] == "active"


def test_a_publisher_without_purposes_allows_no_debug_workspaces(api, given):
    given.the_usual()
    given.a_publisher(kinds=["workspaces"])

    answers = [api.as_run().post(PATH, body(name=each, purpose=each)) for each in ("personal", "preview", "debug")]

    assert [answer.status for answer in answers] == [201, 201, 403]


def test_only_runs_of_the_same_repository_may_reap_it(api, given):
    given.the_usual()
    given.a_publisher(kinds=["workspaces"])
    given.a_publisher(kinds=["workspaces"], repository="acme/blue", repository_id="75")
    path = f"{PATH}/{api.as_run().post(PATH, body())['id']}"
    workflow = "acme/blue/.github/workflows/deploy.yml@refs/heads/main"
    another = api.as_run(repository="acme/blue", repository_id="75", workflow_ref=workflow, job_workflow_ref=workflow)
    reaper = api.as_run(sub="repo:acme/azul:environment:reap", run_id="4712", event_name="schedule")

    assert another.delete(path, if_match="*").problem == "forbidden"
    assert reaper.delete(path, if_match="*").status == 204


# The schema enforces rules for workspaces.


@pytest.mark.parametrize(
    ("change", "constraint"),
    [
        ("name = 'default'", "name_is_usable"),
        ("name = 'a--b'", "name_is_usable"),
        ("name = 'a-'", "name_is_usable"),
        ("base_url = 'http://jane.example.org'", "base_url_is_https"),
        ("base_url = 'https://jane.example.org@evil.example'", "base_url_is_https"),
        ("purpose = 'other'", "purpose_known"),
        ("database = 'other'", "database_known"),
        ("purpose = 'personal', database = 'live'", "live_data_is_for_debugging"),
        ("state = 'other'", "state_known"),
        ("state = 'destroyed'", "destroyed_with_their_state"),
        ("destroyed_at = now()", "destroyed_with_their_state"),
        ("expires_at = granted_at", "end_in_time"),
        ("expires_at = granted_at + interval '72 hours 1 second'", "end_in_time"),
        ("purpose = 'personal', expires_at = granted_at + interval '336 hours 1 second'", "end_in_time"),
        ("environment_id = 99", "keep_environment"),
    ],
)
def test_the_schema_enforces_the_rules_for_workspaces(given, change, constraint):
    given.the_usual()
    given.a_workspace()

    with pytest.raises(psycopg2.IntegrityError, match=f"workspaces_{constraint}"):
        given.sql(f"UPDATE workspaces SET {change}")


@pytest.mark.parametrize(
    ("state", "change"),
    [
        ("expired", "state = 'active'"),
        ("destroyed", "state = 'expired', destroyed_at = NULL"),
        ("destroyed", "owner = 'joe'"),
    ],
)
def test_the_schema_lets_no_workspace_return_to_an_earlier_state(given, state, change):
    given.the_usual()
    given.a_workspace()
    given.sql(
        "UPDATE workspaces SET state = %s, destroyed_at = CASE WHEN %s = 'destroyed' THEN now() END", state, state
    )

    with pytest.raises(psycopg2.IntegrityError, match="workspaces never changes"):
        given.sql(f"UPDATE workspaces SET {change}")


def test_a_workspace_is_never_deleted(given):
    given.the_usual()
    given.a_workspace()

    with pytest.raises(psycopg2.IntegrityError, match="workspaces never changes"):
        given.sql("DELETE FROM workspaces")
