"""The endpoints of deployments: `/v1/systems/{system}/deployments` and the paths below."""

from chalice.app import Blueprint

from chalicelib.deployments import opening, rules, store
from chalicelib.deployments.model import (
    DEPLOYMENTS,
    Deployment,
    DeploymentQuery,
    NewDeployment,
    NewStatus,
    Status,
    deployment_final,
    lease_expired,
    rollback_refused,
    target_busy,
)
from chalicelib.identity.roles import Role
from chalicelib.promotions.model import promotion_denied
from chalicelib.rest import audit, paging, problems
from chalicelib.rest.admission import require_publisher
from chalicelib.rest.call import Call
from chalicelib.rest.operation import operation
from chalicelib.rest.problems import Problem
from chalicelib.rest.types import Page, PageQuery
from chalicelib.short_ids import store as short_ids
from chalicelib.short_ids.model import ambiguous_id
from chalicelib.systems import store as systems
from chalicelib.targets.changing import maker
from chalicelib.targets.model import workspace_not_active

blueprint = Blueprint(__name__)


@operation(blueprint, "GET /v1/systems/{system}/deployments", role=Role.viewer, raises=[ambiguous_id])
def list_deployments(call: Call, system: str, query: DeploymentQuery) -> Page[Deployment]:
    """List deployments, the newest first."""
    filters = short_ids.with_full_ids(call.db, system, query)
    page = paging.page(call.address, query, store.ORDER, lambda **page: store.list_(call.db, system, filters, **page))
    return systems.page_of(call.db, system, page)


@operation(
    blueprint,
    "POST /v1/systems/{system}/deployments",
    role=Role.pipeline,
    status=201,
    existing_status=True,
    raises=[promotion_denied, target_busy, rollback_refused, workspace_not_active, problems.conflict],
)
def open_deployment(call: Call, system: str, body: NewDeployment) -> Deployment | Problem:
    """Open a deployment, which holds its target until it finishes or its lease expires.

    A rollout or hotfix to the workspace `default` needs a grant of the gate. A repeated import gets the recorded
    deployment with status 200. So does a repeated request by the same attempt of a pipeline's run, unless another
    deployment to the target has begun since.
    """
    return opening.open_deployment(call, system, body)


@operation(blueprint, "GET /v1/systems/{system}/deployments/{id}", role=Role.viewer)
def get_deployment(call: Call, system: str, id: str) -> Deployment:  # noqa: A002
    """Read a deployment. If its lease expired before it finished, its state is `cancelled`."""
    return store.get(call.db, system, id)


@operation(blueprint, "GET /v1/systems/{system}/deployments/{id}/statuses", role=Role.viewer)
def list_statuses(call: Call, system: str, id: str, query: PageQuery) -> Page[Status]:  # noqa: A002
    """List the statuses of a deployment, the newest first."""
    store.get(call.db, system, id)
    return paging.page(
        call.address, query, store.STATUS_ORDER, lambda **page: store.list_statuses(call.db, system, id, **page)
    )


@operation(
    blueprint,
    "POST /v1/systems/{system}/deployments/{id}/statuses",
    role=Role.pipeline,
    status=201,
    raises=[deployment_final, lease_expired],
)
def add_status(call: Call, system: str, id: str, body: NewStatus) -> Status:  # noqa: A002
    """Record the progress of a deployment: renew its lease, or finish the deployment.

    A pipeline may do this for deployments that runs of its own repository opened, and a maintainer for any deployment.
    """
    systems.lock(call.db, system)
    deployment, opener, at = store.get_to_change(call.db, system, id)
    rules.require_right_to_continue(id, opener, maker(call.principal), call.principal.role_in(system))
    require_publisher(call, system, "deployments", deployment.environment)
    rules.require_open(deployment, at)
    status = store.add_status(call.db, id, body, call.principal.subject, at)
    audit.record(
        call,
        f"{system}/deployments/{id}",
        system=system,
        before={"state": deployment.state, "detail": deployment.detail},
        after={"state": status.state, "detail": status.detail},
    )
    if status.state != "in_progress":
        call.count(DEPLOYMENTS, of=status.state)
    return status
