"""Rule 8 of docs/registry/rules.md: the routes that may exist, and how long a lookup may be kept."""

import re
from datetime import datetime

from chalicelib.client_routes.model import (
    MOST_KEPT_SECONDS,
    Destination,
    LookupFacts,
    NewRoute,
    RoutedWorkspace,
    RoutingFacts,
    base_url_not_expected,
    client_routed,
    host_not_allowed,
    workspace_not_for_debugging,
)
from chalicelib.identity.roles import Role
from chalicelib.rest import problems
from chalicelib.rest.problems import Problem, invalid_field
from chalicelib.targets.model import DEFAULT
from chalicelib.targets.rules import require_active
from chalicelib.vocabulary import CLIENT


def require_client(client: str) -> None:
    """Raise problem 404 if no client can have this name."""
    if not re.fullmatch(CLIENT, client, re.ASCII):
        raise Problem(
            problems.not_found, "No client can have this name: send 1 to 128 letters, digits or characters of ._~@:|+-"
        )


def require_right(system: str, client: str, *, by_client: bool, by_run: bool, role: Role) -> None:
    """A caller may route itself. Routing somebody else takes a maintainer. A pipeline routes nobody.

    The same holds for ending a route.
    """
    if by_run:
        raise Problem(problems.forbidden, f"A pipeline routes nobody: ask a maintainer of {system!r} to do this")
    if not by_client and role < Role.maintainer:
        raise Problem(
            problems.forbidden,
            f"You may route only yourself, by the subject of your token, and not {client!r}: ask a maintainer of "
            f"{system!r} to do this",
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


def require_address(new: NewRoute, workspace: RoutedWorkspace, *, by_client: bool) -> None:
    """A route leads to a known address, because it takes the client's token there.

    The caller names the address that they expect; a caller who routes itself may leave it out. Anybody but the caller
    is routed only to a host that the environment names.
    """
    if workspace.base_url is None:
        raise Problem(
            base_url_not_expected,
            f"The workspace {workspace.name!r} of {workspace.environment} has no `base_url` yet: set it first",
        )
    expected = workspace.base_url if new.base_url is None and by_client else new.base_url
    if expected != workspace.base_url:
        said = "leaves out `base_url`" if expected is None else f"expects the `base_url` {expected!r}"
        raise Problem(
            base_url_not_expected,
            f"The request {said}. Read the workspace {workspace.name!r} of {workspace.environment}, and send its "
            "`base_url` if you know who controls this address",
        )
    if not by_client and not is_allowed(workspace.base_url, workspace.hosts):
        raise Problem(
            host_not_allowed,
            f"The host of {workspace.base_url!r} is not one of the `workspace_hosts` of {workspace.environment}: add "
            "the host there, if you know who controls it",
        )


def is_allowed(base_url: str, hosts: tuple[str, ...]) -> bool:
    """True if the URL's host is one of `hosts`, or ends with a suffix in `hosts`, such as `.example.org`.

    A host with a port is another host.
    """
    host = base_url.removeprefix("https://").partition("/")[0]
    return any(host == each or (each.startswith(".") and host.endswith(each)) for each in hosts)


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


def destination(client: str, facts: LookupFacts) -> Destination:
    """Return where the client's calls go. A route of somebody else's counts only while its host is allowed."""
    route = facts.route
    if route is None or not (route.set_by_client or is_allowed(route.base_url, facts.hosts)):
        return Destination(
            client=client, environment=facts.environment, workspace=DEFAULT, base_url=facts.base_url, until=None
        )
    return Destination(
        client=client,
        environment=facts.environment,
        workspace=route.workspace,
        base_url=route.base_url,
        until=route.until,
    )


def seconds_to_keep(destination: Destination, at: datetime) -> int:
    """Return the seconds for which a lookup may be kept: at most MOST_KEPT_SECONDS, and not beyond the route's end."""
    if destination.until is None:
        return MOST_KEPT_SECONDS
    left = (destination.until - at).total_seconds()
    return max(0, min(MOST_KEPT_SECONDS, int(left)))
