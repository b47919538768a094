"""The endpoints of verifications: `/v1/systems/{system}/verifications` and the paths below."""

from chalice.app import Blueprint

from chalicelib.identity.roles import Role
from chalicelib.rest import paging, problems
from chalicelib.rest.call import Call
from chalicelib.rest.operation import operation
from chalicelib.rest.types import Page
from chalicelib.short_ids import store as short_ids
from chalicelib.short_ids.model import ambiguous_id
from chalicelib.systems import store as systems
from chalicelib.targets.model import workspace_not_active
from chalicelib.verifications import recording, store
from chalicelib.verifications.model import (
    NewVerification,
    Verification,
    VerificationQuery,
    deployment_not_current,
    too_many_suites,
)

blueprint = Blueprint(__name__)


@operation(blueprint, "GET /v1/systems/{system}/verifications", role=Role.viewer, raises=[ambiguous_id])
def list_verifications(call: Call, system: str, query: VerificationQuery) -> Page[Verification]:
    """List verifications, the last finished first."""
    filters = short_ids.with_full_ids(call.db, system, query)
    page = paging.page(call.address, query, store.ORDER, lambda **page: store.list_(call.db, system, filters, **page))
    return systems.page_of(call.db, system, page)


@operation(
    blueprint,
    "POST /v1/systems/{system}/verifications",
    role=Role.pipeline,
    status=201,
    existing_status=True,
    raises=[deployment_not_current, workspace_not_active, too_many_suites, problems.conflict],
)
def record_verification(call: Call, system: str, body: NewVerification) -> Verification:
    """Record the outcome of a test suite on a deployment.

    A repeated import gets the recorded verification with status 200.
    """
    return recording.record_verification(call, system, body)


@operation(blueprint, "GET /v1/systems/{system}/verifications/{id}", role=Role.viewer)
def get_verification(call: Call, system: str, id: str) -> Verification:  # noqa: A002
    """Read a verification."""
    return store.get(call.db, system, id)
