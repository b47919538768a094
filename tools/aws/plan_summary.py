"""What a saved plan would do, in a line."""

from collections import Counter
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Summary:
    """Resources that a plan adds, changes and destroys; one that is replaced is added and destroyed."""

    added: int
    changed: int
    destroyed: int

    @property
    def changes(self) -> bool:
        """Whether it does anything."""
        return bool(self.added or self.changed or self.destroyed)

    def __str__(self) -> str:
        return f"{self.added} to add, {self.changed} to change, {self.destroyed} to destroy"


def summary(plan: dict[str, Any]) -> Summary:
    """Of what `terraform show -json` says of a plan."""
    actions = Counter(
        action for resource in plan.get("resource_changes", []) for action in resource["change"]["actions"]
    )
    return Summary(actions["create"], actions["update"], actions["delete"])
