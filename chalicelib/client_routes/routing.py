"""Create, change and end the routes of clients to debug workspaces."""

import msgspec

from chalicelib.client_routes import rules, store
from chalicelib.client_routes.model import NewRoute, Route, RoutedWorkspace
from chalicelib.rest import audit
from chalicelib.rest.call import Call
from chalicelib.rest.conditional import require_unchanged
from chalicelib.systems import store as systems
from chalicelib.targets.changing import require_may_change


def set_route(call: Call, system: str, id_: str, client: str, new: NewRoute) -> Route:
    """Create the client's route to the workspace, or change the existing route."""
    rules.require_client(client)
    workspace = _to_change(call, system, id_)
    rules.require_target(workspace)
    rules.require_end(new, workspace)
    store.lapse_of_client(call.db, id_, client, call.id)
    facts = store.facts(call.db, id_, client)
    rules.require_free(client, facts)
    resource = f"{system}/workspaces/{id_}/routes/{client}"
    if facts.own is None:
        route = store.insert(call.db, id_, client, new, call.principal.subject, workspace.at)
        audit.record(call, resource, system=system, after=route)
        return call.created(call.address, route)
    route = msgspec.structs.replace(facts.own, until=new.until, reason=new.reason)
    if route != facts.own:
        store.update(call.db, route)
        audit.record(call, resource, system=system, before=facts.own, after=route)
    return call.existing(route)


def delete_route(call: Call, system: str, id_: str, client: str) -> None:
    """End the client's route to the workspace."""
    _to_change(call, system, id_)
    before = store.get(call.db, system, id_, client)
    require_unchanged(call.if_match, before)
    store.delete(call.db, before.id)
    audit.record(call, f"{system}/workspaces/{id_}/routes/{client}", system=system, before=before)


def _to_change(call: Call, system: str, id_: str) -> RoutedWorkspace:
    """Lock the system.

    Return the workspace, or raise problem 403 if the caller may not change the workspace's routes.
    """
    systems.lock(call.db, system)
    workspace = store.workspace(call.db, system, id_)
    require_may_change(call, system, workspace.environment, workspace.name, workspace.made_by)
    return workspace
