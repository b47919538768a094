"""Who may do what: walks every declared operation, so that a new one is held to its declaration from the start."""

import re
import time
from dataclasses import replace

import pytest

import app
from chalicelib import settings
from chalicelib.identity.principal import Role
from chalicelib.rest.operation import OPERATIONS
from tests.support.api import ISSUER
from tests.support.given import an_artifact


def _of(*operations):
    return pytest.mark.parametrize("operation", operations, ids=lambda each: f"{each.method} {each.path}")


def _address(operation):
    """An address of the operation, in the system azul. Nothing has to be there: who may not ask is not told."""
    return re.sub(r"{(\w+)}", lambda name: "azul" if name[1] == "system" else "1", operation.path)


def _of_a_system(operation):
    return "{system}" in operation.path


PUBLIC = [each for each in OPERATIONS if each.role == "public"]
PROTECTED = [each for each in OPERATIONS if each.role != "public"]


@_of(*PUBLIC)
def test_what_is_public_answers_anybody(api, operation):
    answer = api.as_(None).send(operation.method, _address(operation))

    assert answer.status == 200


@_of(*PROTECTED)
def test_without_a_token_nothing_else_answers(api, operation):
    answer = api.as_(None).send(operation.method, _address(operation))

    assert (answer.status, answer.problem) == (401, "unauthenticated")
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")


@_of(*PROTECTED)
def test_a_token_that_has_expired_is_none(api, operation):
    # API Gateway keeps the authorizer's answer for longer than the token may last.
    answer = api.as_("admin", exp=time.time() - 1).send(operation.method, _address(operation))

    assert (answer.status, answer.problem) == (401, "unauthenticated")
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")


@_of(*[each for each in PROTECTED if each.role > Role.viewer])
def test_a_lower_role_than_the_declared_one_is_refused(api, operation):
    for role in Role:
        if role < operation.role:
            answer = api.as_(role.name).send(operation.method, _address(operation))

            assert (answer.status, answer.problem) == (403, "forbidden"), role


@_of(*PROTECTED)
def test_the_declared_role_and_higher_ones_are_let_in(api, operation):
    for role in Role:
        if role >= operation.role:
            answer = api.as_(role.name).send(operation.method, _address(operation))

            assert answer.status not in (401, 403), role


@_of(*[each for each in PROTECTED if _of_a_system(each) and Role.viewer < each.role < Role.admin])
def test_a_role_for_another_system_is_none_here(api, operation):
    for role in ("pipeline", "maintainer"):
        answer = api.as_(role, of="blue").send(operation.method, _address(operation))

        assert (answer.status, answer.problem) == (403, "forbidden"), role


@_of(*[each for each in PROTECTED if _of_a_system(each) and each.role == Role.viewer])
def test_whoever_has_a_role_for_another_system_is_a_viewer_here(api, operation):
    for role in ("pipeline", "maintainer"):
        answer = api.as_(role, of="blue").send(operation.method, _address(operation))

        assert answer.status not in (401, 403), role


@_of(*PROTECTED)
def test_claims_that_make_no_principal_are_refused(api, operation):
    claims = api.as_("admin").claims
    strangers = {
        "of another issuer": {**claims, "iss": "https://issuer.example.org"},
        "of no issuer": _without(claims, "iss"),
        "with an unknown role": {**claims, "role": "owner"},
        "with no role": _without(claims, "role"),
        "with a subject that is none": {**claims, "sub": None},
        "with no expiry": _without(claims, "exp"),
        "with systems that are none": {**claims, "systems": "azul"},
    }

    for what, stranger in strangers.items():
        answer = replace(api, claims=stranger).send(operation.method, _address(operation))

        assert (answer.status, answer.problem) == (403, "forbidden"), what


def test_a_stage_that_trusts_nobody_lets_nobody_in(api, monkeypatch):
    monkeypatch.setenv("SLIPWAY_ISSUERS", "[]")
    settings.settings.cache_clear()

    assert api.get("/v1/systems").status == 403


def test_a_role_without_systems_is_a_viewer(api, given):
    given.the_usual()
    nobodys = api.as_("maintainer", systems=[])

    assert nobodys.get("/v1/systems/azul").status == 200
    assert nobodys.patch("/v1/systems/azul", {}, if_match="*").status == 403


def test_a_refusal_does_not_tell_what_is_there(api, given):
    before = api.as_("viewer").delete("/v1/systems/azul", if_match="*")
    given.a_system()

    after = api.as_("viewer").delete("/v1/systems/azul", if_match="*")

    assert (before.status, before["detail"]) == (after.status, after["detail"])


def test_every_route_is_a_declared_operation():
    routes = {(method, path) for path, methods in app.app.routes.items() for method in methods}

    assert routes == {(each.method, each.path) for each in OPERATIONS}


@_of(*OPERATIONS)
def test_api_gateway_asks_the_authorizer_unless_it_is_public(operation):
    authorizer = app.app.routes[operation.path][operation.method].authorizer

    assert (authorizer is None) is (operation.role == "public")


# What a request asks for can take a higher role than its operation.

DEPLOYMENTS = "/v1/systems/azul/deployments"
VERIFICATIONS = "/v1/systems/azul/verifications"
PROMOTIONS = "/v1/systems/azul/promotions"
OVER = {"started_at": "2026-01-01T00:00:00Z", "finished_at": "2026-01-01T00:00:00Z"}
TARGET = {"environment": "development", "artifact": an_artifact()}
IMPORT = {**TARGET, **OVER, "imported": True, "state": "succeeded"}
OVERRIDE = {**TARGET, "override_reason": "The incident can't wait"}
IMPORTED_VERIFICATION = {
    **TARGET,
    **OVER,
    "imported": True,
    "suite": "acceptance",
    "trigger": "manual",
    "outcome": "success",
}


@pytest.mark.parametrize(
    ("path", "body"),
    [(DEPLOYMENTS, IMPORT), (DEPLOYMENTS, OVERRIDE), (VERIFICATIONS, IMPORTED_VERIFICATION)],
    ids=["imported deployment", "override", "imported verification"],
)
def test_history_and_overrides_take_a_maintainer_of_the_system(api, given, path, body):
    given.the_usual()

    assert api.as_("pipeline").post(path, body).problem == "forbidden"
    assert api.as_("maintainer", of="blue").post(path, body).problem == "forbidden"
    assert api.get(path)["items"] == []
    assert api.as_("maintainer").post(path, body).status == 201


def test_a_plain_deployment_takes_no_more_than_a_pipeline(api, given):
    given.the_usual()

    assert api.as_("pipeline").post(DEPLOYMENTS, TARGET).status == 201


def test_a_recorded_decision_takes_a_pipeline_and_a_dry_run_a_viewer(api, given):
    given.the_usual()

    assert api.as_("viewer").post(PROMOTIONS, {**TARGET, "dry_run": True}).status == 200
    assert api.as_("pipeline", of="blue").post(PROMOTIONS, {**TARGET, "dry_run": True}).status == 200
    assert api.as_("viewer").post(PROMOTIONS, TARGET).problem == "forbidden"
    assert api.as_("pipeline", of="blue").post(PROMOTIONS, TARGET).problem == "forbidden"
    assert api.get(PROMOTIONS)["items"] == []
    assert api.as_("pipeline").post(PROMOTIONS, TARGET).status == 200


def test_what_is_recorded_is_by_whom_the_token_names(api, given):
    given.the_usual()

    opened = api.as_("pipeline", sub="repo:azul:main").post(DEPLOYMENTS, TARGET)

    assert opened["created_by"] == "repo:azul:main"
    assert given.sql("SELECT issuer FROM deployments") == [(ISSUER,)]


def _without(claims, name):
    return {key: value for key, value in claims.items() if key != name}
