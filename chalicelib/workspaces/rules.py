"""How long a workspace lives, and when it may change."""

from datetime import datetime

from msgspec import UNSET

from chalicelib.rest.problems import invalid_field
from chalicelib.targets.rules import require_active
from chalicelib.workspaces.model import MOST_AHEAD, Workspace, WorkspaceChange


def require_end(purpose: str, expires_at: datetime, at: datetime) -> None:
    """A workspace ends after now, and within the time that its purpose allows."""
    latest = at + MOST_AHEAD[purpose]
    if expires_at <= at:
        raise invalid_field("#/expires_at", f"lies in the past: it is {at:%Y-%m-%dT%H:%M:%SZ} now")
    if expires_at > latest:
        raise invalid_field(
            "#/expires_at",
            f"is more than {MOST_AHEAD[purpose].days} days ahead: a workspace for the purpose {purpose} ends at "
            f"{latest:%Y-%m-%dT%H:%M:%SZ} at the latest",
        )


def require_change(workspace: Workspace, change: WorkspaceChange, at: datetime) -> None:
    """An active workspace may change. Extending it takes a new reason, and at most the time that a new one gets."""
    require_active(workspace.environment, workspace.name, workspace.state)
    if change.expires_at is UNSET or change.expires_at == workspace.expires_at:
        return
    require_end(workspace.purpose, change.expires_at, at)
    if change.expires_at > workspace.expires_at and change.reason is UNSET:
        raise invalid_field("#/reason", "is required to extend a workspace: say what it is still needed for")
