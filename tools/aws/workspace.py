"""Manage copies of an environment: `make workspace-create`, `-extend`, `-destroy`, `route`, `unroute`, `reap`.

The registry records a workspace before its resources are created, and ends the record after their destruction.
Without SLIPWAY_URL, a tag keeps the end of a workspace. Each command can be repeated after a failure.
"""

import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from botocore.exceptions import BotoCoreError, ClientError

from tools.aws import applying, counting, environment, leftovers
from tools.aws.applying import own, routed
from tools.aws.routes import Routes
from tools.aws.target import Target
from tools.aws.workspace_records import BOTH, Registry, Tags, records_of, text
from tools.checkout import ToolError, UsageError
from tools.slipway_client.client import Json
from tools.slipway_client.runner import needed, say, warn

Environ = Mapping[str, str]
Records = Registry | Tags

_CLIENT = re.compile(r"[A-Za-z0-9._~@:|+-]{1,128}")
# A destroy may take 90 minutes, and the AWS session of the reaper's job ends after two hours. Terraform could then
# neither save nor unlock the state. So the reaper begins no destroy after this time.
BEGIN_WITHIN = timedelta(minutes=25)
# A warning names at most this number of resources.
_MOST_ARNS = 5
_UNITS = {"m": "minutes", "h": "hours", "d": "days"}


def create(environ: Environ) -> None:
    """Record and create a workspace, or update the workspace. With CLIENT, route this client to the workspace."""
    target, records, there = _workspace(environ)
    if environ.get("CLIENT"):
        _require_debug(target)
    purpose = environ.get("PURPOSE") or ("debug" if target.debug else "personal")
    expires = ahead(environ, "EXPIRES")
    if there is not None and there["state"] == "expired":
        raise ToolError(f"{target.name} has expired: destroy it with make workspace-destroy, then create it again")
    if there is None:
        records.begin(target, purpose=purpose, database=environ.get("DATABASE") or "empty", expires_at=expires)
    # Choices that are not given do not change. For a new workspace, Terraform has the same defaults as the lines above.
    made = applying.apply(target)
    record = records.made(target, made, expires)
    say(f"{target.name} is at {made['url']}")
    if environ.get("CLIENT"):
        end = datetime.fromisoformat(record["expires_at"]) if record else expires
        _send(target, records, record, _client(environ), ahead(environ, "UNTIL") if environ.get("UNTIL") else end)


def extend(environ: Environ) -> None:
    """Change the time when a workspace expires. Routes to the workspace end no later than the workspace."""
    target, records, found = _workspace(environ)
    expires = ahead(environ, "EXPIRES")
    record = _needed_record(records, target, found)
    later = expires > datetime.fromisoformat(record["expires_at"])
    reason = needed(environ, "REASON", '"why the workspace is needed longer"') if later else None
    records.extend(record, expires, reason)
    if not later:
        _shorten_routes(target, int(expires.timestamp()))
    say(f"{target.name} expires at {text(expires)}")


def destroy(environ: Environ) -> None:
    """Delete a workspace's routes, destroy the workspace, and record that it is destroyed."""
    _destroy(*_workspace(environ))


def route(environ: Environ) -> None:
    """Send CLIENT to a debug workspace, for the duration in UNTIL."""
    target, records, record = _workspace(environ)
    _send(target, records, record, _client(environ), ahead(environ, "UNTIL"))


def unroute(environ: Environ) -> None:
    """Send CLIENT to the environment again."""
    target, records, record = _workspace(environ)
    client = _client(environ)
    _require_debug(target)
    _store(target).delete(client)
    records.unroute(_needed_record(records, target, record), client)
    say(f"{client} is sent to {environ['ENV']} again")


def reap(environ: Environ) -> None:
    """Destroy expired workspaces; report orphans: workspaces without a record and records without a workspace.

    Count the run and the orphans in CloudWatch, where alarms watch them.

    PURPOSE chooses the kind of workspaces, because a role reaches one kind only. Without PURPOSE, reap both kinds. If a
    workspace can't be destroyed, go on with the others, and then raise ToolError. Leave workspaces to the next run if
    the time is short.
    """
    ours = own(environment.target_of({**environ, "WORKSPACE": "default"}))
    records = records_of(environ, ours)
    purpose = environ.get("PURPOSE")
    kinds = {purpose == "debug"} if purpose else BOTH
    recorded, destroyed, failed = [], [], []
    last_begin = datetime.now(UTC) + BEGIN_WITHIN
    for record in _standing(environ, records, kinds):
        target = replace(ours, workspace=record["name"], debug=record["purpose"] == "debug")
        recorded.append(target)
        if record["state"] == "expired" and datetime.now(UTC) > last_begin:
            warn(environ, f"{target.name} has expired, and the time is too short to destroy it: run make reap again")
        elif record["state"] == "expired":
            try:
                _destroy(target, records, record)
            except ToolError as failure:
                warn(environ, f"{target.name} was not destroyed: {failure}. The next run tries again or reports it")
                failed.append(target)
            else:
                recorded.remove(target)
                destroyed.append(target)
    orphans = Counter(_orphans(environ, ours, records.kind, kinds, recorded, destroyed))
    for is_debug in sorted(kinds):
        ended = not any(each.debug is is_debug for each in failed)
        values = {"orphans": orphans[is_debug], **({"reaps": 1} if ended else {})}
        counting.count(environ, ours, values, purpose="debug" if is_debug else "personal")
    if not destroyed and not failed:
        print("No workspace has expired")
    if failed:
        names = ", ".join(each.name for each in failed)
        raise ToolError(f"These workspaces were not destroyed: {names}. Fix the errors above, and run make reap again")


def _orphans(
    environ: Environ,
    ours: Target,
    kind_of_record: str,
    kinds: Collection[bool],
    recorded: Collection[Target],
    destroyed: Collection[Target],
) -> Iterator[bool]:
    """Warn of orphans. For each of them, yield True if it is a debug workspace, or False."""
    there = [each for each in environment.workspaces(ours) if each.debug in kinds]
    for target in (each for each in there if each not in recorded):
        warn(environ, f"{target.name} has resources but no {kind_of_record}: {_advice(target)}")
        yield target.debug
    for target in (each for each in recorded if each not in there):
        warn(environ, f"{target.name} has a {kind_of_record} but no resources: {_advice(target)}")
        yield target.debug
    # AWS still lists resources for a while after their end.
    yield from _leftovers(environ, ours, kinds, [*there, *destroyed])


def _leftovers(environ: Environ, ours: Target, kinds: Collection[bool], known: Collection[Target]) -> Iterator[bool]:
    """Warn of resources with the tags of a workspace that is not known. Yield the kind of each such workspace."""
    names = {each.terraform_workspace for each in known}
    try:
        found = leftovers.tagged(ours)
    except (BotoCoreError, ClientError) as error:
        warn(environ, f"Resources without a state can't be found: {error}. Run make account, to update the roles")
        return
    for name, arns in found.items():
        if name not in names and name.startswith("d-") in kinds:
            some = ", ".join(arns[:_MOST_ARNS])
            warn(
                environ,
                f"{ours.name}-{name} has no state, but {len(arns)} resources have its tags: {some}. Find out who "
                "created them, and delete them as an administrator",
            )
            yield name.startswith("d-")


def _standing(environ: Environ, records: Records, kinds: Collection[bool]) -> Iterator[Json]:
    """Yield the records of workspaces. The records must not choose the environment itself for destruction."""
    for record in records.standing(kinds):
        if record["name"] == "default":
            warn(environ, f"A {records.kind} names the environment itself, which is never reaped: delete this record")
        else:
            yield record


def _destroy(target: Target, records: Records, record: Json | None) -> None:
    try:
        applying.destroy(target)
    except environment.NotThere:
        if record is None:
            raise
    if record is not None:
        records.destroyed(record)
    say(f"{target.name} is destroyed")


def _advice(target: Target) -> str:
    which = f"ENV={target.environment} WORKSPACE={target.workspace}{' PURPOSE=debug' if target.debug else ''}"
    return f"destroy this workspace with make workspace-destroy {which}"


def _send(target: Target, records: Records, record: Json | None, client: str, until: datetime) -> None:
    """Route a client to a workspace. Record the route first, because the record can refuse the route.

    The record must have the address that Terraform made: otherwise the client's token could go somewhere else.
    """
    found = _needed_record(records, target, record)
    _require_debug(target)
    url = environment.outputs(target).get("url")
    if not url:
        raise ToolError(f"{target.name} does not exist: create it with make workspace-create")
    records.route(found, client, until, url)
    _store(target).put(client, workspace=target.workspace, until=int(until.timestamp()))
    say(f"{client} is sent to {target.name} until {text(until)}")


def _workspace(environ: Environ) -> tuple[Target, Records, Json | None]:
    """Return the workspace that the variables name, the records of its environment, and its record or None."""
    target = environment.target_of(environ)
    if target.workspace == "default":
        raise UsageError("WORKSPACE is missing: name the workspace, as in WORKSPACE=fix-42")
    records = records_of(environ, own(target))
    record = records.find(target)
    if record is not None and target.debug != (is_debug := record["purpose"] == "debug"):
        raise environment.other_kind(target.workspace, debug=is_debug)
    return target, records, record


def _require_debug(target: Target) -> None:
    """Raise UsageError unless the target is a debug workspace. The roles of other workspaces reach no routes."""
    if not target.debug:
        raise UsageError(
            f"{target.workspace} is not a debug workspace, and only a debug workspace takes routes: set PURPOSE=debug, "
            "or create another workspace with PURPOSE=debug"
        )


def _client(environ: Environ) -> str:
    client = needed(environ, "CLIENT", "somebody")
    if not _CLIENT.fullmatch(client):
        raise UsageError(f"{client!r} can't name a client: use 1 to 128 letters, digits and . _ ~ @ : | + -")
    return client


def ahead(environ: Environ, name: str) -> datetime:
    """Return the current time plus the duration, such as 8h or 2d, in the variable `name`, or raise UsageError."""
    said = needed(environ, name, "2d")
    found = re.fullmatch(r"([1-9][0-9]{0,3})([mhd])", said)
    if found is None:
        raise UsageError(f"{name} is {said!r}: set minutes, hours or days, such as 30m, 8h or 2d")
    return datetime.now(UTC).replace(microsecond=0) + timedelta(**{_UNITS[found[2]]: int(found[1])})


def _needed_record(records: Records, target: Target, record: Json | None) -> Json:
    if record is None:
        raise ToolError(f"{target.name} has no {records.kind}: run make workspace-create")
    return record


def _store(target: Target) -> Routes:
    return Routes(own(target), environment.outputs(own(target)))


def _shorten_routes(target: Target, until: int) -> None:
    """Make the routes to a workspace end no later than `until`. The registry itself shortens its records."""
    for routes, client, sent in routed(target):
        if sent["until"] > until:
            routes.put(client, workspace=target.workspace, until=until)
