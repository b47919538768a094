"""Workspaces for random requests. Requests may destroy only the last three."""

from tools.checks.fuzz import Fuzz, Record, ahead, always, often
from tools.checks.fuzz.environments import WORKSPACE_HOST
from tools.checks.fuzz.systems import SYSTEM

BASE_URL = f"https://{WORKSPACE_HOST}"

# Debug workspaces live at most three days.
_WORKSPACE = {
    "environment": "development",
    "purpose": "debug",
    "reason": "Data for the requests",
    "base_url": BASE_URL,
    "expires_at": ahead(days=2),
}

FUZZ = Fuzz(
    after=("environments",),
    records=tuple(Record(f"{SYSTEM}/workspaces", {**_WORKSPACE, "name": f"workspace-{number}"}) for number in range(6)),
    values={"body.workspace": often("default"), "body.expires_at": often(ahead(days=1))},
    only={"destroy_workspace": {"path.id": always("4", "5", "6")}},
    rules={
        ("list_workspaces", "#/expires_before"): "the time in UTC must be in the years 1 to 9999",
        ("create_workspace", "#/name"): "the name must fit into names of AWS resources, and must not be `default`",
        ("create_workspace", "#/database"): "only debug workspaces may use live data",
        ("create_workspace", "#/expires_at"): "the time must be in the future, and not too late",
        ("change_workspace", "#/expires_at"): "the time must be in the future, and not too late",
        ("change_workspace", "#/reason"): "an extension must have a reason",
    },
    survivors={"get_workspace": "a destroyed workspace can still be read"},
)
