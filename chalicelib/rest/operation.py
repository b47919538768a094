"""An endpoint is one declared, typed function.

    @operation(blueprint, "POST /v1/systems", role=Role.admin, status=201)
    def create_system(call: Call, body: NewSystem) -> System: ...

The declaration gives authorization, decoding and validation, the transaction, Idempotency-Key, conditional requests,
encoding, problems and OpenAPI.
"""

from collections.abc import Callable, Sequence
from functools import wraps
from types import NoneType, UnionType
from typing import Any, ParamSpec, TypeVar, Union, get_args, get_origin

import chalice
from chalice.app import Blueprint

from chalicelib.identity.authorizer import authorizer
from chalicelib.identity.roles import Role
from chalicelib.rest.declaration import Operation, Public
from chalicelib.rest.problems import Problem, ProblemType
from chalicelib.rest.respond import respond

P = ParamSpec("P")
R = TypeVar("R")

OPERATIONS: list[Operation] = []


def operation(
    blueprint: Blueprint,
    route: str,
    *,
    role: Role | Public,
    status: int = 200,
    existing_status: bool = False,
    system_in_query: bool = False,
    conditional: bool = False,
    raises: Sequence[ProblemType] = (),
) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Declare an endpoint. `route` is the method and the path.

    The function's parameters are bound by name: those of the path, `body` (a `Request`) and `query` (a `Query`).
    A PATCH or DELETE needs If-Match. `conditional` says that a PUT does too.
    `raises` has the problems that do not already follow from the rest of the declaration.
    """
    method, path = route.split(" ")
    assert role != "public" or method == "GET", f"{route} is public, but a write needs a caller: declare another role"

    def declare(function: Callable[P, R]) -> Callable[P, R]:
        types = function.__annotations__
        verb, _, noun = function.__name__.partition("_")
        declared = Operation(
            name=function.__name__,
            method=method,
            path=path,
            role=role,
            status=status,
            existing_status=existing_status,
            function=function,
            body=types.get("body"),
            query=types.get("query"),
            answer=_without_problem(types["return"]),
            problems=tuple(raises),
            documentation=function.__doc__ or "",
            system_in_query=system_in_query,
            action=f"{noun}.{verb}",
            writes=method != "GET",
            takes_idempotency_key=method == "POST" and role != "public",
            conditional=conditional or method in ("PATCH", "DELETE"),
        )
        OPERATIONS.append(declared)

        @wraps(function)
        def view(**path_parameters: str) -> chalice.app.Response:
            return respond(declared, blueprint.current_request, path_parameters)

        blueprint.route(
            path,
            methods=[method],
            authorizer=None if role == "public" else authorizer,
            content_types=[],  # `decoding` checks the body's type, so that a refusal is a problem document
        )(view)
        return function

    return declare


def _without_problem(answer: Any) -> Any:
    """Return the type of a successful answer: `Deployment` for `Deployment | Problem`."""
    if get_origin(answer) not in (Union, UnionType):
        return answer
    successful = [each for each in get_args(answer) if each is not Problem]
    assert len(successful) == 1, f"{answer} has more than one answer: return one type, or one type and Problem"
    return None if successful[0] is NoneType else successful[0]
