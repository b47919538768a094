"""Manage copies of an environment: `make workspace-create`, `-extend`, `-destroy`, `route`, `unroute`, `reap`.

The registry records a workspace before its resources are created, and ends the record after their destruction.
Each command can be repeated after a failure.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

from tools.aws import environment
from tools.aws.environment import Target
from tools.aws.routes import Routes
from tools.checkout import ToolError, UsageError
from tools.slipway_client.client import Json, RegistryClient
from tools.slipway_client.runner import needed, say, warn

Environ = Mapping[str, str]

_CLIENT = re.compile(r"[A-Za-z0-9._~@:-]{1,128}")
_DESTROY = "destroy this workspace with make workspace-destroy"
_UNITS = {"m": "minutes", "h": "hours", "d": "days"}


class Registry:
    """The registry's records of an environment's workspaces. Without SLIPWAY_URL, warn, and find and record nothing."""

    def __init__(self, environ: Environ, name: str) -> None:
        self._environment = name
        self._client = RegistryClient(environ) if environ.get("SLIPWAY_URL") else None
        if self._client is None:
            warn(environ, "SLIPWAY_URL is not set, so nothing is recorded: set SLIPWAY_URL to record workspaces")

    @property
    def is_there(self) -> bool:
        return self._client is not None

    def standing(self) -> list[Json]:
        """Return the records of workspaces that are not destroyed."""
        found: list[Json] = []
        if self._client is not None:
            cursor: dict[str, str] = {}
            while True:
                page = self._client.get("workspaces", environment=self._environment, **cursor)
                found += [each for each in page["items"] if each["state"] != "destroyed"]
                if page["next"] is None:
                    break
                cursor = {"cursor": page["next"]}
        return found

    def find(self, workspace: str) -> Json | None:
        """Return the record of a workspace that is not destroyed, or None if there is none."""
        return next((each for each in self.standing() if each["name"] == workspace), None)

    def record(self, **body: Any) -> None:
        if self._client is not None:
            self._client.post("workspaces", {"environment": self._environment, **body}, again=True)

    def change(self, record: Json | None, **changes: Any) -> None:
        if self._client is not None and record is not None:
            self._client.change("PATCH", f"workspaces/{record['id']}", changes)

    def destroyed(self, record: Json | None) -> None:
        if self._client is not None and record is not None:
            self._client.change("DELETE", f"workspaces/{record['id']}")

    def route(self, record: Json | None, client: str, until: str) -> None:
        if self._client is not None and record is not None:
            self._client.change("PUT", _route(record, client), {"until": until})

    def unroute(self, record: Json | None, client: str) -> None:
        if self._client is not None and record is not None:
            self._client.change("DELETE", _route(record, client))


def create(environ: Environ) -> None:
    """Record and create a workspace, or update the workspace. With CLIENT, route this client to the workspace."""
    target, registry = _workspace(environ), Registry(environ, environ["ENV"])
    purpose, source = environ.get("PURPOSE") or "personal", environ.get("DATABASE") or "empty"
    expires = ahead(environ, "EXPIRES")
    there = registry.find(target.workspace)
    if there is not None and there["state"] == "expired":
        raise ToolError(f"{target.name} has expired: destroy it with make workspace-destroy, then create it again")
    if registry.is_there and there is None:
        registry.record(
            name=target.workspace,
            purpose=purpose,
            owner=environ.get("OWNER") or None,
            reason=needed(environ, "REASON", '"why the workspace is needed"'),
            expires_at=_text(expires),
            database=source,
        )
    # Choices that are not given do not change. For a new workspace, Terraform has the same defaults as the lines above.
    made = environment.apply(target)
    record = registry.find(target.workspace)
    registry.change(record, base_url=made["url"])
    say(f"{target.name} is at {made['url']}")
    if environ.get("CLIENT"):
        end = datetime.fromisoformat(record["expires_at"]) if record else expires
        _send(target, registry, _client(environ), ahead(environ, "UNTIL") if environ.get("UNTIL") else end)


def extend(environ: Environ) -> None:
    """Change the time when a workspace expires. Routes to the workspace end no later than the workspace."""
    target, registry = _workspace(environ), Registry(environ, environ["ENV"])
    expires = ahead(environ, "EXPIRES")
    record = _needed_record(registry, target)
    later = record is None or expires > datetime.fromisoformat(record["expires_at"])
    reason = {"reason": needed(environ, "REASON", '"why the workspace is needed longer"')} if later else {}
    registry.change(record, expires_at=_text(expires), **reason)
    if record is None or not later:
        _shorten_routes(target, int(expires.timestamp()))
    say(f"{target.name} expires at {_text(expires)}")


def destroy(environ: Environ) -> None:
    """Delete a workspace's routes, destroy the workspace, and record that it is destroyed."""
    target, registry = _workspace(environ), Registry(environ, environ["ENV"])
    record = registry.find(target.workspace)
    _end_routes(target)
    environment.destroy(target)
    registry.destroyed(record)
    say(f"{target.name} is destroyed")


def route(environ: Environ) -> None:
    """Send CLIENT to a debug workspace, for the duration in UNTIL."""
    target, registry, client = _workspace(environ), Registry(environ, environ["ENV"]), _client(environ)
    _send(target, registry, client, ahead(environ, "UNTIL"))


def unroute(environ: Environ) -> None:
    """Send CLIENT to the environment again."""
    target, registry, client = _workspace(environ), Registry(environ, environ["ENV"]), _client(environ)
    _store(target).delete(client)
    registry.unroute(_needed_record(registry, target), client)
    say(f"{client} is sent to {environ['ENV']} again")


def reap(environ: Environ) -> None:
    """Destroy expired workspaces; report workspaces without a record and records without a workspace.

    If a workspace can't be destroyed, go on with the others, and then raise ToolError. Without SLIPWAY_URL, do nothing.
    """
    default = replace(environment.target_of({**environ, "WORKSPACE": "default"}), choices={})
    registry = Registry(environ, default.environment)
    if not registry.is_there:
        return
    failed = []
    for record in registry.standing():
        if record["state"] == "expired":
            try:
                destroy({**environ, "WORKSPACE": record["name"]})
            except ToolError as failure:
                warn(environ, f"{record['name']} was not destroyed, and the next run tries again: {failure}")
                failed.append(record["name"])
    recorded = {record["name"] for record in registry.standing()}
    there = set(environment.workspaces(default.environment, default.emulated))
    for name in sorted(there - recorded):
        warn(environ, f"{default.environment}-{name} has resources but no record: {_DESTROY}")
    for name in sorted(recorded - there):
        warn(environ, f"{default.environment}-{name} has a record but no resources: {_DESTROY}")
    if failed:
        raise ToolError(
            f"These workspaces were not destroyed: {', '.join(failed)}. Fix the errors above, and run the command again"
        )


def _send(target: Target, registry: Registry, client: str, until: datetime) -> None:
    """Route a client to a workspace. Record the route first, because the registry can refuse the route."""
    registry.route(_needed_record(registry, target), client, _text(until))
    api = environment.outputs(target).get("api")
    if not api:
        raise ToolError(f"{target.name} does not exist: create it with make workspace-create")
    _store(target).put(
        client,
        workspace=target.workspace,
        domain=api["invoke_domain"],
        path=f"/{api['stage_name']}",
        until=int(until.timestamp()),
    )
    say(f"{client} is sent to {target.name} until {_text(until)}")


def _workspace(environ: Environ) -> Target:
    target = environment.target_of(environ)
    if target.workspace == "default":
        raise UsageError("WORKSPACE is missing: name the workspace, as in WORKSPACE=fix-42")
    return target


def _client(environ: Environ) -> str:
    client = needed(environ, "CLIENT", "somebody")
    if not _CLIENT.fullmatch(client):
        raise UsageError(f"{client!r} can't name a client: use 1 to 128 letters, digits and . _ ~ @ : -")
    return client


def ahead(environ: Environ, name: str) -> datetime:
    """Return the current time plus the duration, such as 8h or 2d, in the variable `name`, or raise UsageError."""
    said = needed(environ, name, "2d")
    found = re.fullmatch(r"([1-9][0-9]{0,3})([mhd])", said)
    if found is None:
        raise UsageError(f"{name} is {said!r}: set minutes, hours or days, such as 30m, 8h or 2d")
    return datetime.now(UTC).replace(microsecond=0) + timedelta(**{_UNITS[found[2]]: int(found[1])})


def _text(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")


def _needed_record(registry: Registry, target: Target) -> Json | None:
    record = registry.find(target.workspace)
    if registry.is_there and record is None:
        raise ToolError(f"The registry has no workspace {target.name}: run make workspace-create")
    return record


def _route(record: Json, client: str) -> str:
    return f"workspaces/{record['id']}/routes/{quote(client, safe='')}"


def _store(target: Target) -> Routes:
    own = replace(target, workspace="default", choices={})
    return Routes(own, environment.outputs(own))


def _end_routes(target: Target) -> None:
    """Delete all routes to a workspace."""
    for routes, client, _ in _routed(target):
        routes.delete(client)


def _shorten_routes(target: Target, until: int) -> None:
    """Make the routes to a workspace end no later than `until`. The registry itself shortens its records."""
    for routes, client, sent in _routed(target):
        if sent["until"] > until:
            routes.put(client, **{**sent, "until": until})


def _routed(target: Target) -> Iterator[tuple[Routes, str, dict[str, Any]]]:
    """Yield each route to a workspace: the environment's store, the client, and the entry."""
    own = replace(target, workspace="default", choices={})
    outputs = environment.outputs(own)
    if outputs.get("site"):
        routes = Routes(own, outputs)
        for client, sent in routes.all().items():
            if sent["workspace"] == target.workspace:
                yield routes, client, sent
