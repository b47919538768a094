"""The endpoints of environments: `/v1/systems/{system}/environments` and the paths below."""

from chalice.app import Blueprint

from chalicelib.environments import store
from chalicelib.environments.model import (
    Environment,
    EnvironmentChange,
    NewEnvironment,
    account_holds_one_class,
)
from chalicelib.identity.roles import Role
from chalicelib.rest import audit, paging, problems
from chalicelib.rest.call import Call
from chalicelib.rest.changes import changed
from chalicelib.rest.conditional import require_unchanged
from chalicelib.rest.operation import operation
from chalicelib.rest.types import Page, PageQuery
from chalicelib.systems import store as systems

blueprint = Blueprint(__name__)


@operation(blueprint, "GET /v1/systems/{system}/environments", role=Role.viewer)
def list_environments(call: Call, system: str, query: PageQuery) -> Page[Environment]:
    """List the environments of a system, in the order of promotion."""
    page = paging.page(call.address, query, store.ORDER, lambda **page: store.list_(call.db, system, **page))
    return systems.page_of(call.db, system, page)


@operation(
    blueprint,
    "POST /v1/systems/{system}/environments",
    role=Role.maintainer,
    status=201,
    raises=[problems.already_exists, account_holds_one_class],
)
def create_environment(call: Call, system: str, body: NewEnvironment) -> Environment:
    """Create an environment."""
    systems.lock(call.db, system)
    environment = store.insert(call.db, system, body)
    if environment is None:
        raise systems.not_found(system)
    audit.record(call, f"{system}/{environment.name}", system=system, after=environment)
    return call.created(f"{call.address}/{environment.name}", environment)


@operation(blueprint, "GET /v1/systems/{system}/environments/{environment}", role=Role.viewer)
def get_environment(call: Call, system: str, environment: str) -> Environment:
    """Read an environment."""
    return store.get(call.db, system, environment)


@operation(
    blueprint,
    "PATCH /v1/systems/{system}/environments/{environment}",
    role=Role.maintainer,
    raises=[problems.already_exists, account_holds_one_class],
)
def change_environment(call: Call, system: str, environment: str, body: EnvironmentChange) -> Environment:
    """Change an environment. Fields that you leave out stay as they are."""
    systems.lock(call.db, system)
    before = store.get(call.db, system, environment)
    require_unchanged(call.if_match, before)
    after = changed(before, body)
    store.update(call.db, system, after)
    audit.record(call, f"{system}/{environment}", system=system, before=before, after=after)
    return after


@operation(
    blueprint,
    "DELETE /v1/systems/{system}/environments/{environment}",
    role=Role.maintainer,
    status=204,
    raises=[problems.has_history],
)
def delete_environment(call: Call, system: str, environment: str) -> None:
    """Delete an environment that has no records yet."""
    systems.lock(call.db, system)
    before = store.get(call.db, system, environment)
    require_unchanged(call.if_match, before)
    store.delete(call.db, system, environment)
    audit.record(call, f"{system}/{environment}", system=system, before=before)
