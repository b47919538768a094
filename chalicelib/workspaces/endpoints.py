"""The endpoints of workspaces: `/v1/systems/{system}/workspaces` and the paths below."""

from datetime import datetime

from chalice.app import Blueprint

from chalicelib.client_routes.model import workspace_routed
from chalicelib.environments import store as environments
from chalicelib.identity.roles import Role
from chalicelib.rest import audit, paging, problems
from chalicelib.rest.admission import require_publisher
from chalicelib.rest.call import Call
from chalicelib.rest.changes import changed
from chalicelib.rest.conditional import require_unchanged
from chalicelib.rest.operation import operation
from chalicelib.rest.types import Page
from chalicelib.systems import store as systems
from chalicelib.targets.changing import maker, require_may_change
from chalicelib.targets.model import workspace_not_active
from chalicelib.targets.rules import require_standing
from chalicelib.workspaces import ending, rules, store
from chalicelib.workspaces.model import (
    NewWorkspace,
    Workspace,
    WorkspaceChange,
    WorkspaceQuery,
)

blueprint = Blueprint(__name__)


@operation(blueprint, "GET /v1/systems/{system}/workspaces", role=Role.viewer)
def list_workspaces(call: Call, system: str, query: WorkspaceQuery) -> Page[Workspace]:
    """List workspaces, the newest first. With `state=expired`, find workspaces whose resources you should destroy."""
    page = paging.page(call.address, query, store.ORDER, lambda **page: store.list_(call.db, system, query, **page))
    return systems.page_of(call.db, system, page)


@operation(
    blueprint,
    "POST /v1/systems/{system}/workspaces",
    role=Role.pipeline,
    status=201,
    raises=[problems.already_exists],
)
def create_workspace(call: Call, system: str, body: NewWorkspace) -> Workspace:
    """Record a workspace: its name, its owner, its purpose and its end.

    The service makes no resources. Send the `base_url` after you have made the resources.
    """
    require_publisher(call, system, "workspaces", body.environment, body.purpose)
    systems.lock(call.db, system)
    at = store.moment(call.db, system, body.environment)
    if at is None:
        raise environments.not_found(system, body.environment)
    rules.require_end(body.purpose, body.expires_at, at)
    workspace = store.insert(call.db, system, body, maker(call.principal), at)
    audit.record(call, f"{system}/workspaces/{workspace.id}", system=system, after=workspace)
    return call.created(f"{call.address}/{workspace.id}", workspace)


@operation(blueprint, "GET /v1/systems/{system}/workspaces/{id}", role=Role.viewer)
def get_workspace(call: Call, system: str, id: str) -> Workspace:  # noqa: A002
    """Read a workspace. After its end, an active workspace becomes `expired`."""
    return store.get(call.db, system, id)


@operation(
    blueprint,
    "PATCH /v1/systems/{system}/workspaces/{id}",
    role=Role.pipeline,
    raises=[workspace_not_active, workspace_routed],
)
def change_workspace(call: Call, system: str, id: str, body: WorkspaceChange) -> Workspace:  # noqa: A002
    """Change an active workspace, for instance its `base_url` or its end. Its routes end no later than the workspace.

    The `base_url` can't change while routes lead to the workspace: that would redirect the routed clients.
    A pipeline may change workspaces that runs of its own repository made. A maintainer may change any workspace.
    """
    before, at = _seen(call, system, id)
    rules.require_change(before, body, at)
    after = changed(before, body)
    ending.shorten_routes(call, after)
    store.update(call.db, after, at)
    audit.record(call, f"{system}/workspaces/{id}", system=system, before=before, after=after)
    return after


@operation(
    blueprint,
    "DELETE /v1/systems/{system}/workspaces/{id}",
    role=Role.pipeline,
    status=204,
    raises=[workspace_not_active],
)
def destroy_workspace(call: Call, system: str, id: str) -> None:  # noqa: A002
    """Record that the resources of a workspace are gone. End its routes, and cancel a deployment in progress there.

    The workspace stays readable, as destroyed. Its name is free again. A pipeline may destroy workspaces that runs
    of its own repository made. A maintainer may destroy any workspace.
    """
    before, at = _seen(call, system, id)
    require_standing(before.environment, before.name, before.state)
    ending.destroy(call, before, at)


def _seen(call: Call, system: str, id_: str) -> tuple[Workspace, datetime]:
    """Lock the system. Return the workspace and the moment of the read.

    Raise problem 403 if the caller may not change the workspace. Raise problem 412 if If-Match names another version.
    """
    systems.lock(call.db, system)
    workspace, made_by, at = store.get_to_change(call.db, system, id_)
    require_may_change(call, system, workspace.environment, workspace.name, workspace.purpose, made_by)
    require_unchanged(call.if_match, workspace)
    return workspace, at
