"""The targets and artifacts that a request may name, and the right to change a workspace."""

from chalicelib.identity.roles import Role
from chalicelib.rest import problems
from chalicelib.rest.problems import Problem, invalid_field
from chalicelib.targets.model import Maker, WorkspaceState, workspace_not_active


def require_kind(artifact: str, kind: str) -> None:
    """Raise problem 422 unless the artifact is of the one kind that the system uses."""
    if artifact.partition(":")[0] != kind:
        raise invalid_field("#/artifact", f"is not of the system's kind: send an artifact that starts with `{kind}:`")


def require_known(name: str, state: WorkspaceState | None) -> WorkspaceState:
    """Return the state of a workspace. Refuse a name that no workspace of the environment has or had."""
    if state is None:
        raise invalid_field("#/workspace", f"the environment has no workspace {name!r}: create it first")
    return state


def require_active(environment: str, name: str, state: WorkspaceState) -> None:
    """Refuse anything new for a workspace that expired or was destroyed."""
    if state != "active":
        raise Problem(
            workspace_not_active, f"The workspace {name!r} of {environment} {_BECAME[state]}: create another workspace"
        )


def require_standing(environment: str, name: str, state: WorkspaceState) -> None:
    """Refuse a workspace that was destroyed. Accept an expired workspace, which may still have its resources."""
    if state == "destroyed":
        require_active(environment, name, state)


def is_same(made_by: Maker, asking: Maker) -> bool:
    """True if the caller made the record. All runs of one repository count as the same maker, on any branch."""
    if made_by.issuer != asking.issuer:
        return False
    if asking.repository_id is not None:
        return made_by.repository_id == asking.repository_id
    return made_by.repository_id is None and made_by.subject == asking.subject


def require_own(system: str, name: str, made_by: Maker, asking: Maker, role: Role) -> None:
    """A pipeline may change the workspaces that it made. A maintainer may change every workspace of the system."""
    if role < Role.maintainer and not is_same(made_by, asking):
        raise Problem(
            problems.forbidden,
            f"{asking.subject!r} did not make the workspace {name!r}: ask the maker, {made_by.subject!r}, or a "
            f"maintainer of {system!r}",
        )


_BECAME = {"expired": "has expired", "destroyed": "was destroyed"}
