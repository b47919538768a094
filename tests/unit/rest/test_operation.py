"""An endpoint refuses a contradictory declaration, and answers with the problem that its function returns."""

import json
from types import SimpleNamespace
from typing import Any

import pytest
from chalice.app import Blueprint

from chalicelib.identity.roles import Role
from chalicelib.rest import operation as operations
from chalicelib.rest import problems
from chalicelib.rest.call import Call
from chalicelib.rest.declaration import Operation
from chalicelib.rest.operation import operation
from chalicelib.rest.problems import Problem
from chalicelib.rest.respond import respond
from chalicelib.rest.types import Answer, Page


class Ship(Answer):
    name: str


@pytest.fixture(autouse=True)
def declared(monkeypatch: pytest.MonkeyPatch) -> list[Operation]:
    """The operations that a test declares, without the service's operations."""
    declared: list[Operation] = []
    monkeypatch.setattr(operations, "OPERATIONS", declared)
    return declared


def test_a_public_operation_may_only_read() -> None:
    with pytest.raises(AssertionError, match="a write needs a caller"):
        operation(Blueprint(__name__), "POST /v1/ships", role="public")


@pytest.mark.parametrize("answer", [Ship, Page[Ship], None, dict[str, Any]])
def test_a_problem_is_not_part_of_the_answers_type(declared: list[Operation], answer: Any) -> None:
    def get_ship(call: Call) -> Any: ...

    get_ship.__annotations__["return"] = answer | Problem if answer is not None else None | Problem

    operation(Blueprint(__name__), "GET /v1/ships", role=Role.viewer)(get_ship)

    assert declared[0].answer == answer


def test_an_operation_has_one_type_of_answer() -> None:
    with pytest.raises(AssertionError, match="more than one answer"):

        @operation(Blueprint(__name__), "GET /v1/ships", role=Role.viewer)
        def get_ship(call: Call) -> Ship | Page[Ship]: ...


def test_a_returned_problem_is_the_answer_of_a_read_too(declared: list[Operation]) -> None:
    @operation(Blueprint(__name__), "GET /v1/ships", role="public")
    def get_ship(call: Call) -> Ship | Problem:
        return Problem(problems.not_found, "No ship has this name: correct the name.")

    sent = {"headers": {}, "query_params": None, "method": "GET", "to_original_event": dict}
    request: Any = SimpleNamespace(context={"requestId": "7"}, **sent)
    answer = respond(declared[0], request, {})

    assert (answer.status_code, json.loads(answer.body)["type"]) == (404, "/problems/not-found")
