"""Who may change a workspace, or the routes that lead to it."""

from chalicelib.rest.operation import Call
from chalicelib.targets import rules
from chalicelib.targets.model import Maker


def require_may_change(call: Call, system: str, environment: str, name: str, made_by: Maker) -> None:
    """Refuse callers that may not change the workspace: problem 403.

    A pipeline changes what runs of its own repository made, if a publisher lets it; a maintainer changes any.
    """
    rules.require_own(system, name, made_by, rules.maker(call.principal), call.principal.role_in(system))
    call.require_publisher(system, "workspaces", environment)
