"""`/v1/systems/{system}/deployments`"""

from chalice.app import Blueprint

from chalicelib.deployments import rules, store
from chalicelib.deployments.model import (
    Deployment,
    DeploymentQuery,
    NewDeployment,
    NewStatus,
    OpeningFacts,
    Status,
    deployment_final,
    lease_expired,
    rollback_refused,
    target_busy,
)
from chalicelib.environments import store as environments
from chalicelib.identity.roles import Role
from chalicelib.promotions import store as promotions
from chalicelib.promotions.model import Decision, promotion_denied
from chalicelib.rest.operation import Call, operation
from chalicelib.rest.problems import Problem
from chalicelib.rest.types import Page, PageQuery
from chalicelib.systems import store as systems
from chalicelib.systems.rules import require_kind
from chalicelib.targets.model import workspace_not_active

blueprint = Blueprint(__name__)


@operation(blueprint, "GET /v1/systems/{system}/deployments", role=Role.viewer)
def list_deployments(call: Call, system: str, query: DeploymentQuery) -> Page[Deployment]:
    """List deployments, the newest first."""
    page = call.page(query, store.ORDER, lambda **page: store.list_(call.db, system, query, **page))
    return systems.page_of(call.db, system, page)


@operation(
    blueprint,
    "POST /v1/systems/{system}/deployments",
    role=Role.pipeline,
    status=201,
    existing_status=True,
    raises=[promotion_denied, target_busy, rollback_refused, workspace_not_active],
)
def open_deployment(call: Call, system: str, body: NewDeployment) -> Deployment:
    """Open a deployment: ask the gate, take the target, and hold it for the lease.

    A retried run of a pipeline, and a repeated import, get what is there, with status 200.
    """
    call.require(rules.role_to_open(body), system)
    permits = call.require_publisher(system, "deployments", body.environment)
    rules.require_revision(body, permits, call.principal.run.sha if call.principal.run else None)
    systems.lock(call.db, system)
    store.sweep_target(call.db, system, body.environment, body.workspace, call.id)
    facts = store.opening_facts(call.db, system, body, call.principal)
    if facts is None:
        raise environments.not_found(system, body.environment)
    if facts.recorded_id is not None:
        return call.existing(store.get(call.db, system, facts.recorded_id))
    rules.require_target(body, facts)
    require_kind(body.artifact, facts.artifact_kind)
    decision = None if body.imported else admit(call, system, body, facts)
    rules.require_past(facts.at, started_at=body.started_at, finished_at=body.finished_at)
    deployment = store.insert(call.db, system, body, call.principal, at=facts.at, decision=decision)
    action = "deployment.import" if body.imported else None
    call.record(f"{system}/deployments/{deployment.id}", action=action, system=system, after=deployment)
    return call.created(f"{call.address}/{deployment.id}", deployment)


def admit(call: Call, system: str, body: NewDeployment, facts: OpeningFacts) -> Decision | None:
    """The gate's decision, if it lets the deployment in; else a problem. A denial stays on record."""
    rules.require_good_rollback(body, facts)
    decision = rules.gate_decision(body, facts)
    try:
        rules.require_permission(body, decision)
    except Problem:
        assert decision is not None
        promotion = promotions.insert(
            call.db, system, body.environment, body.artifact, decision, facts.at, call.principal
        )
        call.record(f"{system}/promotions/{promotion.id}", action="promotion.decide", system=system, after=promotion)
        raise
    rules.require_free(facts)
    return decision


@operation(blueprint, "GET /v1/systems/{system}/deployments/{id}", role=Role.viewer)
def get_deployment(call: Call, system: str, id: str) -> Deployment:  # noqa: A002
    """Read a deployment. One whose lease has run out reads as cancelled."""
    return store.get(call.db, system, id)


@operation(blueprint, "GET /v1/systems/{system}/deployments/{id}/statuses", role=Role.viewer)
def list_statuses(call: Call, system: str, id: str, query: PageQuery) -> Page[Status]:  # noqa: A002
    """List the statuses of a deployment, the newest first."""
    store.get(call.db, system, id)
    return call.page(query, store.STATUS_ORDER, lambda **page: store.list_statuses(call.db, system, id, **page))


@operation(
    blueprint,
    "POST /v1/systems/{system}/deployments/{id}/statuses",
    role=Role.pipeline,
    status=201,
    raises=[deployment_final, lease_expired],
)
def add_status(call: Call, system: str, id: str, body: NewStatus) -> Status:  # noqa: A002
    """Tell how a deployment goes on: renew its lease, or finish it."""
    systems.lock(call.db, system)
    deployment, at = store.get_with_time(call.db, system, id)
    call.require_publisher(system, "deployments", deployment.environment)
    rules.require_open(deployment, at)
    status = store.add_status(call.db, id, body, call.principal.subject, at)
    call.record(
        f"{system}/deployments/{id}",
        system=system,
        before={"state": deployment.state, "detail": deployment.detail},
        after={"state": status.state, "detail": status.detail},
    )
    return status
