"""End a workspace: first its routes, then a deployment that is in progress there, then the workspace itself."""

from datetime import datetime

import msgspec

from chalicelib.client_routes import store as client_routes
from chalicelib.deployments import store as deployments
from chalicelib.deployments.model import DeploymentQuery, NewStatus
from chalicelib.rest import audit
from chalicelib.rest.call import Call
from chalicelib.workspaces import store
from chalicelib.workspaces.model import Workspace


def destroy(call: Call, workspace: Workspace, at: datetime) -> None:
    """Record that the workspace was destroyed. End its routes and cancel a deployment in progress there."""
    _end_routes(call, workspace, at)
    _cancel_deployment(call, workspace, at)
    store.destroy(call.db, workspace.id, at)
    audit.record(call, f"{workspace.system}/workspaces/{workspace.id}", system=workspace.system, before=workspace)


def shorten_routes(call: Call, workspace: Workspace) -> None:
    """Let every route to the workspace end no later than the workspace."""
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
    query = DeploymentQuery(environment=workspace.environment, workspace=workspace.name, state="in_progress")
    for deployment in deployments.list_(call.db, workspace.system, query, limit=1, after=None):
        status = NewStatus(state="cancelled", detail="The workspace was destroyed")
        deployments.add_status(call.db, deployment.id, status, call.principal.subject, at)
        audit.record(
            call,
            f"{workspace.system}/deployments/{deployment.id}",
            action="deployment.cancel",
            system=workspace.system,
            before={"state": deployment.state, "detail": deployment.detail},
            after={"state": status.state, "detail": status.detail},
        )
