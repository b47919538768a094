"""Made-up operations are described in an OpenAPI document as they are declared."""

import json
import re
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec
import pytest
from chalice.app import Blueprint
from msgspec import UNSET, Meta, UnsetType
from openapi_spec_validator import OpenAPIV31SpecValidator

import app  # noqa: F401  (declares the operations)
from chalicelib import vocabulary
from chalicelib.identity.roles import Role
from chalicelib.rest import operation as operations
from chalicelib.rest import problems
from chalicelib.rest.call import Call
from chalicelib.rest.declaration import Operation
from chalicelib.rest.operation import operation
from chalicelib.rest.problems import ProblemType
from chalicelib.rest.types import Answer, Page, PageQuery, Request, Timestamp
from chalicelib.vocabulary import Slug
from tests.support.schemas import problem_examples_fit
from tools.checks.openapi.document import document
from tools.package.api_body import GATEWAY_RESPONSES

Rig = Literal["barque", "schooner"]


class Crew(msgspec.Struct):
    size: Annotated[int, Meta(ge=1)]
    captain: str | None = None


class Ship(Answer, kw_only=True):
    """A ship.

    Ships have names.
    """

    name: Slug
    rig: Rig
    crew: Crew
    launched_at: Timestamp | None


class NewShip(Request, kw_only=True):
    name: Slug
    rig: Rig = "schooner"
    crew: Crew | None = None
    ports: tuple[Slug, ...] = ()


class ShipChange(Request, kw_only=True):
    name: Slug | UnsetType = UNSET


class ShipQuery(PageQuery, kw_only=True, rename={"since": "from"}):
    rig: Annotated[Rig | None, Meta(description="Only ships with this rig")] = None
    since: Timestamp | None = None


class Collision(msgspec.Struct):
    ship: Slug
    at: Timestamp


# Do not call `problem_type` here: it would declare this problem for the service too.
AGROUND = ProblemType(
    slug="aground", status=409, title="Aground", meaning="Wait for the tide.", extra=(("collisions", list[Collision]),)
)


@pytest.fixture
def declare(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Operation]]:
    """`declare("GET /v1/ships", a_function, role=…)` declares an operation that the service doesn't have."""
    monkeypatch.setattr(operations, "OPERATIONS", [])

    def declare(route: str, function: Callable[..., Any], **declaration: Any) -> Operation:
        operation(Blueprint(__name__), route, **({"role": Role.viewer} | declaration))(function)
        return operations.OPERATIONS[-1]

    return declare


def list_ships(call: Call, query: ShipQuery) -> Page[Ship]:
    """List all ships.

    The newest ship is first.
    """


def create_ship(call: Call, body: NewShip) -> Ship:
    """Create a ship."""


def change_ship(call: Call, id: str, body: ShipChange) -> Ship:  # noqa: A002
    """Rename a ship."""


def delete_ship(call: Call, id: str) -> None:  # noqa: A002
    """Delete a ship."""


def list_ports(call: Call, query: ShipQuery) -> Page[Ship]:
    """List ships by port."""


def list_crews(call: Call, query: ShipQuery) -> Page[Ship]:
    """List ships by crew."""


def described(operation: Operation) -> dict[str, Any]:
    found: dict[str, Any] = valid(document([operation]))["paths"][operation.path][operation.method.lower()]
    return found


def valid(made: dict[str, Any]) -> dict[str, Any]:
    OpenAPIV31SpecValidator(made).validate()
    return made


def problems_of(described: dict[str, Any]) -> dict[str, set[str]]:
    return {
        status: set(re.findall(r"/(\w+)Problem\b", json.dumps(response)))
        for status, response in described["responses"].items()
        if int(status) >= 400
    }


def test_a_lists_query_becomes_parameters(declare: Callable[..., Operation]) -> None:
    parameters = {each.get("name"): each for each in described(declare("GET /v1/ships", list_ships))["parameters"]}

    assert parameters["limit"]["schema"] == {"type": "integer", "minimum": 1, "maximum": 200, "default": 50}
    assert parameters["rig"] == {
        "name": "rig",
        "in": "query",
        "description": "Only ships with this rig",
        "required": False,
        "schema": {"enum": ["barque", "schooner"]},
    }
    assert parameters["from"]["schema"]["format"] == "date-time"
    assert "since" not in parameters


def test_a_list_is_a_page_with_its_own_schema(declare: Callable[..., Operation]) -> None:
    made = document([declare("GET /v1/ships", list_ships)])

    answer = made["paths"]["/v1/ships"]["get"]["responses"]["200"]
    assert answer["content"]["application/json"]["schema"] == {"$ref": "#/components/schemas/ShipPage"}
    assert made["components"]["schemas"]["ShipPage"]["title"] == "ShipPage"
    assert "Link" in answer["headers"]
    assert "ShipQuery" not in made["components"]["schemas"]


def test_the_parameters_headers_and_problems_of_a_get_are_described(declare: Callable[..., Operation]) -> None:
    of_list = described(declare("GET /v1/ships", list_ships))

    assert of_list["operationId"] == "list_ships"
    assert of_list["summary"] == "List all ships."
    assert of_list["description"] == "The newest ship is first.\n\nTakes the role `viewer`."
    assert of_list["x-role"] == "viewer"
    assert {"$ref": "#/components/parameters/If-None-Match"} in of_list["parameters"]
    assert {"200", "304"} == {status for status in of_list["responses"] if int(status) < 400}
    assert problems_of(of_list) == {
        "400": {"CursorUnusable"},
        "401": {"Unauthenticated"},
        "403": {"Forbidden"},
        "422": {"Invalid"},
        "500": {"InternalError"},
        "503": {"Unavailable"},
    }


def test_the_parameters_headers_and_problems_of_a_post_are_described(declare: Callable[..., Operation]) -> None:
    of_post = described(
        declare("POST /v1/ships", create_ship, role=Role.admin, status=201, existing_status=True, raises=[AGROUND])
    )

    assert of_post["parameters"] == [{"$ref": "#/components/parameters/Idempotency-Key"}]
    assert of_post["requestBody"]["required"]
    assert {"200", "201"} == {status for status in of_post["responses"] if int(status) < 400}
    assert {"ETag", "Location", "Idempotency-Replayed"} <= of_post["responses"]["201"]["headers"].keys()
    assert problems_of(of_post) == {
        "400": {"Malformed"},
        "401": {"Unauthenticated"},
        "403": {"Forbidden"},
        "409": {"Aground"},
        "413": {"TooLarge"},
        "415": {"UnsupportedMediaType"},
        "422": {"IdempotencyKeyReused", "Invalid"},
        "429": {"TooManyWrites"},
        "500": {"InternalError"},
        "503": {"Unavailable"},
    }


def test_the_parameters_and_problems_of_conditional_requests_are_described(declare: Callable[..., Operation]) -> None:
    of_change = described(declare("PATCH /v1/ships/{id}", change_ship))
    of_delete = described(declare("DELETE /v1/ships/{id}", delete_ship, status=204, raises=[problems.has_history]))

    for each in (of_change, of_delete):
        assert {"$ref": "#/components/parameters/If-Match"} in each["parameters"]
        assert {"404", "412", "428"} <= each["responses"].keys()
    assert of_change["requestBody"]["content"]["application/json"]["example"] == {"name": "azul"}
    assert "content" not in of_delete["responses"]["204"]
    assert problems_of(of_delete)["409"] == {"HasHistory"}


def test_a_created_resource_links_to_the_operations_on_it(declare: Callable[..., Operation]) -> None:
    create = declare("POST /v1/fleets/{system}/ships", create_ship, status=201, existing_status=True)
    change = declare("PATCH /v1/fleets/{system}/ships/{id}", change_ship)
    below = declare("GET /v1/fleets/{system}/ships/{id}/ports", list_ships)
    # The ETag of a ship is not valid for the ship's ports. So the link to this operation has no If-Match.
    delete = declare("DELETE /v1/fleets/{system}/ships/{id}/ports", delete_ship, status=204)
    further = declare("GET /v1/fleets/{system}/ships/{id}/ports/{environment}", list_ports)
    beside = declare("GET /v1/fleets/{system}/crews/{id}", list_crews)

    made = valid(document([create, change, below, delete, further, beside]))

    created = made["paths"][create.path]["post"]["responses"]
    ship = {"system": "$request.path.system", "id": "$response.body#/id"}
    assert created["201"]["links"] == {
        "change_ship": {"operationId": "change_ship", "parameters": {**ship, "If-Match": "$response.header.ETag"}},
        "list_ships": {"operationId": "list_ships", "parameters": ship},
        "delete_ship": {"operationId": "delete_ship", "parameters": ship},
    }
    assert created["200"]["links"] == created["201"]["links"]


def test_a_read_resource_links_to_the_operations_that_change_it(declare: Callable[..., Operation]) -> None:
    read = declare("GET /v1/ships/{id}", list_ships)
    change = declare("PATCH /v1/ships/{id}", change_ship)
    delete = declare("DELETE /v1/ships/{id}", delete_ship, status=204)

    made = valid(document([read, change, delete, declare("GET /v1/ships/{id}/crews", list_crews)]))

    links = {method: made["paths"][read.path][method]["responses"] for method in ("get", "patch", "delete")}
    seen = {"id": "$request.path.id", "If-Match": "$response.header.ETag"}
    assert {name: link["parameters"] for name, link in links["get"]["200"]["links"].items()} == {
        "change_ship": seen,
        "delete_ship": seen,
    }
    assert links["patch"]["200"]["links"].keys() == {"list_ships", "delete_ship"}
    assert "links" not in links["delete"]["204"]


def test_a_resource_without_an_address_has_no_links(declare: Callable[..., Operation]) -> None:
    create = declare("POST /v1/ships", create_ship, status=201)

    made = document([create, declare("GET /v1/ships", list_ships), declare("GET /v1/ships/{id}/crews", list_crews)])

    assert "links" not in made["paths"]["/v1/ships"]["post"]["responses"]["201"]
    assert "links" not in made["paths"]["/v1/ships"]["get"]["responses"]["200"]


def test_a_public_operation_takes_no_token(declare: Callable[..., Operation]) -> None:
    def look(call: Call) -> dict[str, Any]:
        """Return an object."""

    of_public = described(declare("GET /v1/sea", look, role="public"))

    assert of_public["security"] == []
    assert of_public["responses"]["200"]["content"]["application/json"]["schema"] == {"type": "object"}
    assert problems_of(of_public) == {"422": {"Invalid"}, "500": {"InternalError"}}


def test_a_problems_own_members_are_typed(declare: Callable[..., Operation]) -> None:
    made = valid(document([declare("POST /v1/ships", create_ship, raises=[AGROUND])]))

    problem = made["components"]["schemas"]["AgroundProblem"]
    assert problem["properties"]["collisions"] == {"type": "array", "items": {"$ref": "#/components/schemas/Collision"}}
    assert "collisions" in problem["required"]
    problem_examples_fit(made["paths"]["/v1/ships"]["post"]["responses"]["409"], made)


def test_examples_are_made_of_the_fields_examples_and_defaults(declare: Callable[..., Operation]) -> None:
    of_post = described(declare("POST /v1/ships", create_ship, status=201))

    assert of_post["requestBody"]["content"]["application/json"]["example"] == {
        "name": "azul",
        "rig": "schooner",
        "crew": None,
        "ports": ["azul"],
    }
    ship = of_post["responses"]["201"]["content"]["application/json"]["example"]
    assert ship["crew"] == {"size": 1, "captain": None}
    assert datetime.fromisoformat(ship["launched_at"])


def test_patterns_are_valid_in_json_schema(declare: Callable[..., Operation]) -> None:
    made = document([declare("POST /v1/ships", create_ship)])

    assert made["components"]["schemas"]["NewShip"]["properties"]["name"]["pattern"] == "^[a-z][a-z0-9-]{1,38}$"
    assert "(?!" not in json.dumps(made)


def test_the_description_of_a_type_has_no_indentation(declare: Callable[..., Operation]) -> None:
    made = document([declare("POST /v1/ships", create_ship)])

    assert made["components"]["schemas"]["Ship"]["description"] == "A ship.\n\nShips have names."


def test_a_path_parameter_has_the_type_of_its_name_in_the_vocabulary(
    declare: Callable[..., Operation], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vocabulary, "MainMast", Annotated[str, Meta(pattern="^[a-z]$")], raising=False)
    monkeypatch.setattr(vocabulary, "ShipName", Annotated[str, Meta(pattern="^[A-Z]$")], raising=False)

    of_delete = described(declare("DELETE /v1/ships/{ship}/{main_mast}", delete_ship, status=204))

    patterns = {each["name"]: each["schema"]["pattern"] for each in of_delete["parameters"] if "name" in each}
    assert patterns == {"ship": "^[A-Z]$", "main_mast": "^[a-z]$"}


def test_a_path_parameter_without_a_type_is_refused(declare: Callable[..., Operation]) -> None:
    with pytest.raises(LookupError, match=r"\{mast\} .* define Mast or MastName in chalicelib.vocabulary"):
        document([declare("GET /v1/ships/{mast}", delete_ship)])


def test_an_endpoint_may_declare_the_type_of_a_path_parameter(declare: Callable[..., Operation]) -> None:
    def get_mast(call: Call, mast: Slug) -> Ship:
        """Read a mast."""
        raise NotImplementedError

    made = document([declare("GET /v1/masts/{mast}", get_mast)])

    [parameter] = [each for each in made["paths"]["/v1/masts/{mast}"]["get"]["parameters"] if each.get("in") == "path"]
    assert parameter["schema"]["pattern"] == "^[a-z][a-z0-9-]{1,38}$"


def test_each_problem_of_the_gateway_is_described() -> None:
    text = json.dumps(document(operations.OPERATIONS))

    assert [type_.slug for type_, _ in GATEWAY_RESPONSES.values() if type_.uri not in text] == []
