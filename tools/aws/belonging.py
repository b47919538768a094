"""Find resources of other targets in a plan.

The code of a preview writes the state of its workspace, and could name another target's resources there. The reaper and
people may change more than this code, so they must not destroy what such a state names.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from chalicelib import NAME

# Attributes that have the name of the resource, or of the resource that it is a part of.
_NAMES = ("alarm_name", "bucket", "cluster_identifier", "function_name", "identifier", "name", "role", "rule")


def foreign(plan: Mapping[str, Any], environment: str, workspace: str) -> Iterator[str]:
    """Yield the addresses of resources that a plan would change, but that belong to another target.

    `plan` is the output of `terraform show -json`. `workspace` is Terraform's. Tags tell whose a resource is. Names do
    too if the resource has no tags, but not for parts that only have the id of their whole.
    """
    tags = {"system": NAME, "environment": environment, "workspace": workspace}
    for each in plan.get("resource_changes", ()):
        before = each["change"].get("before")
        if not before or each["change"]["actions"] in (["no-op"], ["read"]):
            continue
        has = before.get("tags_all") or before.get("tags") or {}
        names = [before[name] for name in _NAMES if isinstance(before.get(name), str)]
        if any(has.get(key, value) != value for key, value in tags.items()) or any(
            name.startswith(f"{NAME}-") and not _is_of(name, environment, workspace) for name in names
        ):
            yield each["address"]


def _is_of(name: str, environment: str, workspace: str) -> bool:
    if workspace == "default":
        return re.match(rf"{re.escape(NAME)}-{environment}(?!-[wd]-)(-|$)", name) is not None
    return re.match(rf"{re.escape(NAME)}-{environment}-{re.escape(workspace)}(-|$)", name) is not None
