"""Rule 8 of docs/registry/rules.md: who may route whom, and to which address."""

import json

import pytest

from chalicelib import settings
from chalicelib.database.connection import lock_key
from tests.support.given import ahead
from tests.support.races import held

SYSTEM = "/v1/systems/azul"
WORKSPACES = f"{SYSTEM}/workspaces"
ENVIRONMENT = f"{SYSTEM}/environments/development"
ADDRESS = "https://debug.example.org"
JANE = "jane@example.org"
LOCK = f"SELECT pg_advisory_xact_lock({lock_key('system azul')})"


def put(api, workspace, client=JANE, **fields):
    return api.send("PUT", f"{workspace}/routes/{client}", {"until": ahead(hours=1), **fields})


def lookup(api, client=JANE):
    return api.get(f"{ENVIRONMENT}/route?client={client}")


# A caller may route itself.


@pytest.mark.parametrize("group", ["everybody", "azul-pipelines", "azul-maintainers"])
def test_a_person_routes_themselves_to_any_address(api, given, workspace, group):
    api.patch(ENVIRONMENT, {"workspace_hosts": []}, if_match="*")
    jane = api.as_member(group, sub="5ad4")

    created = put(jane, workspace, "5ad4")

    assert (created.status, created["set_by_client"], created["created_by"]) == (201, True, "5ad4")
    assert lookup(api, "5ad4")["workspace"] == "debug"
    assert jane.delete(f"{workspace}/routes/5ad4", if_match="*").status == 204


def test_a_person_who_routes_themselves_may_name_the_expected_address_too(api, workspace):
    jane = api.as_("viewer", sub=JANE)

    refused = put(jane, workspace, base_url="https://other.example.org")

    assert refused.problem == "base-url-not-expected"
    assert put(jane, workspace, base_url=ADDRESS).status == 201


@pytest.mark.parametrize("role", ["viewer", "pipeline"])
def test_only_a_maintainer_routes_somebody_else(api, given, workspace, role):
    for caller in (api.as_(role), api.as_("maintainer", of="blue")):
        assert put(caller, workspace, base_url=ADDRESS).problem == "forbidden"
    assert given.sql("SELECT count(*) FROM routes") == [(0,)]

    assert put(api.as_("maintainer"), workspace, base_url=ADDRESS).status == 201
    for caller in (api.as_(role), api.as_("maintainer", of="blue")):
        assert caller.delete(f"{workspace}/routes/{JANE}", if_match="*").problem == "forbidden"
        assert put(caller, workspace, base_url=ADDRESS, until=ahead(hours=2)).problem == "forbidden"
    assert api.as_("maintainer").delete(f"{workspace}/routes/{JANE}", if_match="*").status == 204


def test_a_pipeline_routes_nobody_not_even_itself_to_its_own_workspace(api, given):
    given.the_usual()
    given.a_publisher(kinds=["workspaces"], purposes=["debug"])
    run = api.as_run(sub="azul:main")
    body = {"environment": "development", "name": "ours", "purpose": "debug", "reason": "To find a fault"}
    created = run.post(WORKSPACES, {**body, "base_url": ADDRESS, "expires_at": ahead(hours=2)})
    ours = f"{WORKSPACES}/{created['id']}"
    given.a_route(created["id"], "azul:main")

    assert created.status == 201
    for client in ("azul:main", JANE):
        assert put(run, ours, client, base_url=ADDRESS).problem == "forbidden"
        assert run.delete(f"{ours}/routes/{client}", if_match="*").problem == "forbidden"


def test_nobody_routes_themselves_if_two_issuers_could_give_the_same_subject(api, given, workspace, monkeypatch):
    issuers = json.loads(settings.os.environ["SLIPWAY_ISSUERS"])
    [people] = [each for each in issuers if each["kind"] == "people"]
    issuers.append({**people, "issuer": "https://other.example.org"})
    monkeypatch.setenv("SLIPWAY_ISSUERS", json.dumps(issuers))
    settings.settings.cache_clear()

    assert put(api.as_member("everybody", sub="5ad4"), workspace, "5ad4").problem == "forbidden"


# A maintainer routes somebody else to a known address.


@pytest.mark.parametrize("fields", [{}, {"base_url": None}, {"base_url": f"{ADDRESS}/"}])
def test_a_maintainer_names_the_address_that_they_expect(api, given, workspace, fields):
    refused = put(api.as_("maintainer"), workspace, **fields)

    assert (refused.status, refused.problem) == (409, "base-url-not-expected")
    assert given.sql("SELECT count(*) FROM routes") == [(0,)]


def test_a_workspace_without_an_address_takes_no_routes(api, given):
    given.the_usual()
    workspace = f"{WORKSPACES}/{given.a_workspace(base_url=None)['id']}"

    for caller in (api.as_("maintainer"), api.as_("viewer", sub=JANE)):
        assert put(caller, workspace).problem == "base-url-not-expected"


@pytest.mark.parametrize("hosts", [[], ["example.org"], [".debug.example.org"], ["debug.example.org.evil.example"]])
def test_somebody_else_is_routed_only_to_the_environments_hosts(api, given, workspace, hosts):
    api.patch(ENVIRONMENT, {"workspace_hosts": hosts}, if_match="*")

    refused = put(api, workspace, base_url=ADDRESS)

    assert (refused.status, refused.problem) == (409, "host-not-allowed")
    assert lookup(api)["workspace"] == "default"


def test_a_maintainer_cannot_keep_a_route_to_a_host_that_is_not_allowed(api, given, workspace):
    api.patch(ENVIRONMENT, {"workspace_hosts": []}, if_match="*")
    put(api.as_("viewer", sub=JANE), workspace)

    assert put(api, workspace, base_url=ADDRESS, until=ahead(hours=2)).problem == "host-not-allowed"


def test_a_route_that_somebody_else_sets_again_is_theirs(api, given, workspace):
    until = ahead(hours=1)
    own = put(api.as_("viewer", sub=JANE), workspace, until=until)

    theirs = put(api, workspace, until=until, base_url=ADDRESS)
    api.patch(ENVIRONMENT, {"workspace_hosts": []}, if_match="*")

    assert theirs.json == {**own.json, "set_by_client": False}
    assert given.sql("SELECT before, after FROM audit_events WHERE action = 'route.set' ORDER BY id DESC LIMIT 1") == [
        ({"set_by_client": True}, {"set_by_client": False})
    ]
    assert lookup(api)["workspace"] == "default"


# The address of a workspace does not change while routes lead there.


@pytest.mark.parametrize("base_url", ["https://other.debug.example.org", None])
def test_the_address_of_a_workspace_with_routes_does_not_change(api, given, workspace, base_url):
    put(api, workspace, base_url=ADDRESS)

    refused = api.patch(workspace, {"base_url": base_url}, if_match="*")
    other = api.patch(workspace, {"base_url": ADDRESS, "owner": "joe"}, if_match="*")
    api.delete(f"{workspace}/routes/{JANE}", if_match="*")
    after = api.patch(workspace, {"base_url": base_url}, if_match="*")

    assert (refused.status, refused.problem) == (409, "workspace-routed")
    assert (other.status, other["base_url"]) == (200, ADDRESS)
    assert (after.status, after["base_url"]) == (200, base_url)


def test_an_expired_route_does_not_keep_the_address(api, given, workspace):
    put(api, workspace, base_url=ADDRESS, until=ahead(minutes=1))
    given.time_passes(61)

    assert api.patch(workspace, {"base_url": None}, if_match="*").status == 200


def test_an_address_that_changes_before_the_route_is_set_is_not_the_expected_one(api, workspace, database_url):
    with held(database_url, LOCK) as hold:
        moved = hold.waiting(lambda: api.patch(workspace, {"base_url": "https://evil.example"}, if_match="*"))
        routed = hold.waiting(lambda: put(api, workspace, base_url=ADDRESS))

    assert (moved.result().status, routed.result().problem) == (200, "base-url-not-expected")
