"""`/v1/systems/{system}/workspaces/{id}/routes`, and where a client's calls go."""

import msgspec
from chalice.app import Blueprint

from chalicelib.client_routes import rules, store
from chalicelib.client_routes.model import (
    Destination,
    DestinationQuery,
    NewRoute,
    Route,
    client_routed,
    workspace_not_for_debugging,
)
from chalicelib.environments import store as environments
from chalicelib.identity.roles import Role
from chalicelib.rest import audit, paging
from chalicelib.rest.call import Call
from chalicelib.rest.conditional import require_unchanged
from chalicelib.rest.operation import operation
from chalicelib.rest.types import Page, PageQuery
from chalicelib.systems import store as systems
from chalicelib.workspaces import store as workspaces
from chalicelib.workspaces.endpoints import to_change
from chalicelib.workspaces.model import workspace_not_active

blueprint = Blueprint(__name__)


@operation(blueprint, "GET /v1/systems/{system}/workspaces/{id}/routes", role=Role.viewer)
def list_routes(call: Call, system: str, id: str, query: PageQuery) -> Page[Route]:  # noqa: A002
    """List the routes to a workspace, the newest first."""
    workspaces.get(call.db, system, id)
    return paging.page(call.address, query, store.ORDER, lambda **page: store.list_(call.db, system, id, **page))


@operation(blueprint, "GET /v1/systems/{system}/workspaces/{id}/routes/{client}", role=Role.viewer)
def get_route(call: Call, system: str, id: str, client: str) -> Route:  # noqa: A002
    """Read a client's route to a workspace."""
    return store.get(call.db, system, id, client)


@operation(
    blueprint,
    "PUT /v1/systems/{system}/workspaces/{id}/routes/{client}",
    role=Role.pipeline,
    status=201,
    existing_status=True,
    raises=[client_routed, workspace_not_active, workspace_not_for_debugging],
)
def set_route(call: Call, system: str, id: str, client: str, body: NewRoute) -> Route:  # noqa: A002
    """Send a client's calls to a debug workspace until a time; or, where they go there already, until another.

    A pipeline does so with workspaces that were made by its own repository's runs, a maintainer with any.
    """
    rules.require_client(client)
    systems.lock(call.db, system)
    workspace, at = to_change(call, system, id)
    rules.require_target(workspace)
    rules.require_end(body, workspace, at)
    store.lapse_of_client(call.db, id, client, call.id)
    facts = store.facts(call.db, id, client)
    rules.require_free(client, facts)
    resource = f"{system}/workspaces/{id}/routes/{client}"
    if facts.own is None:
        route = store.insert(call.db, id, client, body, call.principal.subject, at)
        audit.record(call, resource, system=system, after=route)
        return call.created(call.address, route)
    route = msgspec.structs.replace(facts.own, until=body.until, reason=body.reason)
    if route != facts.own:
        store.update(call.db, route)
        audit.record(call, resource, system=system, before=facts.own, after=route)
    return call.existing(route)


@operation(blueprint, "DELETE /v1/systems/{system}/workspaces/{id}/routes/{client}", role=Role.pipeline, status=204)
def delete_route(call: Call, system: str, id: str, client: str) -> None:  # noqa: A002
    """Send a client's calls to the environment again. Who looks them up learns of it within half a minute."""
    systems.lock(call.db, system)
    to_change(call, system, id)
    before = store.get(call.db, system, id, client)
    require_unchanged(call.if_match, before)
    store.delete(call.db, before.id)
    audit.record(call, f"{system}/workspaces/{id}/routes/{client}", system=system, before=before)


@operation(blueprint, "GET /v1/systems/{system}/environments/{environment}/route", role=Role.viewer)
def find_route(call: Call, system: str, environment: str, query: DestinationQuery) -> Destination:
    """Learn where a client's calls go: to the environment itself, or to a debug workspace of it.

    The answer may be kept as long as `Cache-Control` says: briefly, and not beyond the end of the route.
    """
    found = store.destination(call.db, system, environment, query.client)
    if found is None:
        raise environments.not_found(system, environment)
    destination, at = found
    call.headers["Cache-Control"] = f"private, max-age={rules.seconds_to_keep(destination, at)}"
    return destination
