"""The declaration of an endpoint: its address, its role and its types."""

from collections.abc import Callable
from typing import Any, Literal

import msgspec

from chalicelib.identity.roles import Role
from chalicelib.rest.problems import ProblemType

Public = Literal["public"]


class Operation(msgspec.Struct, frozen=True, kw_only=True):
    """An endpoint, as its decorator and its function declare it."""

    name: str
    method: str
    path: str
    role: Role | Public
    status: int
    # True if the endpoint may answer 200 because the resource existed already.
    existing_status: bool
    function: Callable[..., Any]
    body: type | None
    query: type | None
    answer: Any
    problems: tuple[ProblemType, ...]
    documentation: str
    # True if the role must be held in the system that the query parameter `system` names. Without this parameter, only
    # an admin has a higher role than viewer.
    system_in_query: bool
    # The action of the endpoint's audit events, such as `deployment.open` for `open_deployment`.
    action: str
    # True for every method except GET, which reads in autocommit.
    writes: bool
    # True for every POST that is not public. An Idempotency-Key belongs to one caller, so no caller gets the answer of
    # another.
    takes_idempotency_key: bool
    # True for PATCH, DELETE and some PUTs. These need If-Match, so that nobody changes a version they have not seen.
    conditional: bool
