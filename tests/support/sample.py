"""A resource that only the tests have. It shows what `systems` and `environments` can't show.

A voyage is a record that pipelines write. Its body has a field of each type and a list of objects. Its endpoint can
raise a problem, or return one.
"""

from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from typing import Annotated, Any, Literal

import msgspec
from chalice.app import Blueprint
from chalice.local import LocalChalice
from msgspec import Meta

from chalicelib.database.roles import APP
from chalicelib.identity.roles import Role
from chalicelib.rest import audit, paging
from chalicelib.rest import operation as operations
from chalicelib.rest.admission import require_publisher
from chalicelib.rest.call import Call
from chalicelib.rest.ids import NumberedId
from chalicelib.rest.operation import operation
from chalicelib.rest.paging import Keyset
from chalicelib.rest.problems import Fault, Problem, ProblemType
from chalicelib.rest.types import Answer, Id, Page, PageQuery, Request, Text, Timestamp
from chalicelib.systems import store as systems
from chalicelib.vocabulary import EnvironmentName, PrincipalName, Slug
from tests.support.api import Api
from tests.support.contract import Contract
from tests.support.given import Given
from tools.checks.openapi.document import document
from tools.local.gateway_event import Routes

VOYAGES = "/v1/systems/azul/voyages"
A_VOYAGE = {"environment": "development", "captain": "nansen"}
# For this voyage the endpoint raises a problem, which rolls the transaction back.
A_REFUSED_VOYAGE = {**A_VOYAGE, "ship": "gjoa"}
# For this voyage the endpoint returns a problem, which commits the transaction.
A_DENIED_VOYAGE = {**A_VOYAGE, "ship": "maud"}

Outcome = Literal["arrived", "lost"]


class Stop(Request, kw_only=True):
    port: Slug
    at: Timestamp


class NewVoyage(Request, kw_only=True):
    environment: EnvironmentName
    captain: Slug
    ship: Slug = "fram"
    watch_seconds: Annotated[int, Meta(ge=60, le=14400)] = 3600
    stops: Annotated[tuple[Stop, ...], Meta(max_length=100)] = ()
    log: Text | None = None
    over: bool = False
    outcome: Outcome | None = None
    left_at: Timestamp | None = None
    arrived_at: Timestamp | None = None

    def faults(self) -> Iterator[Fault]:
        for name in ("outcome", "left_at", "arrived_at"):
            if (getattr(self, name) is None) is self.over:
                yield Fault(f"#/{name}", "is required with `over`, and not allowed without: send both or none")


class Voyage(Answer, kw_only=True):
    id: Id
    environment: EnvironmentName
    captain: Slug
    ship: Slug
    run_actor: str | None
    created_by: PrincipalName


class VoyageQuery(PageQuery, kw_only=True):
    captain: Slug | None = None
    outcome: Outcome | None = None
    from_: Timestamp | None = msgspec.field(default=None, name="from")
    to: Timestamp | None = None


# Do not call `problem_type` here: it would declare this problem for the service too.
ICEBOUND = ProblemType(
    slug="icebound", status=409, title="Icebound", meaning="The ship can't leave: wait for the summer.", extra=()
)
ORDER = Keyset(id=NumberedId)

blueprint = Blueprint(__name__)


@operation(blueprint, "POST /v1/systems/{system}/voyages", role=Role.pipeline, status=201, raises=[ICEBOUND])
def begin_voyage(call: Call, system: str, body: NewVoyage) -> Voyage | Problem:
    """Begin a voyage."""
    require_publisher(call, system, "deployments", body.environment)
    voyage = call.db.select_one(
        Voyage,
        """
        INSERT INTO voyages (system_id, environment, captain, ship, run_actor, created_by)
        SELECT id, %(environment)s, %(captain)s, %(ship)s, %(run_actor)s, %(created_by)s
        FROM systems WHERE key = %(system)s
        RETURNING id::text, environment, captain, ship, run_actor, created_by
        """,
        system=system,
        environment=body.environment,
        captain=body.captain,
        ship=body.ship,
        run_actor=call.principal.run.actor if call.principal.run else None,
        created_by=call.principal.subject,
    )
    if voyage is None:
        raise systems.not_found(system)
    audit.record(call, f"{system}/voyages/{voyage.id}", system=system, after=voyage)
    problem = Problem(ICEBOUND, f"The ship {body.ship!r} is in the ice. Wait for the summer.")
    if body.ship == A_REFUSED_VOYAGE["ship"]:
        raise problem
    if body.ship == A_DENIED_VOYAGE["ship"]:
        return problem
    return call.created(f"{call.address}/{voyage.id}", voyage)


@operation(blueprint, "GET /v1/systems/{system}/voyages", role=Role.viewer)
def list_voyages(call: Call, system: str, query: VoyageQuery) -> Page[Voyage]:
    """List the voyages of a system, newest first."""
    return paging.page(call.address, query, ORDER, lambda **page: _list(call, system, query, **page))


def _list(call: Call, system: str, query: VoyageQuery, *, limit: int, after: tuple[Any, ...] | None) -> list[Voyage]:
    return call.db.select(
        Voyage,
        """
        SELECT v.id::text, v.environment, v.captain, v.ship, v.run_actor, v.created_by
        FROM voyages v JOIN systems s ON s.id = v.system_id
        WHERE s.key = %(system)s AND (%(captain)s IS NULL OR v.captain = %(captain)s)
            AND (%(after)s IS NULL OR v.id < %(after)s::bigint)
        ORDER BY v.id DESC LIMIT %(limit)s
        """,
        system=system,
        captain=query.captain,
        limit=limit,
        after=after[0] if after else None,
    )


# The service does not have these operations, so take them out of its list.
OPERATIONS = [each for each in operations.OPERATIONS if each.function.__module__ == __name__]
operations.OPERATIONS[:] = [each for each in operations.OPERATIONS if each not in OPERATIONS]

APPLICATION = LocalChalice("sample")
APPLICATION.register_blueprint(blueprint)


@cache
def _contract() -> Contract:
    return Contract(document(OPERATIONS))


def sample_api(api: Api, given: Given) -> Api:
    """Make the table of the voyages; return a client of the application that has only these operations."""
    given.sql(
        f"""
        CREATE TABLE voyages (
            id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            system_id bigint NOT NULL REFERENCES systems (id) ON DELETE CASCADE,
            environment text NOT NULL,
            captain text NOT NULL,
            ship text NOT NULL,
            run_actor text,
            created_by text NOT NULL
        );
        GRANT SELECT, INSERT ON voyages TO {APP}
        """
    )
    return replace(api, app=APPLICATION, routes=Routes(APPLICATION.routes), contract=_contract())
