"""Read the changes in a saved plan."""

import json
from pathlib import Path


def changes(checkout: Path, target: str) -> dict[str, list[str]]:
    """Return the actions, by address, that the last `make plan` or `make apply` of a checkout planned for a target."""
    plan = json.loads((checkout / ".local" / "plans" / f"{target}.json").read_text())
    found = {each["address"]: each["change"]["actions"] for each in plan["resource_changes"]}
    return {address: actions for address, actions in found.items() if actions not in (["no-op"], ["read"])}
