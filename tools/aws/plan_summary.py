"""Summarize a saved plan in one line."""

from collections import Counter
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Summary:
    """The numbers of resources that a plan adds, changes and destroys. A replaced resource is added and destroyed."""

    added: int
    changed: int
    destroyed: int

    @property
    def changes(self) -> bool:
        """True if the plan changes anything."""
        return bool(self.added or self.changed or self.destroyed)

    def __str__(self) -> str:
        return f"{self.added} to add, {self.changed} to change, {self.destroyed} to destroy"


def summary(plan: dict[str, Any]) -> Summary:
    """Summarize a plan, which is the output of `terraform show -json`."""
    actions = Counter(
        action for resource in plan.get("resource_changes", []) for action in resource["change"]["actions"]
    )
    return Summary(actions["create"], actions["update"], actions["delete"])
