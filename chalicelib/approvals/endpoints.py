"""The endpoints of approvals: `/v1/systems/{system}/approvals` and the paths below."""

from chalice.app import Blueprint

from chalicelib.approvals import rules, store
from chalicelib.approvals.model import Approval, ApprovalQuery, NewApproval, Person, Withdrawal, approval_ended
from chalicelib.environments import store as environments
from chalicelib.identity.roles import Role
from chalicelib.rest import audit, paging, problems
from chalicelib.rest.call import Call
from chalicelib.rest.operation import operation
from chalicelib.rest.types import Page
from chalicelib.systems import store as systems
from chalicelib.targets.rules import require_kind

blueprint = Blueprint(__name__)


@operation(blueprint, "GET /v1/systems/{system}/approvals", role=Role.viewer)
def list_approvals(call: Call, system: str, query: ApprovalQuery) -> Page[Approval]:
    """List approvals, the newest first."""
    page = paging.page(call.address, query, store.ORDER, lambda **page: store.list_(call.db, system, query, **page))
    return systems.page_of(call.db, system, page)


@operation(
    blueprint,
    "POST /v1/systems/{system}/approvals",
    role=Role.maintainer,
    status=201,
    existing_status=True,
    raises=[problems.conflict],
)
def give_approval(call: Call, system: str, body: NewApproval) -> Approval:
    """Approve an artifact for an environment. Only people approve.

    If you have an active approval of the artifact there already, the answer is that approval, with status 200.
    """
    rules.require_person(by_run=call.principal.run is not None)
    systems.lock(call.db, system)
    facts = store.facts(call.db, system, body, call.principal)
    if facts is None:
        raise environments.not_found(system, body.environment)
    require_kind(body.artifact, facts.artifact_kind)
    rules.require_not_bad(facts)
    if facts.existing is not None:
        return call.existing(store.get(call.db, system, facts.existing))
    approval = store.insert(call.db, system, body, call.principal, facts)
    audit.record(call, f"{system}/approvals/{approval.id}", system=system, after=approval)
    return call.created(f"{call.address}/{approval.id}", approval)


@operation(blueprint, "GET /v1/systems/{system}/approvals/{id}", role=Role.viewer)
def get_approval(call: Call, system: str, id: str) -> Approval:  # noqa: A002
    """Read an approval."""
    return store.get(call.db, system, id)


@operation(
    blueprint,
    "POST /v1/systems/{system}/approvals/{id}/withdraw",
    role=Role.maintainer,
    raises=[approval_ended],
)
def withdraw_approval(call: Call, system: str, id: str, body: Withdrawal) -> Approval:  # noqa: A002
    """Withdraw an active approval. You may withdraw your own approval; an admin may withdraw any."""
    rules.require_person(by_run=call.principal.run is not None)
    systems.lock(call.db, system)
    before, giver = store.get_with_giver(call.db, system, id)
    caller = Person(issuer=call.principal.issuer, subject=call.principal.subject)
    rules.require_giver(before, giver, caller, call.principal.role_in(system))
    rules.require_active(before)
    after = store.withdraw(call.db, id, body.reason, call.principal.subject)
    audit.record(call, f"{system}/approvals/{id}", system=system, before=before, after=after)
    return after
