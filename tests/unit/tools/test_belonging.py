"""A plan may change only what belongs to its target, whatever the target's state says."""

from typing import Any

import pytest

from chalicelib import NAME
from tools.aws.belonging import foreign


def tags(workspace: str, environment: str = "development", system: str = NAME) -> dict[str, Any]:
    return {"tags_all": {"system": system, "environment": environment, "workspace": workspace}}


def changes(before: dict[str, Any] | None, *actions: str) -> dict[str, Any]:
    return {"resource_changes": [{"address": "a.b", "change": {"before": before, "actions": [*actions]}}]}


@pytest.mark.parametrize(
    "before",
    [
        tags("d-fix-1"),
        tags("w-pr-8"),
        tags("default"),
        tags("w-pr-7", "preproduction"),
        tags("w-pr-7", system="other"),
        {"function_name": f"{NAME}-development-d-fix-1-api"},
        {"role": f"{NAME}-development-bootstrap"},
        {"bucket": f"{NAME}-development-w-pr-77"},
    ],
    ids=str,
)
def test_a_preview_may_not_destroy_what_belongs_to_another_target(before: dict[str, Any]) -> None:
    assert list(foreign(changes(before, "delete"), "development", "w-pr-7")) == ["a.b"]
    assert list(foreign(changes(before, "no-op"), "development", "w-pr-7")) == []


@pytest.mark.parametrize(
    "before",
    [tags("w-pr-7"), {"function_name": f"{NAME}-development-w-pr-7-api"}, {"name": "write"}, {"vpc_id": "vpc-1"}, None],
    ids=str,
)
def test_a_preview_may_destroy_its_own_resources(before: dict[str, Any] | None) -> None:
    assert list(foreign(changes(before, "delete"), "development", "w-pr-7")) == []


def test_an_environment_may_change_its_own_resources_but_not_those_of_its_workspaces() -> None:
    for name, found in (
        (f"{NAME}-development", []),
        (f"{NAME}-development-api", []),
        (f"{NAME}-development-w-a", ["a.b"]),
    ):
        assert list(foreign(changes({"name": name}, "update"), "development", "default")) == found
