"""The rules for the end of a workspace, and for changes to a workspace."""

from datetime import datetime

from msgspec import UNSET

from chalicelib.rest.problems import invalid_field
from chalicelib.targets.rules import require_active
from chalicelib.workspaces.model import MOST_AHEAD, Workspace, WorkspaceChange


def require_end(purpose: str, expires_at: datetime, at: datetime) -> None:
    """A workspace ends in the future, within the time that its purpose allows."""
    latest = at + MOST_AHEAD[purpose]
    if expires_at <= at:
        raise invalid_field("#/expires_at", f"is not in the future: send a time after {at:%Y-%m-%dT%H:%M:%SZ}")
    if expires_at > latest:
        raise invalid_field(
            "#/expires_at",
            f"is more than {MOST_AHEAD[purpose].days} days ahead: for the purpose `{purpose}`, send "
            f"{latest:%Y-%m-%dT%H:%M:%SZ} or earlier",
        )


def require_change(workspace: Workspace, change: WorkspaceChange, at: datetime) -> None:
    """Only an active workspace may change. A new end has the same limits as the end of a new workspace.

    A later end also needs a reason.
    """
    require_active(workspace.environment, workspace.name, workspace.state)
    if change.expires_at is UNSET or change.expires_at == workspace.expires_at:
        return
    require_end(workspace.purpose, change.expires_at, at)
    if change.expires_at > workspace.expires_at and change.reason is UNSET:
        raise invalid_field("#/reason", "is required to extend a workspace: say why the workspace is still needed")
