"""A route: it sends a client's calls to a debug workspace instead of its environment, for a limited time."""

from datetime import datetime
from typing import Annotated

import msgspec
from msgspec import Meta

from chalicelib.rest import problems
from chalicelib.rest.constraints import constraint
from chalicelib.rest.problems import problem_type
from chalicelib.rest.types import Answer, Id, Query, Request, Timestamp, Url
from chalicelib.targets.model import WorkspaceState, workspace_not_active
from chalicelib.vocabulary import Client, EnvironmentName, PrincipalName, Reason, WorkspaceName

Until = Annotated[Timestamp, Meta(description="The end of the route, which is no later than the end of its workspace")]

# Seconds for which a caller may keep a lookup. During this time, the caller may miss a new route or still use a deleted
# route.
MOST_KEPT_SECONDS = 30


class NewRoute(Request, kw_only=True):
    until: Until
    reason: Reason | None = None
    base_url: Annotated[
        Url | None,
        Meta(
            examples=["https://debug.example.org"],
            description="The workspace's URL as you know it. Required to route anybody but yourself, because the "
            "client's token goes to this address",
        ),
    ] = None


class Route(Answer, kw_only=True):
    id: Id
    client: Client
    environment: EnvironmentName
    workspace: WorkspaceName
    until: Until
    reason: Reason | None
    set_by_client: Annotated[bool, Meta(description="True if the client itself set the route last")]
    created_at: Timestamp
    created_by: PrincipalName


class Destination(Answer, kw_only=True):
    """The destination of a client's calls. `base_url` is null if the environment has none yet."""

    client: Client
    environment: EnvironmentName
    workspace: WorkspaceName
    base_url: Url | None
    until: Annotated[
        Timestamp | None, Meta(description="The end of the client's route; null if the client has no route")
    ]


class DestinationQuery(Query, kw_only=True):
    client: Client


class RouteHolder(Answer, kw_only=True):
    """The workspace that a client is routed to."""

    id: Id
    workspace: WorkspaceName
    until: Timestamp


class RoutedWorkspace(msgspec.Struct, frozen=True, kw_only=True):
    """The facts about a workspace that its routes depend on. `at` is the time when the facts were read.

    `hosts` are the `workspace_hosts` of its environment.
    """

    at: datetime
    environment: str
    name: str
    purpose: str
    state: WorkspaceState
    expires_at: datetime
    base_url: str | None
    hosts: tuple[str, ...]


class Followed(msgspec.Struct, frozen=True, kw_only=True):
    """A client's route, as a lookup reads it."""

    workspace: str
    base_url: str
    until: datetime
    set_by_client: bool


class LookupFacts(msgspec.Struct, frozen=True, kw_only=True):
    """The facts that decide where a client's calls go. `hosts` are the environment's `workspace_hosts`."""

    at: datetime
    environment: str
    base_url: str | None
    hosts: tuple[str, ...]
    route: Followed | None


class RoutingFacts(msgspec.Struct, frozen=True, kw_only=True):
    """The routes of a client in the environment of a workspace. They are read under the system's lock.

    `own` is the client's route to this workspace. `holder` is another workspace that the client is routed to.
    """

    at: datetime
    own: Route | None
    holder: RouteHolder | None


client_routed = problem_type(
    "client-routed",
    409,
    "Client routed",
    "The client has a route to another workspace of the environment: end that route, or wait until `holder.until`.",
    holder=RouteHolder,
)
base_url_not_expected = problem_type(
    "base-url-not-expected",
    409,
    "Base URL not expected",
    "The request does not name the workspace's `base_url`: read the workspace, and check that you know its address.",
)
host_not_allowed = problem_type(
    "host-not-allowed",
    409,
    "Host not allowed",
    "The environment's `workspace_hosts` do not have the workspace's host: add the host, if you know who controls it.",
)
workspace_routed = problem_type(
    "workspace-routed",
    409,
    "Workspace routed",
    "Routes lead to the workspace, so its `base_url` can't change: end the routes, or create another workspace.",
)
workspace_not_for_debugging = problem_type(
    "workspace-not-for-debugging",
    409,
    "Workspace not for debugging",
    "Clients are routed to debug workspaces only: create a workspace with the purpose `debug`.",
)


constraint(
    "routes_lead_to_workspace",
    problems.conflict,
    "The workspace has changed in the meantime: read it again, then set the route again",
)
constraint(
    "routes_keep_address",
    workspace_routed,
    "Routes lead to the workspace, so its `base_url` can't change: end the routes, or create another workspace",
    "#/base_url",
)
constraint(
    "routes_lead_to_debugging",
    workspace_not_for_debugging,
    "Routes lead only to debug workspaces: create a workspace with the purpose `debug`",
)
constraint(
    "routes_lead_to_what_is_active",
    workspace_not_active,
    "Routes lead only to active workspaces: choose an active workspace, or end the routes first",
)
constraint(
    "routes_end_with_their_workspace",
    problems.invalid,
    "The route would end after its workspace: choose an earlier end",
    "#/until",
)
constraint(
    "routes_client_known",
    problems.invalid,
    "A client's name has 1 to 128 letters, digits or characters of `._~@:|+-`: correct the name",
)
constraint(
    "routes_one_per_client",
    problems.conflict,
    "The client has another route in this environment: end that route first",
)
