"""A route: it sends a client's calls to a debug workspace instead of its environment, for a limited time."""

from datetime import datetime
from typing import Annotated

import msgspec
from msgspec import Meta

from chalicelib.rest import problems
from chalicelib.rest.constraints import constraint
from chalicelib.rest.problems import problem_type
from chalicelib.rest.types import Answer, Id, Query, Request, Timestamp, Url
from chalicelib.targets.model import Maker, WorkspaceState, workspace_not_active
from chalicelib.vocabulary import Client, EnvironmentName, PrincipalName, Reason, WorkspaceName

Until = Annotated[Timestamp, Meta(description="The end of the route, which is no later than the end of its workspace")]

# Seconds for which a caller may keep a lookup. During this time, the caller may miss a new route or still use a deleted
# route.
MOST_KEPT_SECONDS = 30


class NewRoute(Request, kw_only=True):
    until: Until
    reason: Reason | None = None


class Route(Answer, kw_only=True):
    id: Id
    client: Client
    environment: EnvironmentName
    workspace: WorkspaceName
    until: Until
    reason: Reason | None
    created_at: Timestamp
    created_by: PrincipalName


class Destination(Answer, kw_only=True):
    """The destination of a client's calls. `base_url` is null if the environment or the workspace has none yet."""

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
    """The facts about a workspace that its routes depend on. `at` is the time when the facts were read."""

    at: datetime
    environment: str
    name: str
    purpose: str
    state: WorkspaceState
    expires_at: datetime
    made_by: Maker


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
    "A client's name has 1 to 128 letters, digits or characters of `._~@:-`: correct the name",
)
constraint(
    "routes_one_per_client",
    problems.conflict,
    "The client has another route in this environment: end that route first",
)
