"""Rule 7 of docs/registry/rules.md, and the rights to change a workspace."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from chalicelib.rest.problems import Problem
from chalicelib.workspaces import rules
from chalicelib.workspaces.model import NewWorkspace, Workspace, WorkspaceChange

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)
DAY = timedelta(days=1)


def workspace(**fields: Any) -> Workspace:
    defaults: dict[str, Any] = {
        "id": "1",
        "system": "azul",
        "environment": "production",
        "name": "jane",
        "purpose": "personal",
        "owner": "jane",
        "reason": "To try an index",
        "base_url": None,
        "database": "empty",
        "state": "active",
        "expires_at": NOW + DAY,
        "destroyed_at": None,
        "created_at": NOW - DAY,
        "created_by": "jane",
    }
    return Workspace(**{**defaults, **fields})


def new(**fields: Any) -> NewWorkspace:
    defaults: dict[str, Any] = {
        "environment": "production",
        "name": "jane",
        "purpose": "personal",
        "reason": "To try an index",
        "expires_at": NOW + DAY,
    }
    return NewWorkspace(**{**defaults, **fields})


def pointers(problem: Problem) -> list[str]:
    return [fault.pointer for fault in problem.errors]


# The fields of a request.


@pytest.mark.parametrize("name", ["default", "a--b", "a-", "a-b-"])
def test_a_name_that_resources_cannot_have_is_refused(name: str) -> None:
    assert [fault.pointer for fault in new(name=name).faults()] == ["#/name"]


@pytest.mark.parametrize("name", ["a", "a-b-c", "pr-12", "default-2"])
def test_other_names_are_accepted(name: str) -> None:
    assert list(new(name=name).faults()) == []


@pytest.mark.parametrize("purpose", ["personal", "preview"])
def test_only_debug_workspaces_may_use_live_data(purpose: str) -> None:
    assert [fault.pointer for fault in new(purpose=purpose, database="live").faults()] == ["#/database"]
    assert list(new(purpose=purpose, database="clone").faults()) == []
    assert list(new(purpose="debug", database="live").faults()) == []


# The end of a workspace.


@pytest.mark.parametrize(("purpose", "most"), [("personal", 14), ("preview", 14), ("debug", 3)])
def test_the_purpose_limits_the_end_of_a_workspace(purpose: str, most: int) -> None:
    rules.require_end(purpose, NOW + most * DAY, NOW)

    with pytest.raises(Problem) as refusal:
        rules.require_end(purpose, NOW + most * DAY + SECOND, NOW)
    assert pointers(refusal.value) == ["#/expires_at"]


@pytest.mark.parametrize("expires_at", [NOW, NOW - SECOND])
def test_a_workspace_must_end_in_the_future(expires_at: datetime) -> None:
    with pytest.raises(Problem) as refusal:
        rules.require_end("personal", expires_at, NOW)
    assert pointers(refusal.value) == ["#/expires_at"]


def test_an_extension_needs_a_reason() -> None:
    with pytest.raises(Problem) as refusal:
        rules.require_change(workspace(), WorkspaceChange(expires_at=NOW + 2 * DAY), NOW)
    assert pointers(refusal.value) == ["#/reason"]

    rules.require_change(workspace(), WorkspaceChange(expires_at=NOW + 2 * DAY, reason="Not finished yet"), NOW)


def test_shortening_a_workspace_or_changing_another_field_needs_no_reason() -> None:
    for change in (
        WorkspaceChange(expires_at=NOW + SECOND),
        WorkspaceChange(expires_at=NOW + DAY),
        WorkspaceChange(base_url="https://jane.example.org"),
        WorkspaceChange(owner="joe"),
    ):
        rules.require_change(workspace(), change, NOW)


def test_the_limit_of_an_extension_counts_from_now() -> None:
    change = WorkspaceChange(expires_at=NOW + 14 * DAY + SECOND, reason="Not finished yet")

    with pytest.raises(Problem) as refusal:
        rules.require_change(workspace(expires_at=NOW + 13 * DAY), change, NOW)
    assert pointers(refusal.value) == ["#/expires_at"]


@pytest.mark.parametrize("state", ["expired", "destroyed"])
@pytest.mark.parametrize("change", [{"base_url": None}, {"expires_at": NOW + DAY, "reason": "Not finished yet"}])
def test_an_inactive_workspace_cannot_change(state: str, change: dict[str, Any]) -> None:
    with pytest.raises(Problem) as refusal:
        rules.require_change(workspace(state=state), WorkspaceChange(**change), NOW)
    assert refusal.value.type.slug == "workspace-not-active"
