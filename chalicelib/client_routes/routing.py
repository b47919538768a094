"""Create, change and end the routes of clients to debug workspaces."""

from urllib.parse import quote

import msgspec

from chalicelib.client_routes import rules, store
from chalicelib.client_routes.model import NewRoute, Route
from chalicelib.rest import audit
from chalicelib.rest.call import Call
from chalicelib.rest.conditional import require_unchanged
from chalicelib.settings import settings
from chalicelib.systems import store as systems


def set_route(call: Call, system: str, id_: str, client: str, new: NewRoute) -> Route:
    """Create the client's route to the workspace, or change the existing route."""
    rules.require_client(client)
    by_client = _require_right(call, system, client)
    systems.lock(call.db, system)
    workspace = store.workspace(call.db, system, id_)
    rules.require_target(workspace)
    rules.require_end(new, workspace)
    rules.require_address(new, workspace, by_client=by_client)
    store.lapse_of_client(call.db, id_, client, call.id)
    facts = store.facts(call.db, id_, client)
    rules.require_free(client, facts)
    resource = f"{system}/workspaces/{id_}/routes/{client}"
    if facts.own is None:
        who = call.principal.subject
        route = store.insert(call.db, id_, client, new, set_by_client=by_client, created_by=who, at=workspace.at)
        audit.record(call, resource, system=system, after=route)
        return call.created(quote(call.address, safe="/:@+"), route)
    route = msgspec.structs.replace(facts.own, until=new.until, reason=new.reason, set_by_client=by_client)
    if route != facts.own:
        store.update(call.db, route)
        audit.record(call, resource, system=system, before=facts.own, after=route)
    return call.existing(route)


def delete_route(call: Call, system: str, id_: str, client: str) -> None:
    """End the client's route to the workspace."""
    _require_right(call, system, client)
    systems.lock(call.db, system)
    before = store.get(call.db, system, id_, client)
    require_unchanged(call.if_match, before)
    store.delete(call.db, before.id)
    audit.record(call, f"{system}/workspaces/{id_}/routes/{client}", system=system, before=before)


def _require_right(call: Call, system: str, client: str) -> bool:
    """Raise problem 403 unless the caller may set and end the client's route. True if the caller is the client."""
    principal = call.principal
    # CloudFront's function tells clients apart by the subject alone, and two issuers may give two people the same one.
    is_unique = sum(issuer.kind == "people" for issuer in settings().issuers) <= 1
    by_client = is_unique and principal.subject == client
    by_run = principal.run is not None
    rules.require_right(system, client, by_client=by_client, by_run=by_run, role=principal.role_in(system))
    return by_client
