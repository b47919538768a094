"""The endpoints of routes.

`/v1/systems/{system}/workspaces/{id}/routes` has the routes to a workspace.
`/v1/systems/{system}/environments/{environment}/route` looks up where a client's calls go.
"""

from chalice.app import Blueprint

from chalicelib.client_routes import routing, rules, store
from chalicelib.client_routes.model import (
    Destination,
    DestinationQuery,
    NewRoute,
    Route,
    base_url_not_expected,
    client_routed,
    host_not_allowed,
    workspace_not_for_debugging,
)
from chalicelib.environments import store as environments
from chalicelib.identity.roles import Role
from chalicelib.rest import paging
from chalicelib.rest.call import Call
from chalicelib.rest.operation import operation
from chalicelib.rest.types import Page, PageQuery
from chalicelib.targets.model import workspace_not_active

blueprint = Blueprint(__name__)


@operation(blueprint, "GET /v1/systems/{system}/workspaces/{id}/routes", role=Role.viewer)
def list_routes(call: Call, system: str, id: str, query: PageQuery) -> Page[Route]:  # noqa: A002
    """List the routes to a workspace, the newest first."""
    store.workspace(call.db, system, id)
    return paging.page(call.address, query, store.ORDER, lambda **page: store.list_(call.db, system, id, **page))


@operation(blueprint, "GET /v1/systems/{system}/workspaces/{id}/routes/{client}", role=Role.viewer)
def get_route(call: Call, system: str, id: str, client: str) -> Route:  # noqa: A002
    """Read a client's route to a workspace."""
    return store.get(call.db, system, id, client)


@operation(
    blueprint,
    "PUT /v1/systems/{system}/workspaces/{id}/routes/{client}",
    role=Role.viewer,
    status=201,
    existing_status=True,
    raises=[
        base_url_not_expected,
        client_routed,
        host_not_allowed,
        workspace_not_active,
        workspace_not_for_debugging,
    ],
)
def set_route(call: Call, system: str, id: str, client: str, body: NewRoute) -> Route:  # noqa: A002
    """Route a client's calls to a debug workspace until a time, or change the client's existing route there.

    You may route yourself: then `client` is the subject of your token. A maintainer may route anybody, with the
    `base_url` that they expect, to a host that the environment names. A pipeline routes nobody.
    """
    return routing.set_route(call, system, id, client, body)


@operation(blueprint, "DELETE /v1/systems/{system}/workspaces/{id}/routes/{client}", role=Role.viewer, status=204)
def delete_route(call: Call, system: str, id: str, client: str) -> None:  # noqa: A002
    """Delete a client's route. Callers that keep a lookup may use it for up to 30 seconds more.

    You may delete your own route. A maintainer may delete any route.
    """
    routing.delete_route(call, system, id, client)


@operation(blueprint, "GET /v1/systems/{system}/environments/{environment}/route", role=Role.viewer)
def find_route(call: Call, system: str, environment: str, query: DestinationQuery) -> Destination:
    """Look up where a client's calls go: to the environment itself, or to one of its debug workspaces.

    You may keep the answer as long as `Cache-Control` says: at most 30 seconds, and not beyond the end of the route.
    """
    facts = store.look_up(call.db, system, environment, query.client)
    if facts is None:
        raise environments.not_found(system, environment)
    destination = rules.destination(query.client, facts)
    call.headers["Cache-Control"] = f"private, max-age={rules.seconds_to_keep(destination, facts.at)}"
    return destination
