"""Routes of clients for random requests. Workspace 1 has them."""

from tools.checks.fuzz import Fuzz, Record, ahead, always, often, sometimes
from tools.checks.fuzz.systems import SYSTEM
from tools.checks.fuzz.workspaces import BASE_URL

_SPARE = ("spare-0", "spare-1", "spare-2")
_UNTIL = ahead(days=1)  # before the workspace expires
_WORKSPACE = {"path.id": often("1")}

FUZZ = Fuzz(
    after=("workspaces",),
    records=tuple(
        Record(f"{SYSTEM}/workspaces/1/routes/{client}", {"until": _UNTIL, "base_url": BASE_URL}, method="PUT")
        for client in ("jane", *_SPARE)
    ),
    values={"path.client": often("jane"), "query.client": sometimes("jane"), "body.until": often(_UNTIL)},
    only={
        "set_route": {**_WORKSPACE, "body.base_url": often(BASE_URL)},
        "get_route": _WORKSPACE,
        "delete_route": {"path.id": always("1"), "path.client": always(*_SPARE)},
    },
    rules={("set_route", "#/until"): "the time must be in the future, and not after the workspace expires"},
    survivors={"list_routes": "the routes of a destroyed workspace can still be read"},
)
