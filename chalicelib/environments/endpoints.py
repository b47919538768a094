"""The endpoints of environments: `/v1/systems/{system}/environments` and the paths below."""

from chalice.app import Blueprint

from chalicelib.environments import rules, store
from chalicelib.environments.model import (
    Environment,
    EnvironmentChange,
    EnvironmentDeletion,
    NewEnvironment,
    account_holds_one_class,
)
from chalicelib.identity.roles import Role
from chalicelib.publishers import rules as trust
from chalicelib.publishers import store as publishers
from chalicelib.rest import audit, paging, problems
from chalicelib.rest.call import Call
from chalicelib.rest.changes import changed
from chalicelib.rest.conditional import require_unchanged
from chalicelib.rest.operation import operation
from chalicelib.rest.types import Page, PageQuery
from chalicelib.systems import store as systems
from chalicelib.systems.rules import require_reason

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
    raises=[problems.already_exists, problems.reason_required, account_holds_one_class],
)
def create_environment(call: Call, system: str, body: NewEnvironment) -> Environment:
    """Create an environment.

    An AWS account that another system named first takes the role admin. If the environment comes between a production
    environment and the environment before that one, send a `reason`.
    """
    systems.lock(call.db, system)
    inserted = store.insert(call.db, system, body)
    if inserted is None:
        raise systems.not_found(system)
    environment, neighbours, first_system = inserted
    _require_own_account(call, system, first_system)
    require_reason(body.reason, rules.loosened(neighbours, [*neighbours, environment]))
    audit.record(call, f"{system}/{environment.name}", system=system, after=environment, reason=body.reason)
    return call.created(f"{call.address}/{environment.name}", environment)


@operation(blueprint, "GET /v1/systems/{system}/environments/{environment}", role=Role.viewer)
def get_environment(call: Call, system: str, environment: str) -> Environment:
    """Read an environment."""
    return store.get(call.db, system, environment)


@operation(
    blueprint,
    "PATCH /v1/systems/{system}/environments/{environment}",
    role=Role.maintainer,
    raises=[problems.already_exists, problems.reason_required, account_holds_one_class],
)
def change_environment(call: Call, system: str, environment: str, body: EnvironmentChange) -> Environment:
    """Change an environment. Fields that you leave out stay as they are.

    An AWS account that another system named first takes the role admin. If a production environment would require less
    or trust more after the change, send a `reason`. An environment that becomes production also takes a reason if
    another repository than the system's own may write its deployments or verifications.
    """
    systems.lock(call.db, system)
    before, all_before = store.get_among(call.db, system, environment)
    require_unchanged(call.if_match, before)
    after = changed(before, body)
    # registry
    _require_right_to_leave(call, system, before, after)
    # /registry
    first_system = store.update(call.db, system, after)
    if after.aws_account_id != before.aws_account_id:
        _require_own_account(call, system, first_system)
    all_after = [after if each is before else each for each in all_before]
    loosened = rules.loosened(all_before, all_after)
    if after.production and not before.production:
        trusted = publishers.trusted_repositories(call.db, system, environment)
        loosened += trust.loosened_by_production(environment, trusted)
    require_reason(body.reason, loosened)
    audit.record(call, f"{system}/{environment}", system=system, before=before, after=after, reason=body.reason)
    return after


@operation(
    blueprint,
    "DELETE /v1/systems/{system}/environments/{environment}",
    role=Role.maintainer,
    status=204,
    raises=[problems.has_history, problems.in_use, problems.reason_required],
)
def delete_environment(call: Call, system: str, environment: str, query: EnvironmentDeletion) -> None:
    """Delete an environment that has no records yet, and that no publisher names.

    If it is a production environment, or comes directly before one, send a `reason`.
    """
    systems.lock(call.db, system)
    before, all_before = store.get_among(call.db, system, environment)
    require_unchanged(call.if_match, before)
    # registry
    _require_right_to_leave(call, system, before, None)
    # /registry
    store.delete(call.db, system, environment)
    all_after = [each for each in all_before if each is not before]
    require_reason(query.reason, rules.loosened(all_before, all_after))
    audit.record(call, f"{system}/{environment}", system=system, before=before, reason=query.reason)


# registry
def _require_right_to_leave(call: Call, system: str, before: Environment, after: Environment | None) -> None:
    if rules.leaves_production(before, after):
        freeze = store.freeze_of_production(call.db)
        rules.require_right_to_leave(before.name, freeze, call.principal.role_in(system))


# /registry
def _require_own_account(call: Call, system: str, first_system: str | None) -> None:
    role_in = call.principal.role_in
    may_read = first_system is not None and role_in(first_system) >= Role.viewer
    rules.require_own_account(system, first_system, role_in(system), may_read=may_read)
