"""A route sends the requests of a client to a debug workspace until a given time."""

from datetime import datetime

import pytest

from chalicelib import NAME
from chalicelib.database.connection import lock_key
from chalicelib.identity.roles import Role
from tests.support.expected import WHOLE, Expected, Write
from tests.support.given import ahead
from tests.support.races import at_once, held

ADDRESS = "https://debug.example.org"


def _a_workspace(given):
    given.a_system()
    given.an_environment(workspace_hosts=["debug.example.org"])
    return str(given.a_workspace()["id"])


def _sets_a_route(given):
    workspace = _a_workspace(given)
    return Write(
        f"/v1/systems/azul/workspaces/{workspace}/routes/jane",
        f"azul/workspaces/{workspace}/routes/jane",
        {"until": ahead(hours=1), "base_url": ADDRESS},
    )


def _deletes_a_route(given):
    workspace = _a_workspace(given)
    given.a_route(workspace, "jane")
    return Write(
        f"/v1/systems/azul/workspaces/{workspace}/routes/jane",
        f"azul/workspaces/{workspace}/routes/jane",
    )


def _two(given, system):
    workspace = given.sql(
        "SELECT min(w.id)::text FROM workspaces w JOIN systems s ON s.id = system_id WHERE key = %s", system
    )
    for client in ("jane", "joe"):
        given.a_route(workspace[0][0], client, system=system)


EXPECTED = Expected(
    roles={
        "GET /v1/systems/{system}/workspaces/{id}/routes": Role.viewer,
        "GET /v1/systems/{system}/workspaces/{id}/routes/{client}": Role.viewer,
        "GET /v1/systems/{system}/environments/{environment}/route": Role.viewer,
        "PUT /v1/systems/{system}/workspaces/{id}/routes/{client}": Role.viewer,
        "DELETE /v1/systems/{system}/workspaces/{id}/routes/{client}": Role.viewer,
    },
    rights={
        "routes": {"SELECT": WHOLE, "INSERT": "all but id", "UPDATE": "until reason set_by_client", "DELETE": WHOLE},
    },
    writes={
        "PUT /v1/systems/{system}/workspaces/{id}/routes/{client}": _sets_a_route,
        "DELETE /v1/systems/{system}/workspaces/{id}/routes/{client}": _deletes_a_route,
    },
    two=_two,
    parameters={"client": "jane"},
)


SYSTEM = "/v1/systems/azul"
WORKSPACES = f"{SYSTEM}/workspaces"
JANE = "jane@example.org"
LOCK = f"SELECT pg_advisory_xact_lock({lock_key('system azul')})"


def route(api, workspace, client=JANE, **fields):
    return api.send("PUT", f"{workspace}/routes/{client}", {"until": ahead(hours=1), "base_url": ADDRESS, **fields})


def lookup(api, client=JANE, environment="development"):
    return api.get(f"{SYSTEM}/environments/{environment}/route?client={client}")


def pointers(answer):
    assert answer.problem == "invalid", answer
    return [fault["pointer"] for fault in answer["errors"]]


def same_time(one, other):
    return datetime.fromisoformat(one) == datetime.fromisoformat(other)


# Routes can be set, read and deleted.


def test_a_route_is_set_read_and_deleted(api, workspace):
    until = ahead(hours=2)

    created = route(api.as_("maintainer"), workspace, until=until, reason="Reports are empty")

    address = f"{workspace}/routes/{JANE}"
    assert (created.status, created.headers["Location"]) == (201, address)
    assert created.json == {
        "id": created["id"],
        "client": JANE,
        "environment": "development",
        "workspace": "debug",
        "until": created["until"],
        "reason": "Reports are empty",
        "set_by_client": False,
        "created_at": created["created_at"],
        "created_by": "maintainer@local",
    }
    assert same_time(created["until"], until)
    assert api.get(address).json == created.json
    assert api.get(f"{workspace}/routes")["items"] == [created.json]
    assert api.delete(address, if_match=created.headers["ETag"]).status == 204
    assert api.get(address).problem == "not-found"
    assert api.delete(address, if_match="*").problem == "not-found"


def test_setting_the_same_route_twice_makes_one_route_and_one_event(api, given, workspace):
    body = {"until": ahead(hours=1), "reason": "Reports are empty", "base_url": ADDRESS}

    first = api.send("PUT", f"{workspace}/routes/{JANE}", body)
    again = api.as_("maintainer").send("PUT", f"{workspace}/routes/{JANE}", body)

    assert (first.status, again.status) == (201, 200)
    assert again.json == first.json
    assert given.sql("SELECT count(*) FROM audit_events WHERE action = 'route.set'") == [(1,)]


def test_setting_a_route_again_replaces_its_end_and_reason(api, given, workspace):
    first = route(api, workspace, reason="Reports are empty")
    until = ahead(hours=2)

    later = route(api, workspace, until=until)

    assert (later.status, later["reason"], same_time(later["until"], until)) == (200, None, True)
    assert later["id"] == first["id"]
    assert api.get(f"{workspace}/routes/{JANE}").json == later.json
    assert given.sql("SELECT before ->> 'reason', after ->> 'reason' FROM audit_events ORDER BY id DESC LIMIT 1") == [
        ("Reports are empty", None)
    ]


@pytest.mark.parametrize("client", ["j", "A.b_c~d@e:f-g", "auth0%7Cjane%2Bdoe", "1" * 128])
def test_valid_names_of_clients_are_routed(api, workspace, client):
    created = route(api, workspace, client)

    assert created.status == 201
    assert "|" not in created.headers["Location"]
    assert api.get(created.headers["Location"])["client"] == created["client"]
    assert lookup(api, client)["workspace"] == "debug"


@pytest.mark.parametrize("client", ["jane%20doe", "j%C3%A4ne", "1" * 129, "jane%2Fdoe", "jane%0A"])
def test_invalid_names_of_clients_are_not_found(api, given, workspace, client):
    assert route(api, workspace, client).problem == "not-found"
    assert pointers(lookup(api, client)) == ["#/client"]
    assert given.sql("SELECT count(*) FROM routes") == [(0,)]


@pytest.mark.parametrize(
    ("fields", "pointer"),
    [
        ({"until": "2020-01-01T00:00:00Z"}, "#/until"),
        ({"until": None}, "#/until"),
        ({"reason": ""}, "#/reason"),
        ({"base_url": "debug.example.org"}, "#/base_url"),
        ({"colour": "blue"}, "#/colour"),
    ],
)
def test_a_field_out_of_bounds_is_refused_by_name(api, given, workspace, fields, pointer):
    assert pointers(route(api, workspace, **fields)) == [pointer]
    assert given.sql("SELECT count(*) FROM routes") == [(0,)]


# Rule 8 of docs/registry/rules.md limits the end and the workspace of a route.


def test_a_route_ends_no_later_than_its_workspace(api, given, workspace):
    expires_at = api.get(workspace)["expires_at"]

    beyond = route(api, workspace, until=ahead(hours=25))
    at_its_end = route(api, workspace, until=expires_at)

    assert pointers(beyond) == ["#/until"]
    assert (at_its_end.status, at_its_end["until"]) == (201, expires_at)


@pytest.mark.parametrize("purpose", ["personal", "preview"])
def test_a_route_leads_only_to_debug_workspaces(api, given, purpose):
    given.the_usual()
    workspace = f"{WORKSPACES}/{given.a_workspace(purpose=purpose)['id']}"

    assert route(api, workspace).problem == "workspace-not-for-debugging"
    assert lookup(api)["workspace"] == "default"


def test_a_route_leads_only_to_active_workspaces(api, given, workspace):
    given.time_passes(2 * 86400)
    expired = route(api, workspace)
    api.delete(workspace, if_match="*")
    destroyed = route(api, workspace)

    assert [expired.problem, destroyed.problem] == ["workspace-not-active"] * 2


def test_a_client_has_one_route_in_an_environment(api, given, workspace):
    held_by = route(api, workspace)
    other = f"{WORKSPACES}/{given.a_workspace('other')['id']}"

    refused = route(api, other)

    assert (refused.status, refused.problem) == (409, "client-routed")
    assert refused["holder"] == {
        "id": workspace.rpartition("/")[2],
        "workspace": "debug",
        "until": held_by["until"],
    }
    assert lookup(api)["workspace"] == "debug"


def test_other_clients_and_environments_have_their_own_routes(api, given, workspace):
    given.a_workspace("other")
    given.a_workspace("other", environment="production")
    route(api, workspace)

    assert route(api, f"{WORKSPACES}/2", "joe").status == 201
    assert route(api, f"{WORKSPACES}/3").status == 201


def test_an_expired_route_can_be_replaced_by_one_to_another_workspace(api, given, workspace):
    lapsed = route(api, workspace, until=ahead(minutes=1))
    other = f"{WORKSPACES}/{given.a_workspace('other')['id']}"
    given.time_passes(61)
    (last,) = given.sql("SELECT max(id) FROM audit_events")

    created = route(api, other)

    assert created.status == 201
    assert given.sql(
        "SELECT principal, action, resource, before ->> 'client' FROM audit_events WHERE id > %s ORDER BY id", *last
    ) == [
        (NAME, "route.lapse", f"azul/workspaces/1/routes/{JANE}", JANE),
        ("admin@local", "route.set", f"azul/workspaces/2/routes/{JANE}", None),
    ]
    assert created["id"] != lapsed["id"]


def test_an_expired_route_can_be_set_again(api, given, workspace):
    lapsed = route(api, workspace, until=ahead(minutes=1))
    given.time_passes(61)

    again = route(api, workspace)

    assert (again.status, again["id"] != lapsed["id"]) == (201, True)


def test_an_expired_route_is_gone_before_the_sweep(api, given, workspace):
    route(api, workspace, until=ahead(minutes=1))
    given.time_passes(61)

    assert api.get(f"{workspace}/routes")["items"] == []
    assert api.get(f"{workspace}/routes/{JANE}").problem == "not-found"
    assert api.delete(f"{workspace}/routes/{JANE}", if_match="*").problem == "not-found"
    assert lookup(api)["workspace"] == "default"
    assert given.sql("SELECT count(*) FROM routes") == [(1,)]


# A change of a workspace may change its routes.


def test_shortening_a_workspace_shortens_its_routes(api, given, workspace):
    cut, kept = route(api, workspace, until=ahead(hours=3)), route(api, workspace, "joe", until=ahead(minutes=5))

    shortened = api.patch(workspace, {"expires_at": ahead(hours=2)}, if_match="*")

    assert api.get(f"{workspace}/routes/{JANE}")["until"] == shortened["expires_at"]
    assert api.get(f"{workspace}/routes/joe").json == kept.json
    events = given.sql("SELECT action, before, after FROM audit_events ORDER BY id DESC LIMIT 2")
    assert [action for action, *_ in events] == ["workspace.change", "route.set"]
    assert events[1][1:] == ({"until": cut["until"]}, {"until": shortened["expires_at"]})


def test_extending_a_workspace_does_not_extend_its_routes(api, workspace):
    before = route(api, workspace).json

    api.patch(workspace, {"expires_at": ahead(hours=48), "reason": "The fault appears only at night"}, if_match="*")

    assert api.get(f"{workspace}/routes/{JANE}").json == before
    assert route(api, workspace, until=ahead(hours=47)).status == 200


def test_destroying_a_workspace_deletes_its_routes(api, given, workspace):
    live, _ = route(api, workspace), route(api, workspace, "joe", until=ahead(minutes=1))
    given.time_passes(61)

    assert api.delete(workspace, if_match="*").status == 204

    assert given.sql("SELECT count(*) FROM routes") == [(0,)]
    assert lookup(api)["workspace"] == "default"
    events = given.sql("SELECT principal, action, before ->> 'id' FROM audit_events ORDER BY id DESC LIMIT 3")
    assert sorted(events[:2]) == [
        ("admin@local", "route.delete", live["id"]),
        ("admin@local", "workspace.destroy", "1"),
    ]
    assert events[2][:2] == (NAME, "route.lapse")


def test_an_expired_workspace_with_routes_can_be_destroyed(api, given, workspace):
    route(api, workspace)
    given.time_passes(2 * 86400)

    assert api.delete(workspace, if_match="*").status == 204


# Requests for a route may race with other requests.


def test_one_of_two_workspaces_at_once_gets_the_client(api, given, workspace):
    other = f"{WORKSPACES}/{given.a_workspace('other')['id']}"

    answers = at_once(*(lambda path=path: route(api, path) for path in [workspace, other] * 5))

    winners = {answer["workspace"] for answer in answers if answer.status < 300}
    losers = [answer for answer in answers if answer.status >= 300]
    assert len(winners) == 1
    assert {answer.problem for answer in losers} == {"client-routed"}
    assert {answer["holder"]["workspace"] for answer in losers} == winners
    assert given.sql("SELECT count(*) FROM routes") == [(1,)]


def test_a_route_that_waited_for_the_destruction_of_its_workspace_is_refused(api, given, workspace, database_url):
    with held(database_url, LOCK) as hold:
        destroyed = hold.waiting(lambda: api.delete(workspace, if_match="*"))
        routed = hold.waiting(lambda: route(api, workspace))

    assert (destroyed.result().status, routed.result().problem) == (204, "workspace-not-active")
    assert given.sql("SELECT count(*) FROM routes") == [(0,)]


def test_a_route_set_before_the_destruction_ends_with_it(api, given, workspace, database_url):
    with held(database_url, LOCK) as hold:
        routed = hold.waiting(lambda: route(api, workspace))
        destroyed = hold.waiting(lambda: api.delete(workspace, if_match="*"))

    assert (routed.result().status, destroyed.result().status) == (201, 204)
    assert given.sql("SELECT count(*) FROM routes") == [(0,)]


def test_a_route_that_waited_while_its_workspace_was_shortened_is_refused(api, given, workspace, database_url):
    with held(database_url, LOCK) as hold:
        shortened = hold.waiting(lambda: api.patch(workspace, {"expires_at": ahead(minutes=30)}, if_match="*"))
        routed = hold.waiting(lambda: route(api, workspace))

    assert (shortened.result().status, pointers(routed.result())) == (200, ["#/until"])
