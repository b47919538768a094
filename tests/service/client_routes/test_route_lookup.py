"""The lookup of a client's route, and how long its answer may be cached."""

import pytest

from tests.support.given import ahead

SYSTEM = "/v1/systems/azul"
LOOKUP = f"{SYSTEM}/environments/development/route"
JANE = "jane@example.org"


@pytest.fixture
def workspace(given):
    """The id of an active debug workspace of development."""
    given.the_usual()
    return given.a_workspace()["id"]


def lookup(api, client=JANE, environment="development", **headers):
    return api.get(f"{SYSTEM}/environments/{environment}/route?client={client}", **headers)


def pointers(answer):
    assert answer.problem == "invalid", answer
    return [fault["pointer"] for fault in answer["errors"]]


def test_a_client_without_a_route_goes_to_the_environment(api, given):
    given.a_system()
    given.an_environment(base_url="https://azul.example.org")

    answer = lookup(api.as_("viewer"))

    assert answer.json == {
        "client": JANE,
        "environment": "development",
        "workspace": "default",
        "base_url": "https://azul.example.org",
        "until": None,
    }
    assert answer.headers["Cache-Control"] == "private, max-age=30"


def test_a_client_with_a_route_goes_to_its_workspace_and_others_do_not(api, given, workspace):
    routed = given.a_route(workspace)

    answer = lookup(api.as_("viewer"))

    assert answer.json == {
        "client": JANE,
        "environment": "development",
        "workspace": "debug",
        "base_url": "https://debug.example.org",
        "until": routed["until"],
    }
    assert answer.headers["Cache-Control"] == "private, max-age=30"
    assert lookup(api, "joe")["workspace"] == "default"
    assert lookup(api, environment="production")["workspace"] == "default"


def test_a_route_of_somebody_else_is_followed_only_while_its_host_is_allowed(api, given, workspace):
    environment = f"{SYSTEM}/environments/development"
    api.patch(environment, {"workspace_hosts": ["debug.example.org"]}, if_match="*")
    body = {"until": ahead(hours=1), "base_url": "https://debug.example.org"}
    assert api.send("PUT", f"{SYSTEM}/workspaces/{workspace}/routes/{JANE}", body).status == 201
    given.a_route(workspace, "joe")

    allowed = lookup(api)
    api.patch(environment, {"workspace_hosts": []}, if_match="*")

    assert (allowed["workspace"], lookup(api)["workspace"], lookup(api, "joe")["workspace"]) == (
        "debug",
        "default",
        "debug",
    )


def test_a_lookup_is_not_cached_beyond_the_end_of_the_route(api, given, workspace):
    given.a_route(workspace, until=ahead(seconds=100))
    given.time_passes(80)

    answer = lookup(api)
    again = lookup(api, if_none_match=answer.headers["ETag"])

    assert answer["workspace"] == "debug"
    kept = [int(each.headers["Cache-Control"].removeprefix("private, max-age=")) for each in (answer, again)]
    assert all(0 < seconds < 20 for seconds in kept)
    assert again.status == 304


def test_a_lookup_needs_a_client_and_an_existing_environment(api, given):
    given.the_usual()

    assert pointers(api.get(LOOKUP)) == ["#/client"]
    assert lookup(api, environment="nowhere").problem == "not-found"
