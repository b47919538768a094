"""A route: a client whose calls go to a debug workspace instead of its environment, until a time."""

from datetime import datetime
from typing import Annotated

import msgspec
from msgspec import Meta

from chalicelib.rest.problems import problem_type
from chalicelib.rest.types import Answer, Id, Query, Request, Timestamp, Url
from chalicelib.targets.model import Maker, WorkspaceState
from chalicelib.vocabulary import Client, EnvironmentName, PrincipalName, Reason, WorkspaceName

Until = Annotated[Timestamp, Meta(description="When it ends: with its workspace at the latest")]

# How long what a lookup told may be kept: so long may a route be on its way, and outlive its deletion.
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
    """Where a client's calls go. `base_url` is null as long as the environment or the workspace has none."""

    client: Client
    environment: EnvironmentName
    workspace: WorkspaceName
    base_url: Url | None
    until: Annotated[Timestamp | None, Meta(description="When its route ends; null where it has none")]


class DestinationQuery(Query, kw_only=True):
    client: Client


class RouteHolder(Answer, kw_only=True):
    """The workspace that a client is routed to."""

    id: Id
    workspace: WorkspaceName
    until: Timestamp


class RoutedWorkspace(msgspec.Struct, frozen=True, kw_only=True):
    """What a route depends on of the workspace that it leads to. `at` is when it was read, under the system's lock."""

    at: datetime
    environment: str
    name: str
    purpose: str
    state: WorkspaceState
    expires_at: datetime
    made_by: Maker


class RoutingFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What is there for a client in the environment of a workspace. Read under the system's lock.

    `own` is its route to this workspace, `holder` the other workspace that it is routed to.
    """

    at: datetime
    own: Route | None
    holder: RouteHolder | None


client_routed = problem_type(
    "client-routed",
    409,
    "Client routed",
    "The client's calls go to another workspace of the environment: end that route, or wait for the end of `holder`.",
    holder=RouteHolder,
)
workspace_not_for_debugging = problem_type(
    "workspace-not-for-debugging",
    409,
    "Workspace not for debugging",
    "Clients are routed to debug workspaces alone: create one with the purpose `debug`.",
)
