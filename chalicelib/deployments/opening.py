"""Open a deployment: ask the gate, take the target, and hold it for the lease."""

from datetime import datetime, timedelta

from chalicelib.approvals.model import Person
from chalicelib.deployments import leases, rules, store
from chalicelib.deployments.model import DEPLOYMENTS, LEASE_EXPIRIES, Deployment, NewDeployment
from chalicelib.environments import store as environments
from chalicelib.promotions import store as promotions
from chalicelib.promotions.model import Decision, promotion_denied
from chalicelib.rest import audit
from chalicelib.rest.admission import require_publisher, require_role
from chalicelib.rest.call import Call
from chalicelib.rest.problems import Problem
from chalicelib.systems import store as systems
from chalicelib.targets.rules import require_kind


def open_deployment(call: Call, system: str, new: NewDeployment) -> Deployment | Problem:
    """Open a deployment, or import a finished one.

    If the deployment is refused, return the problem: raising it would roll back the recorded decision. A repeated
    import gets the recorded deployment. So does a repeated request by the same attempt of a run.
    """
    require_role(call, rules.role_to_open(new), system)
    permits = require_publisher(call, system, "deployments", new.environment)
    rules.require_revision(new, permits, call.principal.run.sha if call.principal.run else None)

    systems.lock(call.db, system)
    leases.lapse_of_target(call.db, system, new.environment, new.workspace, call.id)
    if not new.imported and call.principal.run is not None:
        leases.supersede(call.db, system, new.environment, new.workspace, call.principal, call.id)
    facts = store.opening_facts(call.db, system, new, call.principal)
    if facts is None:
        raise environments.not_found(system, new.environment)
    call.count(LEASE_EXPIRIES, facts.lapsed)
    call.count(DEPLOYMENTS, facts.lapsed + facts.superseded, of="cancelled")
    if facts.recorded is not None:
        rules.require_same_import(new, facts.recorded)
        return call.existing(store.get(call.db, system, facts.recorded.id))
    rules.require_target(new, facts)
    require_kind(new.artifact, facts.artifact_kind)

    decision = None
    if new.imported:
        times = {"started_at": new.started_at, "finished_at": new.finished_at}
        rules.require_past(facts.at, may_differ=timedelta(), **times)
        rules.require_before_recorded(new.finished_at, facts.recorded_from)
    else:
        rules.require_former(new, facts)
        opener = Person(issuer=call.principal.issuer, subject=call.principal.subject)
        decision = rules.decision(new, facts, opener)
        rules.require_right_to_override(new, facts, call.principal.role_in(system))
        if decision and (refusal := rules.refusal(new, facts, decision)):
            if refusal.type is promotion_denied:
                _record_denial(call, system, new, decision, facts.at)
            return refusal
        rules.require_free(facts)

    if new.kind == "rollback" and decision and not decision.blockers:
        decision = None  # the gate was not asked, so there is nothing to record
    deployment = store.insert(call.db, system, new, call.principal, facts=facts, decision=decision)
    action = "deployment.import" if new.imported else None
    audit.record(call, f"{system}/deployments/{deployment.id}", action=action, system=system, after=deployment)
    call.samples += decision.samples if decision else ()
    return call.created(f"{call.address}/{deployment.id}", deployment)


def _record_denial(call: Call, system: str, new: NewDeployment, decision: Decision, at: datetime) -> None:
    denied = promotions.insert(call.db, system, new.environment, new.artifact, decision, at, call.principal)
    audit.record(call, f"{system}/promotions/{denied.id}", action="promotion.decide", system=system, after=denied)
    call.samples += decision.samples
