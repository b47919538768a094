"""The benchmark of environments, a small resource: reads of one and of a full page, and a write."""

from collections.abc import Iterator
from urllib.parse import unquote

import msgspec
from chalice.app import Response

from chalicelib.environments import rules
from chalicelib.environments.model import Environment, NewEnvironment
from chalicelib.identity.roles import Role
from chalicelib.rest.types import Page, PageQuery
from chalicelib.systems.rules import require_reason
from tools.checks.bench.bare import Bare
from tools.checks.bench.packages import Bench, Sent
from tools.checks.bench.service import PAGE, SYSTEMS, asked, event
from tools.local.gateway_event import Event

SYSTEM = "search"
ENVIRONMENTS = "/v1/systems/{system}/environments"
ENVIRONMENT = "/v1/systems/{system}/environments/{environment}"


def prepare() -> None:
    """Create a system with a full page of environments."""
    asked(event(f"POST {SYSTEMS}", {"key": SYSTEM, "name": "Search"}, role="admin"))
    for number in range(PAGE):
        asked(_creating(number))


def views(bare: Bare) -> None:
    @bare.app.route("/v1/systems/{system}/environments/{environment}")
    def get_environment(system: str, environment: str) -> Response:
        system, environment = unquote(system), unquote(environment)  # API Gateway does not decode path parameters
        bare.require(Role.viewer, system)
        names, [row] = bare.query(system=system, name=environment)
        return bare.answer(
            Environment(**dict(zip(names, row, strict=True))), 200, **{"Cache-Control": "private, no-cache"}
        )

    @bare.app.route("/v1/systems/{system}/environments")
    def list_environments(system: str) -> Response:
        system = unquote(system)
        bare.require(Role.viewer, system)
        query = msgspec.convert(dict(bare.request.query_params or {}), PageQuery, strict=False)
        names, found = bare.query(system=system, limit=query.limit + 1, after=0)
        environments = [Environment(**dict(zip(names, row, strict=True))) for row in found]
        if len(environments) > query.limit:
            raise NotImplementedError
        return bare.answer(Page(items=environments, next=None), 200, **{"Cache-Control": "private, no-cache"})

    @bare.app.route("/v1/systems/{system}/environments", methods=["POST"])
    def create_environment(system: str) -> Response:
        system = unquote(system)
        body = msgspec.json.decode(bare.request.raw_body, type=NewEnvironment)
        claims = bare.require(Role.maintainer, system)
        if any(body.faults()):
            raise ValueError
        names, [row] = bare.query(
            system=system,
            name=body.name,
            rank=body.rank,
            aws_account_id=body.aws_account_id,
            region=body.region,
            base_url=body.base_url,
            production=body.production,
            required_soak_seconds=body.required_soak_seconds,
            verification_max_age_seconds=body.verification_max_age_seconds,
            required_suites=list(body.required_suites),
            required_approvals=body.required_approvals,
            workspace_hosts=list(body.workspace_hosts),
        )
        found = dict(zip(names, row, strict=True))
        neighbours = msgspec.convert(found.pop("neighbours"), list[Environment])
        first_system = found.pop("first_system")
        environment = Environment(**found)
        may_read = first_system in claims.systems
        rules.require_own_account(system, first_system, Role[claims.role], may_read=may_read)
        require_reason(body.reason, rules.loosened(neighbours, [*neighbours, environment]))
        bare.audit(claims, "environment.create", system, environment.name, environment)
        address = f"/v1/systems/{system}/environments/{environment.name}"
        return bare.answer(environment, 201, **{"Cache-Control": "no-store", "Location": address})


def timed() -> Iterator[Sent]:
    yield Sent("GET one environment", _reading(), 1.7)
    yield Sent(f"GET a list of {PAGE} environments", _listing(), 1.7)
    # Every write costs our layers about 40 µs, and a quarter of that is the log line with its metrics. This share is
    # larger if the rest of a write is small.
    yield Sent("POST an environment", _creating(PAGE), 2.2)


def counted() -> Iterator[Sent]:
    yield Sent("GET one environment", _reading(), 1)
    yield Sent(f"GET a list of {PAGE} environments", _listing(), 1)
    yield Sent("POST an environment, with a key", _creating(PAGE + 1, key="creating"), 3)


def _reading() -> Event:
    return event(f"GET {ENVIRONMENT}", system=SYSTEM, environment="environment-0")


def _listing() -> Event:
    return event(f"GET {ENVIRONMENTS}", query={"limit": str(PAGE)}, system=SYSTEM)


def _creating(number: int, key: str | None = None) -> Event:
    """Return the event for a request with which a maintainer creates an environment."""
    body = {
        "name": f"environment-{number}",
        "rank": number + 1,
        "aws_account_id": "111122223333",
        "region": "eu-central-1",
        "base_url": f"https://{number}.search.example.org",
        "required_soak_seconds": 3600,
        "required_suites": ["acceptance", "load"],
    }
    return event(f"POST {ENVIRONMENTS}", body, role="maintainer", key=key, system=SYSTEM)


BENCH = Bench(prepare, views, timed, counted)
