"""Workspaces: their fields, their life cycle, and their end."""

import pytest

from chalicelib.identity.roles import Role
from tests.support.expected import WHOLE, Expected, Write
from tests.support.given import ahead
from tests.support.races import at_once


def _a_workspace(given):
    given.a_system_with_an_environment()
    return str(given.a_workspace()["id"])


def _creates_a_workspace(given):
    given.a_system_with_an_environment()
    body = {
        "environment": "development",
        "name": "jane",
        "purpose": "personal",
        "reason": "To try an index",
        "expires_at": ahead(days=1),
    }
    return Write(
        "/v1/systems/azul/workspaces",
        "azul/workspaces/{id}",
        body,
        {**body, "name": "joe"},
    )


def _changes_a_workspace(given):
    workspace = _a_workspace(given)
    return Write(
        f"/v1/systems/azul/workspaces/{workspace}",
        f"azul/workspaces/{workspace}",
        {"base_url": "https://another.example.org"},
    )


def _destroys_a_workspace(given):
    workspace = _a_workspace(given)
    return Write(f"/v1/systems/azul/workspaces/{workspace}", f"azul/workspaces/{workspace}")


def _two(given, system):
    for name in ("first", "second"):
        given.a_workspace(name, system=system)


EXPECTED = Expected(
    roles={
        "GET /v1/systems/{system}/workspaces": Role.viewer,
        "GET /v1/systems/{system}/workspaces/{id}": Role.viewer,
        "POST /v1/systems/{system}/workspaces": Role.pipeline,
        "PATCH /v1/systems/{system}/workspaces/{id}": Role.pipeline,
        "DELETE /v1/systems/{system}/workspaces/{id}": Role.pipeline,
    },
    rights={
        "workspaces": {
            "SELECT": WHOLE,
            "INSERT": "all but id state destroyed_at",
            "UPDATE": "owner reason base_url state granted_at expires_at destroyed_at",
        },
    },
    out_of_reach={
        "workspaces_are_not_truncated": "the service has no right to truncate a table",
        "workspaces_as_target": "the primary key is stricter, but foreign keys refer to this key",
        "workspaces_as_routed": "the primary key is stricter, but foreign keys refer to this key",
        "workspaces_as_address": "the primary key is stricter, but foreign keys refer to this key",
    },
    writes={
        "POST /v1/systems/{system}/workspaces": _creates_a_workspace,
        "PATCH /v1/systems/{system}/workspaces/{id}": _changes_a_workspace,
        "DELETE /v1/systems/{system}/workspaces/{id}": _destroys_a_workspace,
    },
    two=_two,
)


SYSTEM = "/v1/systems/azul"
PATH = f"{SYSTEM}/workspaces"
DEPLOYMENTS = f"{SYSTEM}/deployments"
DAY = 86400


def body(**fields):
    return {
        "environment": "development",
        "name": "jane",
        "purpose": "personal",
        "reason": "To try an index",
        "expires_at": ahead(days=1),
        **fields,
    }


def pointers(answer):
    assert answer.problem == "invalid", answer
    return [fault["pointer"] for fault in answer["errors"]]


# Workspaces can be created, read and listed.


def test_a_workspace_is_created_and_read(api, given):
    given.the_usual()
    fields = {
        "environment": "production",
        "name": "reports",
        "purpose": "debug",
        "owner": "jane",
        "reason": "Reports have been empty since Monday",
        "base_url": "https://reports.example.org",
        "database": "live",
        "expires_at": "2030-01-01T00:00:00Z",
    }

    created = api.as_("pipeline").post(PATH, {**fields, "expires_at": ahead(hours=71)})

    assert created.status == 201
    assert created.headers["Location"] == f"{PATH}/{created['id']}"
    assert api.get(created.headers["Location"]).json == created.json
    assert api.get(PATH)["items"] == [created.json]
    assert created.json == {
        **fields,
        "id": created["id"],
        "system": "azul",
        "state": "active",
        "expires_at": created["expires_at"],
        "destroyed_at": None,
        "created_at": created["created_at"],
        "created_by": "pipeline@local",
    }


def test_the_caller_owns_it_and_its_database_is_empty_by_default(api, given):
    given.the_usual()

    created = api.as_("maintainer").post(PATH, body())

    assert (created["owner"], created["database"], created["base_url"]) == ("maintainer@local", "empty", None)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", "Jane"),
        ("name", "1st"),
        ("name", "a" * 17),
        ("name", "default"),
        ("name", "a--b"),
        ("name", "a-"),
        ("purpose", "production"),
        ("owner", ""),
        ("reason", ""),
        ("reason", " "),
        ("reason", "x" * 501),
        ("base_url", "jane.example.org"),
        ("base_url", "http://jane.example.org"),
        ("base_url", "https://Jane.example.org"),
        ("base_url", "https://jane.example.org@evil.example"),
        ("base_url", "https://evil.example?.example.org"),
        ("base_url", "https://evil.example#.example.org"),
        ("base_url", "https://evil.example\\.example.org"),
        ("base_url", "https://jane.example.org."),
        ("base_url", "https://jane.example.org\n"),
        ("database", "live"),
        ("database", "copy"),
        ("expires_at", "2020-01-01T00:00:00Z"),
        ("expires_at", "2126-01-01T00:00:00Z"),
        ("expires_at", None),
    ],
)
def test_a_field_out_of_bounds_is_refused_by_name(api, given, field, value):
    given.the_usual()

    answer = api.post(PATH, body(**{field: value}))

    assert (answer.status, pointers(answer)) == (422, [f"#/{field}"])
    assert api.get(PATH)["items"] == []


@pytest.mark.parametrize("field", ["environment", "name", "purpose", "reason", "expires_at"])
def test_a_missing_field_is_named(api, given, field):
    given.the_usual()
    given_body = {name: value for name, value in body().items() if name != field}

    assert pointers(api.post(PATH, given_body)) == [f"#/{field}"]


@pytest.mark.parametrize(("purpose", "days"), [("personal", 14), ("preview", 14), ("debug", 3)])
def test_its_purpose_limits_its_expiry(api, given, purpose, days):
    given.the_usual()

    at_most = api.post(PATH, body(purpose=purpose, expires_at=ahead(days=days, seconds=-5)))
    beyond = api.post(PATH, body(purpose=purpose, name="joe", expires_at=ahead(days=days, seconds=5)))

    assert at_most.status == 201
    assert (beyond.status, pointers(beyond)) == (422, ["#/expires_at"])


def test_a_name_is_unique_in_an_environment(api, given):
    given.the_usual()
    given.a_workspace("jane")

    again = api.post(PATH, body())
    elsewhere = api.post(PATH, body(environment="preproduction"))

    assert (again.status, again.problem, again["errors"][0]["pointer"]) == (409, "already-exists", "#/name")
    assert elsewhere.status == 201


def test_an_expired_workspace_keeps_its_name_and_a_destroyed_one_frees_it(api, given):
    given.the_usual()
    first = given.a_workspace("jane")["id"]
    given.time_passes(2 * DAY)

    expired = api.post(PATH, body())
    api.delete(f"{PATH}/{first}", if_match="*")
    destroyed = api.post(PATH, body())

    assert (expired.status, destroyed.status) == (409, 201)
    assert destroyed["id"] != first
    assert api.get(f"{PATH}/{first}")["state"] == "destroyed"


def test_one_of_many_workspaces_with_the_same_name_at_once_is_created(api, given):
    given.the_usual()

    answers = at_once(*[lambda: api.post(PATH, body())] * 10)

    assert sorted(answer.status for answer in answers) == [201] + [409] * 9
    assert given.sql("SELECT count(*) FROM workspaces") == [(1,)]


def test_an_unknown_workspace_is_not_found(api, given):
    assert api.get(PATH).problem == "not-found"
    assert api.post(PATH, body()).problem == "not-found"
    given.the_usual()
    given.a_system("blue")
    workspace = given.a_workspace()["id"]

    assert api.post(PATH, body(environment="nowhere")).problem == "not-found"
    for path in (f"{PATH}/99", f"/v1/systems/blue/workspaces/{workspace}"):
        assert api.get(path).problem == "not-found"
        assert api.patch(path, {}, if_match="*").problem == "not-found"
        assert api.delete(path, if_match="*").problem == "not-found"


def test_the_list_is_newest_first_and_filtered(api, given):
    given.the_usual()
    given.a_workspace("old", owner="jane", expires_at=ahead(hours=1))
    given.time_passes(2 * 3600)
    given.a_workspace("gone", owner="jane", expires_at=ahead(hours=2))
    api.delete(f"{PATH}/2", if_match="*")
    given.a_workspace("late", owner="joe", expires_at=ahead(hours=48))
    given.a_workspace("soon", environment="production", owner="joe", expires_at=ahead(hours=3))

    def names(query=""):
        return [each["name"] for each in api.get(f"{PATH}?{query}")["items"]]

    assert names() == ["soon", "late", "gone", "old"]
    assert names("state=active") == ["soon", "late"]
    assert names("state=expired") == ["old"]
    assert names("state=destroyed") == ["gone"]
    assert names("owner=jane") == ["gone", "old"]
    assert names("environment=production") == ["soon"]
    assert names("name=late") == ["late"]
    assert names(f"state=active&expires_before={ahead(hours=4).replace('+00:00', 'Z')}") == ["soon"]


# A workspace can be destroyed.


def test_a_destroyed_workspace_can_still_be_read(api, given):
    given.the_usual()
    before = given.a_workspace()
    path = f"{PATH}/{before['id']}"

    destroyed = api.delete(path, if_match=before.headers["ETag"])

    assert destroyed.status == 204
    after = api.get(path)
    assert after.json == {**before.json, "state": "destroyed", "destroyed_at": after["destroyed_at"]}
    assert after["destroyed_at"] > before["created_at"]


def test_the_reaper_can_destroy_an_expired_workspace(api, given):
    given.the_usual()
    path = f"{PATH}/{given.a_workspace()['id']}"
    given.time_passes(2 * DAY)

    assert api.delete(path, if_match="*").status == 204
    assert api.get(path)["state"] == "destroyed"


def test_a_destroyed_workspace_can_be_neither_changed_nor_destroyed_again(api, given):
    given.the_usual()
    path = f"{PATH}/{given.a_workspace()['id']}"
    api.delete(path, if_match="*")
    before = api.get(path).json

    assert api.delete(path, if_match="*").problem == "workspace-not-active"
    assert api.patch(path, {"owner": "joe"}, if_match="*").problem == "workspace-not-active"
    assert api.get(path).json == before


def test_one_of_two_destructions_at_once_is_recorded(api, given):
    given.the_usual()
    path = f"{PATH}/{given.a_workspace()['id']}"

    answers = at_once(*[lambda: api.delete(path, if_match="*")] * 2)

    assert sorted(answer.status for answer in answers) == [204, 409]
    assert given.sql("SELECT count(*) FROM audit_events WHERE action = 'workspace.destroy' AND refusal IS NULL") == [
        (1,)
    ]


def test_destroying_it_cancels_its_deployment_in_progress(api, given):
    given.the_usual()
    workspace = given.a_workspace("jane")["id"]
    opened = given.a_deployment(workspace="jane", state="in_progress")

    api.delete(f"{PATH}/{workspace}", if_match="*")

    cancelled = api.get(f"{DEPLOYMENTS}/{opened['id']}")
    assert (cancelled["state"], cancelled["detail"]) == ("cancelled", "The workspace was destroyed")
    assert [each["state"] for each in api.get(f"{DEPLOYMENTS}/{opened['id']}/statuses")["items"]] == [
        "cancelled",
        "in_progress",
    ]
    events = given.sql("SELECT action, principal FROM audit_events ORDER BY id DESC LIMIT 2")
    assert events == [("workspace.destroy", "admin@local"), ("deployment.cancel", "admin@local")]
    assert api.post(f"{DEPLOYMENTS}/{opened['id']}/statuses", {"state": "succeeded"}).problem == "deployment-final"


def test_destroying_it_leaves_other_deployments_in_progress(api, given):
    given.the_usual()
    workspace = given.a_workspace("jane")["id"]
    given.a_workspace("joe")
    others = [
        given.a_deployment(workspace="joe", state="in_progress"),
        given.a_deployment(state="in_progress"),
    ]

    api.delete(f"{PATH}/{workspace}", if_match="*")

    assert {api.get(f"{DEPLOYMENTS}/{each['id']}")["state"] for each in others} == {"in_progress"}


def test_an_environment_that_had_a_workspace_has_history(api, given):
    given.the_usual()
    given.a_workspace()
    api.delete(f"{PATH}/1", if_match="*")

    assert api.delete(f"{SYSTEM}/environments/development", if_match="*").problem == "has-history"
    assert api.delete(SYSTEM, if_match="*").problem == "has-history"
