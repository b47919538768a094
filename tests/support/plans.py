"""What a saved plan would change, without what the emulated account is known to forget."""

import json
from pathlib import Path
from typing import Any

# What a second plan changes because the emulated account forgets it: attributes by type.
PHANTOMS = {
    "aws_vpc_security_group_egress_rule": {"description"},
    "aws_vpc_security_group_ingress_rule": {"description"},
}


def changes(checkout: Path, target: str) -> dict[str, list[str]]:
    """What the plan that `make plan` or `make apply` made last in a checkout changes: actions by address."""
    plan = json.loads((checkout / ".local" / "plans" / f"{target}.json").read_text())
    return {each["address"]: each["change"]["actions"] for each in plan["resource_changes"] if not _is_none(each)}


def _is_none(resource: dict[str, Any]) -> bool:
    change = resource["change"]
    if change["actions"] == ["update"]:
        before, after = change["before"], change["after"]
        changed = {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}
        # A value that is known after the apply alone is missing, and so differs.
        return changed <= PHANTOMS.get(resource["type"], set())
    return change["actions"] in (["no-op"], ["read"])
