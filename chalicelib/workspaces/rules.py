"""What may become of a workspace: who may change it, how long it lives."""

from datetime import datetime

from msgspec import UNSET

from chalicelib.rest.problems import invalid_field
from chalicelib.targets.rules import require_active
from chalicelib.workspaces.model import MOST_AHEAD, Workspace, WorkspaceChange


def require_end(purpose: str, expires_at: datetime, at: datetime) -> None:
    """A workspace ends, after now and within what its purpose allows."""
    latest = at + MOST_AHEAD[purpose]
    if expires_at <= at:
        raise invalid_field("#/expires_at", "lies in the past")
    if expires_at > latest:
        raise invalid_field(
            "#/expires_at",
            f"is more than {MOST_AHEAD[purpose].days} days ahead, the most for the purpose {purpose}: "
            f"{latest:%Y-%m-%dT%H:%M:%SZ} at the latest",
        )


def require_change(workspace: Workspace, change: WorkspaceChange, at: datetime) -> None:
    """What is active may change; it lives longer for a reason that is given anew, and for no longer than a new one."""
    require_active(workspace.environment, workspace.name, workspace.state)
    if change.expires_at is UNSET or change.expires_at == workspace.expires_at:
        return
    require_end(workspace.purpose, change.expires_at, at)
    if change.expires_at > workspace.expires_at and change.reason is UNSET:
        raise invalid_field("#/reason", "is required to extend a workspace")
