"""`Contract` finds answers and requests that violate an OpenAPI document."""

import json
from typing import Annotated, Any

import pytest
from chalice.app import Blueprint
from msgspec import Meta

from chalicelib.identity.roles import Role
from chalicelib.rest import operation as operations
from chalicelib.rest.call import Call
from chalicelib.rest.operation import operation
from chalicelib.rest.types import Answer, Page, PageQuery, Request, Timestamp
from chalicelib.vocabulary import Slug
from tests.support.contract import Contract
from tools.checks.openapi.document import document

HEADERS = {"x-request-id": "1", "Cache-Control": "no-store", "ETag": '"1"', "Content-Type": "application/json"}
PROBLEM_HEADERS = {**HEADERS, "Content-Type": "application/problem+json"}
SHIP = {"name": "fram", "launched_at": "1892-10-26T09:00:00Z"}


class Ship(Answer, kw_only=True):
    name: Slug
    launched_at: Timestamp


class NewShip(Request, kw_only=True):
    name: Slug
    masts: Annotated[int, Meta(ge=1)] = 3


class ShipQuery(PageQuery, kw_only=True):
    name: Slug | None = None


@pytest.fixture
def contract(monkeypatch: pytest.MonkeyPatch) -> Contract:
    declared: list[Any] = []
    monkeypatch.setattr(operations, "OPERATIONS", declared)
    blueprint = Blueprint(__name__)

    @operation(blueprint, "GET /v1/ships", role=Role.viewer)
    def list_ships(call: Call, query: ShipQuery) -> Page[Ship]:
        """List ships."""

    @operation(blueprint, "POST /v1/ships", role=Role.admin, status=201)
    def create_ship(call: Call, body: NewShip) -> Ship:
        """Create a ship."""

    @operation(blueprint, "GET /v1/ships/{id}", role=Role.viewer)
    def get_ship(call: Call, id: str) -> Ship:  # noqa: A002
        """Return a ship."""

    @operation(blueprint, "DELETE /v1/ships/{id}", role=Role.viewer, status=204)
    def delete_ship(call: Call, id: str) -> None:  # noqa: A002
        """Delete a ship."""

    @operation(blueprint, "GET /v1/ships/flagship", role=Role.viewer)
    def get_flagship(call: Call) -> dict[str, Any]:
        """Return the flagship."""

    @operation(blueprint, "GET /v1/systems/{system}", role=Role.viewer)
    def get_system(call: Call, system: str) -> dict[str, Any]:
        """Return a system."""

    return Contract(document(declared))


def problem(slug: str, title: str, status: int, **members: Any) -> str:
    named = {"type": f"/problems/{slug}", "title": title, "status": status, "detail": "a sentence", "instance": "1"}
    return json.dumps(named | members)


def test_an_answer_as_described_passes(contract: Contract) -> None:
    contract.check_answer("GET", "/v1/ships/1", 200, HEADERS, json.dumps(SHIP))
    contract.check_answer("GET", "/v1/ships", 200, HEADERS, json.dumps({"items": [SHIP], "next": None}).encode())
    contract.check_answer("GET", "/v1/ships/1", 304, HEADERS, "")
    contract.check_answer("DELETE", "/v1/ships/1", 204, HEADERS, "")
    contract.check_answer("GET", "/v1/ships/1", 404, PROBLEM_HEADERS, problem("not-found", "Not found", 404))


def test_a_literal_segment_wins_over_a_parameter(contract: Contract) -> None:
    contract.check_answer("GET", "/v1/ships/flagship", 200, HEADERS, '{"anything": 1}')

    with pytest.raises(AssertionError, match='"name" is a required'):
        contract.check_answer("GET", "/v1/ships/other", 200, HEADERS, '{"anything": 1}')


def test_an_unknown_path_fails(contract: Contract) -> None:
    with pytest.raises(AssertionError, match="does not have this path"):
        contract.check_answer("GET", "/v1/boats", 200, HEADERS, "{}")


def test_an_unknown_method_fails(contract: Contract) -> None:
    with pytest.raises(AssertionError, match="does not have this method"):
        contract.check_answer("PUT", "/v1/ships/1", 200, HEADERS, "{}")


def test_an_unknown_path_may_only_answer_its_own_problems(contract: Contract) -> None:
    not_found = problem("not-found", "Not found", 404)
    not_allowed = problem("method-not-allowed", "Method not allowed", 405)

    contract.check_answer("GET", "/v1/boats", 404, PROBLEM_HEADERS, not_found)
    contract.check_answer("PUT", "/v1/ships/1", 405, {**PROBLEM_HEADERS, "Allow": "GET"}, not_allowed)

    with pytest.raises(AssertionError, match="not-found"):
        contract.check_answer("GET", "/v1/boats", 404, PROBLEM_HEADERS, not_allowed)
    with pytest.raises(AssertionError, match="Allow"):
        contract.check_answer("PUT", "/v1/ships/1", 405, PROBLEM_HEADERS, not_allowed)


def test_an_unknown_status_fails(contract: Contract) -> None:
    with pytest.raises(AssertionError, match="answered 202"):
        contract.check_answer("GET", "/v1/ships/1", 202, HEADERS, json.dumps(SHIP))


def test_another_content_type_fails(contract: Contract) -> None:
    with pytest.raises(AssertionError, match="text/html"):
        contract.check_answer("GET", "/v1/ships/1", 200, {**HEADERS, "Content-Type": "text/html"}, json.dumps(SHIP))


@pytest.mark.parametrize("name", ["x-request-id", "Cache-Control", "ETag"])
def test_a_missing_header_fails(contract: Contract, name: str) -> None:
    headers = {given: value for given, value in HEADERS.items() if given != name}

    with pytest.raises(AssertionError, match=rf"(?i)without the header {name}"):
        contract.check_answer("GET", "/v1/ships/1", 200, headers, json.dumps(SHIP))


@pytest.mark.parametrize(
    ("status", "header", "body"),
    [
        (401, "WWW-Authenticate", problem("unauthenticated", "Not signed in", 401)),
        (503, "Retry-After", problem("unavailable", "Unavailable for now", 503)),
    ],
)
def test_a_problem_without_its_required_header_fails(contract: Contract, status: int, header: str, body: str) -> None:
    contract.check_answer("GET", "/v1/ships/1", status, {**PROBLEM_HEADERS, header: "5"}, body)

    with pytest.raises(AssertionError, match=header):
        contract.check_answer("GET", "/v1/ships/1", status, PROBLEM_HEADERS, body)


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": 1},
        {"name": "Fram"},
        {"launched_at": "yesterday"},
        {"launched_at": None},
        {"masts": 3},
    ],
    ids=["type", "pattern", "format", "null", "undocumented member"],
)
def test_a_body_that_violates_its_schema_fails(contract: Contract, wrong: dict[str, Any]) -> None:
    with pytest.raises(AssertionError, match=next(iter(wrong))):
        contract.check_answer("GET", "/v1/ships/1", 200, HEADERS, json.dumps(SHIP | wrong))


def test_a_missing_member_fails(contract: Contract) -> None:
    with pytest.raises(AssertionError, match="launched_at"):
        contract.check_answer("GET", "/v1/ships/1", 200, HEADERS, '{"name": "fram"}')


def test_an_undocumented_body_fails(contract: Contract) -> None:
    with pytest.raises(AssertionError, match="describes no body"):
        contract.check_answer("DELETE", "/v1/ships/1", 204, HEADERS, "{}")


def test_an_undocumented_problem_type_fails(contract: Contract) -> None:
    contract.check_answer("POST", "/v1/ships", 422, PROBLEM_HEADERS, problem("invalid", "Invalid request", 422))

    with pytest.raises(AssertionError, match="answered 422"):
        contract.check_answer("POST", "/v1/ships", 422, PROBLEM_HEADERS, problem("strange", "Strange", 422))
    with pytest.raises(AssertionError, match="answered 409"):
        contract.check_answer("POST", "/v1/ships", 409, PROBLEM_HEADERS, problem("conflict", "Conflict", 409))


def test_an_undocumented_member_of_a_problem_fails(contract: Contract) -> None:
    body = problem("not-found", "Not found", 404, traceback="...")

    with pytest.raises(AssertionError, match="traceback"):
        contract.check_answer("GET", "/v1/ships/1", 404, PROBLEM_HEADERS, body)


def test_a_request_as_described_passes(contract: Contract) -> None:
    contract.check_request("POST", "/v1/ships", (), '{"name": "fram"}')
    contract.check_request("GET", "/v1/ships", ["limit", "name"])
    contract.check_request("GET", "/v1/systems/azul")


@pytest.mark.parametrize("body", ['{"name": "F"}', '{"masts": 3}', '{"name": "fram", "masts": 0}', "[]"])
def test_an_accepted_body_that_the_schema_forbids_fails(contract: Contract, body: str) -> None:
    with pytest.raises(AssertionError, match="was accepted"):
        contract.check_request("POST", "/v1/ships", (), body)


def test_an_accepted_body_that_is_not_documented_fails(contract: Contract) -> None:
    with pytest.raises(AssertionError, match="describes no body"):
        contract.check_request("DELETE", "/v1/ships/1", (), "{}")


def test_an_accepted_query_parameter_that_is_not_documented_fails(contract: Contract) -> None:
    with pytest.raises(AssertionError, match="'sort'"):
        contract.check_request("GET", "/v1/ships", ["sort"])


def test_an_accepted_path_parameter_that_the_schema_forbids_fails(contract: Contract) -> None:
    with pytest.raises(AssertionError, match="system 'A z'"):
        contract.check_request("GET", "/v1/systems/A%20z")
