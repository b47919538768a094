"""Rule 8 of docs/registry/rules.md: the routes that may exist, and how long a lookup may be kept."""

import re
from datetime import datetime

from chalicelib.client_routes.model import (
    MOST_KEPT_SECONDS,
    Destination,
    NewRoute,
    RoutedWorkspace,
    RoutingFacts,
    client_routed,
    workspace_not_for_debugging,
)
from chalicelib.rest import problems
from chalicelib.rest.problems import Problem, invalid_field
from chalicelib.targets.rules import require_active
from chalicelib.vocabulary import CLIENT

_CLIENT = re.compile(CLIENT, re.ASCII)


def require_client(client: str) -> None:
    """Raise problem 404 if no client can have this name."""
    if not _CLIENT.fullmatch(client):
        raise Problem(
            problems.not_found, "No client can have this name: send 1 to 128 letters, digits or characters of ._~@:-"
        )


def require_target(workspace: RoutedWorkspace) -> None:
    """Routes lead to active debug workspaces only."""
    if workspace.purpose != "debug":
        raise Problem(
            workspace_not_for_debugging,
            f"The workspace {workspace.name!r} of {workspace.environment} has the purpose `{workspace.purpose}`: "
            "create a workspace with the purpose `debug`",
        )
    require_active(workspace.environment, workspace.name, workspace.state)


def require_end(new: NewRoute, workspace: RoutedWorkspace) -> None:
    """A route ends in the future, and no later than its workspace."""
    if new.until <= workspace.at:
        raise invalid_field("#/until", f"is not in the future: send a time after {workspace.at:%Y-%m-%dT%H:%M:%SZ}")
    if new.until > workspace.expires_at:
        raise invalid_field(
            "#/until", f"is after the workspace's end: send {workspace.expires_at:%Y-%m-%dT%H:%M:%S.%fZ} or earlier"
        )


def require_free(client: str, facts: RoutingFacts) -> None:
    """A client has at most one route in an environment."""
    if facts.holder is not None:
        raise Problem(
            client_routed,
            f"{client!r} is routed to the workspace {facts.holder.workspace!r} "
            f"until {facts.holder.until:%Y-%m-%dT%H:%M:%SZ}: end that route, or wait",
            holder=facts.holder,
        )


def seconds_to_keep(destination: Destination, at: datetime) -> int:
    """Return the seconds for which a lookup may be kept: at most MOST_KEPT_SECONDS, and not beyond the route's end."""
    if destination.until is None:
        return MOST_KEPT_SECONDS
    left = (destination.until - at).total_seconds()
    return max(0, min(MOST_KEPT_SECONDS, int(left)))
