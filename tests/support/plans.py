"""Read the changes in a saved plan, without changes of attributes that the emulated account forgets."""

import json
from pathlib import Path
from typing import Any

# Attributes, by type of resource, that the emulated account forgets. Every later plan would set them again.
PHANTOMS = {
    "aws_vpc_security_group_egress_rule": {"description"},
    "aws_vpc_security_group_ingress_rule": {"description"},
}


def changes(checkout: Path, target: str) -> dict[str, list[str]]:
    """Return the actions, by address, that the last `make plan` or `make apply` of a checkout planned for a target."""
    plan = json.loads((checkout / ".local" / "plans" / f"{target}.json").read_text())
    return {each["address"]: each["change"]["actions"] for each in plan["resource_changes"] if not _is_none(each)}


def _is_none(resource: dict[str, Any]) -> bool:
    change = resource["change"]
    if change["actions"] == ["update"]:
        before, after = change["before"], change["after"]
        changed = {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}
        # A value that is known only after the apply is missing in `after`, so the attribute counts as changed.
        return changed <= PHANTOMS.get(resource["type"], set())
    return change["actions"] in (["no-op"], ["read"])
