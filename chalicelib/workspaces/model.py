"""A workspace: an isolated copy of an environment for a limited time."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Annotated, Literal

from msgspec import UNSET, Meta, UnsetType

from chalicelib.patterns import matching
from chalicelib.rest import problems
from chalicelib.rest.constraints import constraint
from chalicelib.rest.problems import Fault
from chalicelib.rest.types import Answer, Id, PageQuery, Request, Timestamp
from chalicelib.targets.model import DEFAULT, WorkspaceState, workspace_not_active
from chalicelib.vocabulary import EnvironmentName, PrincipalName, Purpose, Reason, Slug, WorkspaceName, WorkspaceUrl

WorkspaceDatabase = Annotated[
    Literal["empty", "clone", "live"],
    Meta(
        description="The workspace's database: `empty`, a copy-on-write `clone` of the environment's database, or "
        "`live`. `live` is the environment's own database, which only the purpose `debug` may use"
    ),
]
# The owner can be the subject of any caller: PrincipalName has the same bound.
Owner = Annotated[str, matching(r"[^\u0000]{1,1000}", "jane", "The person that the workspace belongs to")]
ExpiresAt = Annotated[
    Timestamp,
    Meta(description="The end of the workspace: at most 14 days ahead, 3 days for the purpose `debug`"),
]

# The longest time until the end of a workspace, counted from the request that sets the end.
MOST_AHEAD: dict[str, timedelta] = {
    "personal": timedelta(days=14),
    "preview": timedelta(days=14),
    "debug": timedelta(days=3),
}


class NewWorkspace(Request, kw_only=True):
    environment: EnvironmentName
    name: Annotated[
        WorkspaceName,
        Meta(examples=["jane"], description="The workspace's name: unique in the environment, and not `default`"),
    ]
    purpose: Purpose
    owner: Annotated[
        Owner | None, Meta(description="The person that the workspace belongs to; by default the caller")
    ] = None
    reason: Reason
    base_url: Annotated[
        WorkspaceUrl | None, Meta(description="The workspace's URL; null until its resources exist")
    ] = None
    expires_at: ExpiresAt
    database: WorkspaceDatabase = "empty"

    def faults(self) -> Iterator[Fault]:
        if self.name == DEFAULT:
            yield Fault("#/name", "is the environment itself: choose another name, such as `jane`")
        if "--" in self.name or self.name.endswith("-"):
            yield Fault(
                "#/name",
                "has two hyphens in a row or a hyphen at the end: send a name like `pr-12`",
            )
        if self.database == "live" and self.purpose != "debug":
            yield Fault("#/database", "is `live`, which only the purpose `debug` may use: send `clone`")


class WorkspaceChange(Request, kw_only=True):
    """Fields that you leave out stay as they are. Send a `reason` with a later end."""

    owner: Owner | UnsetType = UNSET
    reason: Reason | UnsetType = UNSET
    base_url: WorkspaceUrl | UnsetType | None = UNSET
    expires_at: ExpiresAt | UnsetType = UNSET


class Workspace(Answer, kw_only=True):
    id: Id
    system: Slug
    environment: EnvironmentName
    name: WorkspaceName
    purpose: Purpose
    owner: Owner
    reason: Reason
    base_url: WorkspaceUrl | None
    database: WorkspaceDatabase
    state: WorkspaceState
    expires_at: Timestamp
    destroyed_at: Timestamp | None
    created_at: Timestamp
    created_by: PrincipalName


class WorkspaceQuery(PageQuery, kw_only=True):
    environment: EnvironmentName | None = None
    name: WorkspaceName | None = None
    state: WorkspaceState | None = None
    owner: Owner | None = None
    expires_before: Annotated[Timestamp | None, Meta(description="Workspaces that expire before this time")] = None


constraint(
    "workspaces_keep_environment",
    problems.has_history,
    "The environment has workspaces, which must be kept: keep the environment and its system",
)
constraint(
    "workspaces_name_once",
    problems.already_exists,
    "Another workspace of the environment has this name: choose another name",
    "#/name",
)
constraint(
    "workspaces_name_is_usable",
    problems.invalid,
    "The name is `default`, or can't be part of a resource's name: choose another name, such as `pr-12`",
    "#/name",
)
constraint(
    "workspaces_base_url_is_https",
    problems.invalid,
    "The URL is not `https://`, a host in lower case and a path: send a URL like `https://pr-12.example.org`",
    "#/base_url",
)
constraint(
    "workspaces_purpose_known",
    problems.invalid,
    "The purpose is unknown: send `personal`, `preview` or `debug`",
    "#/purpose",
)
constraint(
    "workspaces_database_known",
    problems.invalid,
    "The database is unknown: send `empty`, `clone` or `live`",
    "#/database",
)
constraint(
    "workspaces_live_data_is_for_debugging",
    problems.invalid,
    "Only the purpose `debug` may use the database `live`: send `empty` or `clone`",
    "#/database",
)
constraint(
    "workspaces_state_known",
    problems.invalid,
    "The state is unknown: send `active`, `expired` or `destroyed`",
    "#/state",
)
constraint(
    "workspaces_destroyed_with_their_state",
    problems.invalid,
    "Only a destroyed workspace has a time of destruction: set its state and this time together",
    "#/state",
)
constraint(
    "workspaces_end_in_time",
    problems.invalid,
    "A workspace ends in the future, within 14 days, or 3 days for the purpose `debug`: choose another end",
    "#/expires_at",
)
constraint(
    "workspaces_never_come_back",
    workspace_not_active,
    "The workspace has expired or was destroyed, which is final: create another workspace",
)
constraint(
    "workspaces_are_kept",
    problems.has_history,
    "The record of a workspace is never deleted: mark the workspace as destroyed instead",
)
