"""`/v1/systems/{system}/workspaces`"""

from datetime import datetime

import msgspec
from chalice.app import Blueprint

from chalicelib.client_routes import store as client_routes
from chalicelib.deployments import store as deployments
from chalicelib.deployments.model import DeploymentQuery, NewStatus
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
from chalicelib.workspaces import rules, store
from chalicelib.workspaces.model import (
    NewWorkspace,
    Workspace,
    WorkspaceChange,
    WorkspaceQuery,
    workspace_not_active,
)

blueprint = Blueprint(__name__)


@operation(blueprint, "GET /v1/systems/{system}/workspaces", role=Role.viewer)
def list_workspaces(call: Call, system: str, query: WorkspaceQuery) -> Page[Workspace]:
    """List workspaces, the newest first; `state=expired` is what there is to be destroyed."""
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
    """Record a workspace: whose it is, what for, and until when. Whoever makes it of resources tells its `base_url`."""
    require_publisher(call, system, "workspaces", body.environment)
    systems.lock(call.db, system)
    at = store.moment(call.db, system, body.environment)
    if at is None:
        raise environments.not_found(system, body.environment)
    rules.require_end(body.purpose, body.expires_at, at)
    workspace = store.insert(call.db, system, body, store.maker(call.principal), at)
    audit.record(call, f"{system}/workspaces/{workspace.id}", system=system, after=workspace)
    return call.created(f"{call.address}/{workspace.id}", workspace)


@operation(blueprint, "GET /v1/systems/{system}/workspaces/{id}", role=Role.viewer)
def get_workspace(call: Call, system: str, id: str) -> Workspace:  # noqa: A002
    """Read a workspace. One whose time is over reads as expired."""
    return store.get(call.db, system, id)


@operation(
    blueprint,
    "PATCH /v1/systems/{system}/workspaces/{id}",
    role=Role.pipeline,
    raises=[workspace_not_active],
)
def change_workspace(call: Call, system: str, id: str, body: WorkspaceChange) -> Workspace:  # noqa: A002
    """Change an active workspace: tell its `base_url`, or let it expire at another time. Its routes end with it.

    A pipeline changes what was made by its own repository's runs, a maintainer any.
    """
    before, at = _seen(call, system, id)
    rules.require_change(before, body, at)
    after = changed(before, body)
    _shorten_routes(call, after)
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
    """Record that a workspace is no more: its resources are gone. So its routes end, and a deployment to it is over.

    It stays to be read, as destroyed; another may have its name. A pipeline destroys what was made by its own
    repository's runs, a maintainer any.
    """
    before, at = _seen(call, system, id)
    rules.require_standing(before.environment, before.name, before.state)
    _end_routes(call, before, at)
    _cancel_deployment(call, before, at)
    store.destroy(call.db, id, at)
    audit.record(call, f"{system}/workspaces/{id}", system=system, before=before)


def to_change(call: Call, system: str, id_: str) -> tuple[Workspace, datetime]:
    """The workspace, or problem 404, if the caller may change it, and the moment at which it was read.

    Else problem 403. Lock the system first.
    """
    workspace, made_by, at = store.get_to_change(call.db, system, id_)
    rules.require_own(workspace, made_by, store.maker(call.principal), call.principal.role_in(system))
    require_publisher(call, system, "workspaces", workspace.environment)
    return workspace, at


def _seen(call: Call, system: str, id_: str) -> tuple[Workspace, datetime]:
    """The workspace as the caller has seen it and may change it, and the moment at which it was read."""
    systems.lock(call.db, system)
    workspace, at = to_change(call, system, id_)
    require_unchanged(call.if_match, workspace)
    return workspace, at


def _shorten_routes(call: Call, workspace: Workspace) -> None:
    """Let no route outlive its workspace."""
    client_routes.lapse_of_workspace(call.db, workspace.id, call.id)
    for route in client_routes.ending_after(call.db, workspace.id, workspace.expires_at):
        shortened = msgspec.structs.replace(route, until=workspace.expires_at)
        client_routes.update(call.db, shortened)
        audit.record(
            call,
            f"{workspace.system}/workspaces/{workspace.id}/routes/{route.client}",
            action="route.set",
            system=workspace.system,
            before=route,
            after=shortened,
        )


def _end_routes(call: Call, workspace: Workspace, at: datetime) -> None:
    """Let no route lead to what is gone."""
    client_routes.lapse_of_workspace(call.db, workspace.id, call.id)
    for route in client_routes.ending_after(call.db, workspace.id, at):
        client_routes.delete(call.db, route.id)
        audit.record(
            call,
            f"{workspace.system}/workspaces/{workspace.id}/routes/{route.client}",
            action="route.delete",
            system=workspace.system,
            before=route,
        )


def _cancel_deployment(call: Call, workspace: Workspace, at: datetime) -> None:
    """Let no deployment hold what is gone."""
    system, environment, name = workspace.system, workspace.environment, workspace.name
    query = DeploymentQuery(environment=environment, workspace=name, state="in_progress")
    for deployment in deployments.list_(call.db, system, query, limit=1, after=None):
        status = NewStatus(state="cancelled", detail="The workspace was destroyed")
        deployments.add_status(call.db, deployment.id, status, call.principal.subject, at)
        audit.record(
            call,
            f"{system}/deployments/{deployment.id}",
            action="deployment.cancel",
            system=system,
            before={"state": deployment.state, "detail": deployment.detail},
            after={"state": status.state, "detail": status.detail},
        )
