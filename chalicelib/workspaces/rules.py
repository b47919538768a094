"""What may become of a workspace: who may change it, how long it lives."""

from datetime import datetime

from msgspec import UNSET

from chalicelib.identity.roles import Role
from chalicelib.rest import problems
from chalicelib.rest.problems import Problem, invalid_field
from chalicelib.workspaces.model import MOST_AHEAD, Maker, State, Workspace, WorkspaceChange, workspace_not_active


def is_same(made_by: Maker, asking: Maker) -> bool:
    """Whether it is the same one who asks. Runs of one repository are one: their subjects tell branches apart."""
    if made_by.issuer != asking.issuer:
        return False
    if asking.repository_id is not None:
        return made_by.repository_id == asking.repository_id
    return made_by.repository_id is None and made_by.subject == asking.subject


def require_own(workspace: Workspace, made_by: Maker, asking: Maker, role: Role) -> None:
    """A pipeline changes what it made, a maintainer whatever is the system's. Else problem 403."""
    if role < Role.maintainer and not is_same(made_by, asking):
        raise Problem(
            problems.forbidden,
            f"{asking.subject} has not made the workspace {workspace.name}: that takes who did, or a maintainer "
            f"of {workspace.system!r}",
        )


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


def require_known(name: str, state: State | None, pointer: str = "#/workspace") -> State:
    """What a request names has to be, or to have been, a workspace of its environment: its state."""
    if state is None:
        raise invalid_field(pointer, f"the environment has no workspace {name!r}")
    return state


def require_active(environment: str, name: str, state: State) -> None:
    """Nothing new happens to a workspace that expired or was destroyed."""
    if state != "active":
        raise Problem(workspace_not_active, f"The workspace {name!r} of {environment} {_BECAME[state]}")


def require_standing(environment: str, name: str, state: State) -> None:
    """Until it is destroyed, a workspace is there, expired or not."""
    if state == "destroyed":
        require_active(environment, name, state)


_BECAME = {"expired": "has expired", "destroyed": "was destroyed"}
