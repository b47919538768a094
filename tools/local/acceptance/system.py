"""The system that acceptance tests record in, and what the token is allowed there."""

from collections.abc import Iterable, Mapping
from typing import Any

from chalicelib.identity.roles import Role
from tools.checkout import ToolError
from tools.local.acceptance.service import Answer, Service

ENVIRONMENTS = {"development": 1, "preproduction": 2}

_PAGE = "docs/acceptance.md says what the token has to be allowed"


def may(roles: Iterable[Mapping[str, Any]], role: str, system: str | None = None) -> bool:
    """Whether the roles that /v1/me lists are, for a system or, without one, everywhere, at least this one."""
    return any(
        Role[each["role"]] >= Role[role] and (each["systems"] is None or system in each["systems"]) for each in roles
    )


def roles(service: Service) -> list[Mapping[str, Any]]:
    """What the token is granted. Raises ToolError where that is nothing: every check would say so."""
    settings = service.settings
    answer = service.get("/v1/me")
    if answer.status == 401:
        made = "; one of this checkout's issuer was made: is it another one's service?" if settings.mint else ""
        raise ToolError(f"{settings.url} does not trust the token ({answer}): get a new TOKEN that is for it{made}")
    granted: list[Mapping[str, Any]] = _expected(answer, 200)["roles"]
    if not granted:
        raise ToolError(f"{answer.json['subject']} may do nothing at {settings.url}: {_PAGE}")
    return granted


def prepare(service: Service) -> str:
    """The system's address; it and its environments are made where they are missing. Raises ToolError.

    It is one and the same in every run: what has a history stays, so each run would leave another one.
    """
    key, granted = service.settings.system, roles(service)
    if not may(granted, "pipeline", key):
        raise ToolError(f"The token may not write for the system {key!r}: say READ_ONLY=1, or get another. {_PAGE}")
    address = f"/v1/systems/{key}"
    if service.get(address).status == 404:
        if not may(granted, "admin"):
            raise ToolError(f"There is no system {key!r}: have an admin create it, or run this once")
        _expected(service.post("/v1/systems", {"key": key, "name": "Acceptance tests"}), 201, 409)
    there = {each["name"] for each in _expected(service.get(f"{address}/environments"), 200)["items"]}
    for name, rank in ENVIRONMENTS.items():
        if name not in there:
            if not may(granted, "maintainer", key):
                raise ToolError(f"The system {key!r} has no environment {name!r}: have a maintainer create it")
            _expected(service.post(f"{address}/environments", {"name": name, "rank": rank}), 201, 409)
    return address


def _expected(answer: Answer, *statuses: int) -> Any:
    if answer.status not in statuses:
        raise ToolError(f"The service can't be tested: {answer}")
    return answer.json
