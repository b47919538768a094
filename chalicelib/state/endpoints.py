"""The endpoint of the state: `/v1/systems/{system}/state`."""

from chalice.app import Blueprint

from chalicelib.identity.roles import Role
from chalicelib.rest.call import Call
from chalicelib.rest.operation import operation
from chalicelib.state import store
from chalicelib.state.model import SystemState
from chalicelib.systems import store as systems

blueprint = Blueprint(__name__)


@operation(blueprint, "GET /v1/systems/{system}/state", role=Role.viewer)
def get_state(call: Call, system: str) -> SystemState:
    """Read which artifact runs on each target of a system, and the artifact's verifications.

    Also read how far the target is behind the environment with the next lower rank, and where a rollback would go.
    """
    state = store.get(call.db, system)
    if state is None:
        raise systems.not_found(system)
    return state
