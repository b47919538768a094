"""Prepare the system that acceptance tests record in, and check the token's roles there."""

from collections.abc import Iterable, Mapping
from typing import Any

from chalicelib.identity.roles import Role
from tools.checkout import ToolError
from tools.local.acceptance.service import Answer, Service

ENVIRONMENTS = {"development": 1, "preproduction": 2}

_PAGE = "docs/acceptance.md lists the roles that the token needs"


def may(roles: Iterable[Mapping[str, Any]], role: str, system: str | None = None) -> bool:
    """True if `roles`, as /v1/me lists them, include `role` or a higher role for `system`.

    Without `system`, the role must be for all systems.
    """
    return any(
        Role[each["role"]] >= Role[role] and (each["systems"] is None or system in each["systems"]) for each in roles
    )


def roles(service: Service) -> list[Mapping[str, Any]]:
    """Return the token's roles. Raise ToolError if the token is not trusted or has no role."""
    settings = service.settings
    answer = service.get("/v1/me")
    if answer.status == 401:
        made = ". This checkout made the token: check that the service runs from this checkout" if settings.mint else ""
        raise ToolError(f"{settings.url} does not trust the token ({answer}): set a new TOKEN{made}")
    granted: list[Mapping[str, Any]] = _expected(answer, 200)["roles"]
    if not granted:
        raise ToolError(f"{answer.json['subject']} has no role at {settings.url}: use another TOKEN. {_PAGE}")
    return granted


def prepare(service: Service) -> str:
    """Create the system and environments that are missing. Return the system's address, or raise ToolError.

    Every run uses the same system, because a system with a history can't be deleted.
    """
    key, granted = service.settings.system, roles(service)
    if not may(granted, "pipeline", key):
        raise ToolError(
            f"The token may not write to the system {key!r}: set READ_ONLY=1, or get another token. {_PAGE}"
        )
    address = f"/v1/systems/{key}"
    if service.get(address).status == 404:
        if not may(granted, "admin"):
            raise ToolError(f"There is no system {key!r}: ask an admin to create it, or to run this command once")
        _expected(service.post("/v1/systems", {"key": key, "name": "Acceptance tests"}), 201, 409)
    there = {each["name"] for each in _expected(service.get(f"{address}/environments"), 200)["items"]}
    for name, rank in ENVIRONMENTS.items():
        if name not in there:
            if not may(granted, "maintainer", key):
                raise ToolError(f"The system {key!r} has no environment {name!r}: ask a maintainer to create it")
            _expected(service.post(f"{address}/environments", {"name": name, "rank": rank}), 201, 409)
    return address


def _expected(answer: Answer, *statuses: int) -> Any:
    if answer.status not in statuses:
        raise ToolError(f"The service can't be tested: {answer}. Fix this error and run the command again")
    return answer.json
