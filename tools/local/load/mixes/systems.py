"""People look at systems and their environments, and seldom change one."""

from tools.local.load.journeys import Caller, Journey

_SYSTEMS = "/v1/systems?limit=200"


def browse(caller: Caller) -> None:
    """Look at the list of systems, then at one of them. Ask for the list only if it has changed."""
    listed = caller.get(_SYSTEMS, caller.memory.get("etag", ""))
    caller.memory["etag"] = listed.etag
    caller.get(f"/v1/systems/{caller.system}")
    caller.get(f"/v1/systems/{caller.system}/environments")


def describe(caller: Caller) -> None:
    """Change a system's description."""
    path = f"/v1/systems/{caller.system}"
    number = caller.memory["number"] = caller.memory.get("number", 0) + 1
    caller.patch(path, {"description": f"Load tests, change {number}"}, caller.get(path).etag)


JOURNEYS = [
    Journey("browse", 600, 3, "viewer", browse),
    Journey("describe", 60, 2, "maintainer", describe, alone=True),
]
