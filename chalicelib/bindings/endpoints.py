"""The endpoints of bindings, `/v1/systems/{system}/environments/{environment}/bindings`, and of crosstalk."""

from chalice.app import Blueprint

from chalicelib.bindings import store
from chalicelib.bindings.model import Bindings, CrosstalkQuery, NewBindings, UsedInstance, crosstalk_refused
from chalicelib.identity.roles import Role
from chalicelib.rest import audit, paging
from chalicelib.rest.admission import require_publisher
from chalicelib.rest.call import Call
from chalicelib.rest.conditional import require_unchanged
from chalicelib.rest.operation import operation
from chalicelib.rest.types import Page
from chalicelib.systems import store as systems

blueprint = Blueprint(__name__)


@operation(blueprint, "GET /v1/systems/{system}/environments/{environment}/bindings", role=Role.viewer)
def get_bindings(call: Call, system: str, environment: str) -> Bindings:
    """Read which instances of its dependencies an environment uses, and which of them cause crosstalk."""
    return store.get(call.db, system, environment, call.principal.readable)


@operation(
    blueprint,
    "PUT /v1/systems/{system}/environments/{environment}/bindings",
    role=Role.pipeline,
    conditional=True,
    raises=[crosstalk_refused],
)
def replace_bindings(call: Call, system: str, environment: str, body: NewBindings) -> Bindings:
    """Replace the bindings of an environment.

    Crosstalk is in the answer. It is refused if one of the bindings is exclusive. With `dry_run`, the answer is
    the same, and nothing changes. A pipeline needs a publisher that lets it write `bindings`.
    """
    from chalicelib.bindings.rules import require_no_refused_crosstalk  # noqa: PLC0415 (a cold start need not load it)

    require_publisher(call, system, "bindings", environment)
    only = call.principal.readable
    systems.lock(call.db, system)
    store.lock(call.db, body.bindings)
    before = store.get(call.db, system, environment, only)
    require_unchanged(call.if_match, before)
    require_no_refused_crosstalk(body.bindings, store.others(call.db, system, environment, body.bindings, only))
    if body.dry_run:
        call.db.queue("SAVEPOINT unchanged")
    store.replace(call.db, system, environment, body.bindings)
    after = store.get(call.db, system, environment, only)
    if body.dry_run:
        call.db.queue("ROLLBACK TO SAVEPOINT unchanged")
    else:
        # Crosstalk names other systems, and not every reader of these events may read them.
        was, became = ({"bindings": each.bindings} for each in (before, after))
        audit.record(call, f"{system}/{environment}/bindings", system=system, before=was, after=became)
    return after


@operation(blueprint, "GET /v1/systems/{system}/crosstalk", role=Role.viewer)
def list_crosstalk(call: Call, system: str, query: CrosstalkQuery) -> Page[UsedInstance]:
    """List the instances with crosstalk that a system's environments use, or with `all` every instance they use."""
    only = call.principal.readable
    page = paging.page(
        call.address,
        query,
        store.ORDER,
        lambda **page: store.list_of_system(call.db, system, query, only, **page),
    )
    return systems.page_of(call.db, system, page)


@operation(blueprint, "GET /v1/crosstalk", role=Role.viewer)
def list_all_crosstalk(call: Call, query: CrosstalkQuery) -> Page[UsedInstance]:
    """List the instances with crosstalk of all systems, or with `all` every instance in use.

    A pipeline gets only the instances that systems use whose publishers trust it.
    """
    only = call.principal.readable
    return paging.page(call.address, query, store.ORDER, lambda **page: store.list_(call.db, query, only, **page))
