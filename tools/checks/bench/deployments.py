"""The benchmark of deployments, and of the records that decide about them."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import unquote

import msgspec
from chalice.app import Response

from chalicelib.approvals.model import Person
from chalicelib.deployments import rules
from chalicelib.deployments.model import Deployment, DeploymentQuery, NewDeployment, OpeningFacts
from chalicelib.identity.roles import Role
from chalicelib.promotions.store import recorded
from chalicelib.rest.types import Page
from chalicelib.targets.rules import require_kind
from tools.checks.bench.bare import Bare
from tools.checks.bench.packages import Bench, Sent
from tools.checks.bench.service import PAGE, SYSTEMS, asked
from tools.checks.bench.service import event as event_of
from tools.local.gateway_event import Event

SYSTEM = "shop"
ENVIRONMENTS = "/v1/systems/{system}/environments"
DEPLOYMENTS = "/v1/systems/{system}/deployments"
DEPLOYMENT = "/v1/systems/{system}/deployments/{id}"
STATUSES = "/v1/systems/{system}/deployments/{id}/statuses"
STATE = "/v1/systems/{system}/state"
METRICS = "/v1/systems/{system}/metrics"
VERIFICATIONS = "/v1/systems/{system}/verifications"


def prepare() -> None:
    """Create a system with two environments, a full page of deployments, and a verified artifact to promote."""
    asked(event(f"POST {SYSTEMS}", {"key": SYSTEM, "name": "Shop"}, role="admin"))
    for rank, name in enumerate(("development", "production"), start=1):
        body = {"name": name, "rank": rank, "production": name == "production", "required_suites": ["acceptance"]}
        asked(event(f"POST {ENVIRONMENTS}", body, role="admin"))
    start = datetime.now(UTC).replace(microsecond=0) - timedelta(days=1)
    for number in range(PAGE - 1):
        moment = (start + timedelta(minutes=number)).isoformat()
        past = {
            **a_deployment("development", number),
            "imported": True,
            "state": "succeeded",
            "started_at": moment,
            "finished_at": moment,
        }
        asked(event(f"POST {DEPLOYMENTS}", past, role="admin"))
    opened = asked(event(f"POST {DEPLOYMENTS}", a_deployment("development", PAGE)))
    asked(event(f"POST {STATUSES}", {"state": "succeeded"}, id=opened["id"]))
    asked(event(f"POST {VERIFICATIONS}", a_verification(opened["id"])))


def views(bare: Bare) -> None:
    @bare.app.route("/v1/systems/{system}/deployments/{id}")
    def get_deployment(system: str, id: str) -> Response:  # noqa: A002
        system, id = unquote(system), unquote(id)  # noqa: A001 (API Gateway does not decode path parameters)
        bare.require(Role.viewer, system)
        names, [row] = bare.query(system=system, id=int(id))
        found = dict(zip(names, row, strict=True))
        del found["at"], found["issuer"], found["repository_id"]
        return bare.answer(Deployment(**found), 200, **{"Cache-Control": "private, no-cache"})

    @bare.app.route("/v1/systems/{system}/deployments")
    def list_deployments(system: str) -> Response:
        system = unquote(system)
        bare.require(Role.viewer, system)
        given = bare.request.query_params or {}
        filters = msgspec.convert(dict(given), DeploymentQuery, strict=False)
        names, found = bare.query(
            system=system,
            environment=filters.environment,
            workspace=filters.workspace,
            artifact=filters.artifact,
            revision=filters.revision,
            kind=filters.kind,
            state=filters.state,
            after=filters.from_,
            before=filters.to,
            limit=filters.limit + 1,
        )
        deployments = [Deployment(**dict(zip(names, row, strict=True))) for row in found]
        if len(deployments) > filters.limit:
            raise NotImplementedError
        return bare.answer(Page(items=deployments, next=None), 200, **{"Cache-Control": "private, no-cache"})

    @bare.app.route("/v1/systems/{system}/deployments", methods=["POST"])
    def open_deployment(system: str) -> Response:
        system = unquote(system)
        body = msgspec.json.decode(bare.request.raw_body, type=NewDeployment)
        claims = bare.require(rules.role_to_open(body), system)
        if any(body.faults()):
            raise ValueError
        names, [row] = bare.query(
            system=system,
            environment=body.environment,
            workspace=body.workspace,
            artifact=body.artifact,
            kind=body.kind,
            issuer=claims.iss,
            repository_id=None,
            run_id=claims.run_id,
            run_attempt=claims.run_attempt,
        )
        facts = msgspec.convert(dict(zip(names, row, strict=True)), OpeningFacts)
        rules.require_target(body, facts)
        require_kind(body.artifact, facts.artifact_kind)
        rules.require_former(body, facts)
        decision = rules.decision(body, facts, Person(issuer=claims.iss, subject=claims.sub))
        assert not (decision and rules.refusal(body, facts, decision))
        rules.require_free(facts)
        names, [row] = bare.query(
            system=system,
            environment=body.environment,
            workspace=body.workspace,
            artifact=body.artifact,
            revision=body.revision,
            kind=body.kind,
            state="in_progress",
            run_url=body.run_url,
            override_reason=body.override_reason,
            overridden=None,
            **recorded(decision),
            at=facts.at,
            commit_count=len(body.commits),
            commits=msgspec.json.encode(body.commits).decode(),
            lease_seconds=body.lease_seconds,
            lease_expires_at=facts.at + timedelta(seconds=body.lease_seconds),
            issuer=claims.iss,
            created_by=claims.sub,
            repository_id=None,
            run_id=claims.run_id,
            run_attempt=claims.run_attempt,
            run_sha=claims.sha,
            run_actor=claims.actor,
        )
        deployment = Deployment(**dict(zip(names, row, strict=True)))
        bare.audit(claims, "deployment.open", system, f"deployments/{deployment.id}", deployment)
        address = f"/v1/systems/{system}/deployments/{deployment.id}"
        return bare.answer(deployment, 201, **{"Cache-Control": "no-store", "Location": address})


def timed() -> Iterator[Sent]:
    listing = _listing()
    yield Sent("GET one deployment", event(f"GET {DEPLOYMENT}", id=_newest(listing)), 1.7)
    yield Sent(f"GET a list of {PAGE} deployments", listing, 1.7)
    # The service's log line also has the decision's metrics. The view's line has none.
    yield Sent("POST a deployment", event(f"POST {DEPLOYMENTS}", a_deployment("production", PAGE)), 2.4)


def counted() -> Iterator[Sent]:
    listing = _listing()
    yield Sent("GET one deployment", event(f"GET {DEPLOYMENT}", id=_newest(listing)), 1)
    yield Sent(f"GET a list of {PAGE} deployments", listing)
    yield Sent("GET the state", event(f"GET {STATE}"))
    yield Sent("GET the metrics", event(f"GET {METRICS}"), 1)
    opening = event(f"POST {DEPLOYMENTS}", a_deployment("development", PAGE + 1), key="opening")
    yield Sent("POST a deployment, with a key", opening, 4)
    opened = asked(opening)["id"]
    yield Sent("POST a status", event(f"POST {STATUSES}", {"state": "succeeded"}, id=opened))
    recording = event(f"POST {VERIFICATIONS}", a_verification(opened), key="recording")
    yield Sent("POST a verification, with a key", recording, 4)


def a_deployment(environment: str, number: int) -> dict[str, Any]:
    """Return the body with which a pipeline opens a deployment."""
    commits = [{"sha": f"{number * 10 + nth:040x}", "authored_at": "2026-03-01T12:00:00Z"} for nth in range(3)]
    return {
        "environment": environment,
        "artifact": f"tree:{number:040x}",
        "revision": f"{number:040x}",
        "commits": commits,
        "run_url": f"https://github.com/example/shop/actions/runs/{number}/attempts/1",
    }


def a_verification(deployment: str) -> dict[str, Any]:
    """Return the body that records a verification of a deployment."""
    return {
        "deployment": deployment,
        "suite": "acceptance",
        "trigger": "deployment",
        "outcome": "success",
        "passed": 120,
        "run_url": "https://github.com/example/shop/actions/runs/4711/attempts/1",
    }


def _listing() -> Event:
    return event(f"GET {DEPLOYMENTS}", query={"limit": str(PAGE)})


def event(route: str, body: Any = None, **given: Any) -> Event:
    """Return the event for a request about SYSTEM."""
    return event_of(route, body, system=SYSTEM, **given)


def _newest(listing: Event) -> str:
    return str(asked(listing)["items"][0]["id"])


BENCH = Bench(prepare, views, timed, counted)
