"""The declaration of an endpoint: its address, its role and its types."""

from collections.abc import Callable
from typing import Any, Literal

import msgspec

from chalicelib.identity.roles import Role
from chalicelib.rest.problems import ProblemType

Public = Literal["public"]


class Operation(msgspec.Struct, frozen=True, kw_only=True):
    """An endpoint, as its decorator and its function declare it.

    `existing_status`: it may answer 200 because the resource was there already.
    `system_in_query`: the role is the caller's role in the system that the query parameter `system` names. Without
    that parameter, only an admin may call it.
    `action`: the action of its audit events, `deployment.open` for `open_deployment`.
    `writes`: true for every method but GET.
    `takes_idempotency_key`: true for POST. A key belongs to its principal: nobody reads another caller's answer.
    `conditional`: true for PATCH and DELETE. They need If-Match, so that nobody changes what they have not seen.
    """

    name: str
    method: str
    path: str
    role: Role | Public
    status: int
    existing_status: bool
    function: Callable[..., Any]
    body: type | None
    query: type | None
    answer: Any
    problems: tuple[ProblemType, ...]
    documentation: str
    system_in_query: bool
    action: str
    writes: bool
    takes_idempotency_key: bool
    conditional: bool
