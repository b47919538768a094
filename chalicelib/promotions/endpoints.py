"""The endpoints of promotions: `/v1/systems/{system}/promotions`."""

from chalice.app import Blueprint

from chalicelib.environments import store as environments
from chalicelib.identity.roles import Role
from chalicelib.promotions import store
from chalicelib.promotions.model import NewPromotion, Promotion, PromotionQuery
from chalicelib.promotions.rules import decide, moment_of, role_to_decide
from chalicelib.rest import audit, paging
from chalicelib.rest.admission import require_publisher, require_role
from chalicelib.rest.call import Call
from chalicelib.rest.operation import operation
from chalicelib.rest.types import Page
from chalicelib.short_ids import store as short_ids
from chalicelib.short_ids.model import ambiguous_id
from chalicelib.systems import store as systems
from chalicelib.targets.rules import require_kind

blueprint = Blueprint(__name__)


@operation(blueprint, "GET /v1/systems/{system}/promotions", role=Role.viewer, raises=[ambiguous_id])
def list_promotions(call: Call, system: str, query: PromotionQuery) -> Page[Promotion]:
    """List the recorded decisions, the newest first."""
    filters = short_ids.with_full_ids(call.db, system, query)
    page = paging.page(call.address, query, store.ORDER, lambda **page: store.list_(call.db, system, filters, **page))
    return systems.page_of(call.db, system, page)


@operation(blueprint, "POST /v1/systems/{system}/promotions", role=Role.viewer)
def decide_promotion(call: Call, system: str, body: NewPromotion) -> Promotion:
    """Decide whether an artifact may enter an environment.

    Without `dry_run`, the service records the decision. Recording takes the role pipeline. A pipeline also needs a
    publisher for deployments. A grant reserves nothing: opening a deployment asks the gate again.
    """
    require_role(call, role_to_decide(dry_run=body.dry_run), system)
    if not body.dry_run:
        require_publisher(call, system, "deployments", body.environment)
        systems.lock(call.db, system)
    facts = store.facts(call.db, system, body.environment, body.artifact)
    if facts is None:
        raise environments.not_found(system, body.environment)
    require_kind(body.artifact, facts.artifact_kind)
    at = moment_of(body, facts.at)
    decision = decide(facts.gate, at)
    if body.dry_run:
        return Promotion.unrecorded(body.artifact, body.environment, decision, at)
    promotion = store.insert(call.db, system, body.environment, body.artifact, decision, facts.at, call.principal)
    audit.record(call, f"{system}/promotions/{promotion.id}", system=system, after=promotion)
    call.samples += decision.samples
    return promotion
