"""`/v1/systems/{system}/artifacts/{artifact}`"""

from chalice.app import Blueprint

from chalicelib.artifacts import store
from chalicelib.artifacts.model import MOST, ArtifactHistory
from chalicelib.deployments import store as deployments
from chalicelib.deployments.model import DeploymentQuery
from chalicelib.identity.roles import Role
from chalicelib.promotions.model import Promotion
from chalicelib.promotions.rules import decide
from chalicelib.rest import problems
from chalicelib.rest.call import Call
from chalicelib.rest.operation import operation
from chalicelib.rest.problems import Problem
from chalicelib.systems import store as systems
from chalicelib.verifications import store as verifications
from chalicelib.verifications.model import VerificationQuery

blueprint = Blueprint(__name__)


@operation(blueprint, "GET /v1/systems/{system}/artifacts/{artifact}", role=Role.viewer)
def get_artifact(call: Call, system: str, artifact: str) -> ArtifactHistory:
    """Read an artifact's deployments and verifications, and which environments it may enter now."""
    known = store.gates(call.db, system, artifact)
    if known is None:
        raise systems.not_found(system)
    deployed = deployments.list_(call.db, system, DeploymentQuery(artifact=artifact), limit=MOST, after=None)
    verified = verifications.list_(call.db, system, VerificationQuery(artifact=artifact), limit=MOST, after=None)
    if not deployed and not verified:
        raise Problem(
            problems.not_found,
            f"The system {system!r} has no records of an artifact {artifact!r}. Check the artifact and the system.",
        )
    return ArtifactHistory(
        system=system,
        artifact=artifact,
        deployments=deployed,
        verifications=verified,
        decisions=[
            Promotion.unrecorded(artifact, gate.environment, decide(gate, known.at), known.at) for gate in known.gates
        ],
    )
