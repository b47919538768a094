"""The endpoint of one artifact's history: `/v1/systems/{system}/artifacts/{artifact}`."""

from chalice.app import Blueprint

from chalicelib.artifacts import store
from chalicelib.artifacts.model import MOST, MOST_BYTES, MOST_DECISIONS, ArtifactHistory
from chalicelib.artifacts.rules import decisions
from chalicelib.deployments import store as deployments
from chalicelib.deployments.model import DeploymentQuery
from chalicelib.identity.roles import Role
from chalicelib.rest import problems
from chalicelib.rest.call import Call
from chalicelib.rest.operation import operation
from chalicelib.rest.paging import cut
from chalicelib.rest.problems import Problem
from chalicelib.short_ids import store as short_ids
from chalicelib.short_ids.model import ambiguous_id
from chalicelib.systems import store as systems
from chalicelib.verifications import store as verifications
from chalicelib.verifications.model import VerificationQuery
from chalicelib.vocabulary import ShortArtifact

blueprint = Blueprint(__name__)


@operation(blueprint, "GET /v1/systems/{system}/artifacts/{artifact}", role=Role.viewer, raises=[ambiguous_id])
def get_artifact(call: Call, system: str, artifact: ShortArtifact) -> ArtifactHistory:
    """Read an artifact's deployments and verifications, and which environments it may enter now."""
    artifact = short_ids.full_artifact(call.db, system, artifact)
    known = store.gates(call.db, system, artifact, limit=MOST_DECISIONS + 1)
    if known is None:
        raise systems.not_found(system)
    deployed = deployments.list_(call.db, system, DeploymentQuery(artifact=artifact), limit=MOST + 1, after=None)
    verified = verifications.list_(call.db, system, VerificationQuery(artifact=artifact), limit=MOST + 1, after=None)
    if not deployed and not verified:
        raise Problem(
            problems.not_found,
            f"The system {system!r} has no records of the artifact {artifact!r}. Check the artifact and the system.",
        )
    deployed, more_deployments = cut(deployed, MOST, MOST_BYTES)
    verified, more_verifications = cut(verified, MOST, MOST_BYTES)
    decided, more_decisions = cut([*decisions(known, artifact)], MOST_DECISIONS, MOST_BYTES)
    return ArtifactHistory(
        system=system,
        artifact=artifact,
        deployments=deployed,
        more_deployments=more_deployments,
        verifications=verified,
        more_verifications=more_verifications,
        decisions=decided,
        more_decisions=more_decisions,
    )
