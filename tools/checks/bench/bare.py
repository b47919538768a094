"""Three endpoints of the service as plain Chalice views, written by hand only for speed.

The views get the rows that PostgreSQL gave to the service, and give the same answers, byte for byte. The views check
roles, parameters and bodies, ask the gate, set every header, and prepare the values of statements. They send no
statement. They leave out everything that these three requests do not need. Examples are problem details, conditional
requests, a check for duplicate keys, and a cursor to the next page.
"""

import hashlib
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import unquote

import msgspec
from chalice.app import Chalice, Response

from chalicelib.database.connection import Rows
from chalicelib.deployments import rules
from chalicelib.deployments.model import Deployment, DeploymentQuery, NewDeployment, OpeningFacts
from chalicelib.identity.roles import Role
from chalicelib.rest.types import Page
from chalicelib.targets.rules import require_kind


class Claims(msgspec.Struct):
    iss: str
    sub: str
    exp: float
    role: str
    systems: list[str] = []
    run_id: str | None = None
    run_attempt: str = "1"
    sha: str | None = None
    actor: str | None = None


def application(query: Callable[..., Rows], issuer: str) -> Chalice:
    """Return an app with the three views. `query` takes a statement's values, and returns the statement's rows."""
    app = Chalice(app_name="bare")
    asked: Any = app  # in a view `current_request` is never None, but Chalice's type allows None
    app.api.binary_types = []

    def require(role: Role, system: str) -> Claims:
        claims = msgspec.json.decode(asked.current_request.context["authorizer"]["claims"], type=Claims)
        if claims.iss != issuer or claims.exp <= time.time():
            raise PermissionError
        if Role[claims.role] < role or (role > Role.viewer and system not in claims.systems):
            raise PermissionError
        return claims

    def answer(value: Any, status: int, **headers: str) -> Response:
        body = msgspec.json.encode(value)
        return Response(
            body.decode(),
            headers={
                "Content-Type": "application/json",
                "X-Request-Id": asked.current_request.context["requestId"],
                "X-Content-Type-Options": "nosniff",
                "ETag": f'"{hashlib.sha256(body).hexdigest()[:24]}"',
                **headers,
            },
            status_code=status,
        )

    @app.route("/v1/systems/{system}/deployments/{id}")
    def get_deployment(system: str, id: str) -> Response:  # noqa: A002
        system, id = unquote(system), unquote(id)  # noqa: A001 (API Gateway does not decode path parameters)
        require(Role.viewer, system)
        names, [row] = query(system=system, id=int(id))
        found = dict(zip(names, row, strict=True))
        del found["at"]
        return answer(Deployment(**found), 200, **{"Cache-Control": "private, no-cache"})

    @app.route("/v1/systems/{system}/deployments")
    def list_deployments(system: str) -> Response:
        system = unquote(system)
        require(Role.viewer, system)
        given = asked.current_request.query_params or {}
        filters = msgspec.convert(dict(given), DeploymentQuery, strict=False)
        names, found = query(
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
        return answer(Page(items=deployments, next=None), 200, **{"Cache-Control": "private, no-cache"})

    @app.route("/v1/systems/{system}/deployments", methods=["POST"])
    def open_deployment(system: str) -> Response:
        system = unquote(system)
        body = msgspec.json.decode(asked.current_request.raw_body, type=NewDeployment)
        claims = require(rules.role_to_open(body), system)
        if any(body.faults()):
            raise ValueError
        names, [row] = query(
            system=system,
            environment=body.environment,
            workspace=body.workspace,
            artifact=body.artifact,
            kind=body.kind,
            issuer=claims.iss,
            run_id=claims.run_id,
            run_attempt=claims.run_attempt,
        )
        facts = msgspec.convert(dict(zip(names, row, strict=True)), OpeningFacts)
        rules.require_target(body, facts)
        require_kind(body.artifact, facts.artifact_kind)
        rules.require_good_rollback(body, facts)
        decision = rules.gate_decision(body, facts)
        assert not (decision and rules.denial(body, decision))
        rules.require_free(facts)
        names, [row] = query(
            system=system,
            environment=body.environment,
            workspace=body.workspace,
            artifact=body.artifact,
            revision=body.revision,
            kind=body.kind,
            state="in_progress",
            run_url=body.run_url,
            override_reason=body.override_reason,
            decision=decision.word if decision else None,
            blockers=msgspec.json.encode(decision.blockers).decode() if decision else None,
            at=facts.at,
            commit_count=len(body.commits),
            commits=msgspec.json.encode(body.commits).decode(),
            lease_seconds=body.lease_seconds,
            lease_expires_at=facts.at + timedelta(seconds=body.lease_seconds),
            issuer=claims.iss,
            created_by=claims.sub,
            run_id=claims.run_id,
            run_attempt=claims.run_attempt,
            run_sha=claims.sha,
            run_actor=claims.actor,
        )
        deployment = Deployment(**dict(zip(names, row, strict=True)))
        query(  # the audit event
            system=system,
            issuer=claims.iss,
            principal=claims.sub,
            action="deployment.open",
            resource=f"{system}/deployments/{deployment.id}",
            after=msgspec.json.encode(deployment).decode(),
            request_id=asked.current_request.context["requestId"],
        )
        address = f"/v1/systems/{system}/deployments/{deployment.id}"
        return answer(deployment, 201, **{"Cache-Control": "no-store", "Location": address})

    return app
