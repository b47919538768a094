"""The roles of callers. The tests cover every declared operation, so a new operation is tested from the start."""

import time
from dataclasses import replace

import app
from chalicelib import settings
from chalicelib.identity.roles import Role
from tests.support.operations import OPERATIONS, address, entry, of, require_entries, route_of
from tests.support.resources import RESOURCES

PROTECTED = [each for each in OPERATIONS if each.role != "public"]


def _who(api):
    """Return a caller of each kind, for the system azul. The test makes the publishers that trust the two pipelines."""
    return {
        "no token": api.as_(None),
        "an expired token": api.as_("admin", exp=time.time() - 1),
        "a run that no publisher trusts": api.as_run(repository_id="75"),
        "a person in no group": api.as_member(),
        "a viewer": api.as_member("everybody"),
        "a pipeline of another system": api.as_run(ref="refs/heads/blue", workflow_ref=_BLUE, job_workflow_ref=_BLUE),
        "a pipeline of this system": api.as_run(),
        "a maintainer of another system": api.as_member("blue-maintainers"),
        "a maintainer": api.as_member("azul-maintainers"),
        "a maintainer of all systems": api.as_member("all-maintainers"),
        "an admin": api.as_member("admins"),
    }


_BLUE = "acme/azul/.github/workflows/deploy.yml@refs/heads/blue"

# The role of each caller, first for paths of the system azul, then for paths without a system.
ROLES = {
    "a run that no publisher trusts": (Role.anybody, Role.anybody),
    "a person in no group": (Role.anybody, Role.anybody),
    "a viewer": (Role.viewer, Role.viewer),
    "a pipeline of another system": (Role.anybody, Role.viewer),
    "a pipeline of this system": (Role.pipeline, Role.viewer),
    "a maintainer of another system": (Role.viewer, Role.viewer),
    "a maintainer": (Role.maintainer, Role.viewer),
    "a maintainer of all systems": (Role.maintainer, Role.viewer),
    "an admin": (Role.admin, Role.admin),
}


def _expected(operation):
    if operation.role == "public":
        return {"no token": "served", "an expired token": "served", **dict.fromkeys(ROLES, "served")}
    return {
        "no token": "401 unauthenticated",
        "an expired token": "401 unauthenticated",
        **{
            who: "served"
            if (here if "{system}" in operation.path else elsewhere) >= operation.role
            else "403 forbidden"
            for who, (here, elsewhere) in ROLES.items()
        },
    }


def _answered(answer):
    return f"{answer.status} {answer.problem}" if answer.status in (401, 403) else "served"


def test_every_operation_serves_exactly_the_callers_with_its_role(api, given):
    for system in ("azul", "blue"):
        given.a_system(system)
        given.an_environment(system=system)
    given.a_publisher()
    given.a_publisher(system="blue", ref="refs/heads/blue")

    # These requests change nothing, because they have no body and no If-Match.
    answered = {
        route_of(each): {who: _answered(caller.send(each.method, address(each))) for who, caller in _who(api).items()}
        for each in OPERATIONS
    }

    assert answered == {route_of(each): _expected(each) for each in OPERATIONS}


@of([each for each in PROTECTED if each.method == "GET" and "{system}" not in each.path])
def test_a_pipeline_reads_nothing_of_systems_that_do_not_trust_it(api, given, operation):
    for system in ("green", "blue"):
        given.a_system(system)
        given.an_environment(system=system)
    given.a_publisher(system="blue")

    assert "green" not in api.as_run().send("GET", address(operation)).body


@of(PROTECTED)
def test_a_missing_or_expired_token_is_answered_with_how_to_sign_in(api, operation):
    # An expired token can reach the function, because API Gateway caches the authorizer's answer.
    for caller in (api.as_(None), api.as_("admin", exp=time.time() - 1)):
        answer = caller.send(operation.method, address(operation))

        assert (answer.status, answer.problem) == (401, "unauthenticated")
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")


TAKES = {operation: role for each in RESOURCES.values() for operation, role in each.roles.items()}


def test_every_operation_is_in_the_table():
    lines = {route_of(each): f'        "{route_of(each)}": {_written(each.role)},' for each in OPERATIONS}

    missing = [each for each in OPERATIONS if route_of(each) not in TAKES]
    require_entries(entry("roles", missing), TAKES, lines, ", with the lowest role that may call the operation")


def test_operations_require_the_roles_in_the_table():
    others = {route_of(each): each.role for each in OPERATIONS if each.role != TAKES.get(route_of(each), each.role)}

    assert others == {}


@of(PROTECTED)
def test_claims_that_make_no_principal_are_refused(api, operation):
    claims = api.as_("admin").claims
    strangers = {
        "of another issuer": {**claims, "iss": "https://issuer.example.org"},
        "without an issuer": _without(claims, "iss"),
        "with an unknown role": {**claims, "role": "owner"},
        "without a role": _without(claims, "role"),
        "with an invalid subject": {**claims, "sub": None},
        "without an expiry": _without(claims, "exp"),
        "with invalid systems": {**claims, "systems": "azul"},
    }

    for what, stranger in strangers.items():
        answer = replace(api, claims=stranger).send(operation.method, address(operation))

        assert (answer.status, answer.problem) == (403, "forbidden"), what


def test_a_stage_without_issuers_refuses_everybody(api, monkeypatch):
    monkeypatch.setenv("SLIPWAY_ISSUERS", "[]")
    settings.settings.cache_clear()

    assert api.get("/v1/systems").status == 403


def test_a_role_without_systems_is_a_viewer(api, given):
    given.the_usual()
    nobodys = api.as_("maintainer", systems=[])

    assert nobodys.get("/v1/systems/azul").status == 200
    assert nobodys.patch("/v1/systems/azul", {}, if_match="*").status == 403


def test_a_refusal_does_not_reveal_if_the_resource_exists(api, given):
    before = api.as_("viewer").delete("/v1/systems/azul", if_match="*")
    given.a_system()

    after = api.as_("viewer").delete("/v1/systems/azul", if_match="*")

    assert (before.status, before["detail"]) == (after.status, after["detail"])


def test_every_route_is_a_declared_operation():
    routes = {(method, path) for path, methods in app.app.routes.items() for method in methods}

    assert routes == {(each.method, each.path) for each in OPERATIONS}


@of(OPERATIONS)
def test_api_gateway_calls_the_authorizer_for_all_but_public_operations(operation):
    authorizer = app.app.routes[operation.path][operation.method].authorizer

    assert (authorizer is None) is (operation.role == "public")


def _written(role):
    return '"public"' if role == "public" else f"Role.{role.name}"


def _without(claims, name):
    return {key: value for key, value in claims.items() if key != name}
