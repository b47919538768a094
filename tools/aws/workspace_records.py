"""Keep the ends of an environment's workspaces: in a registry, or without SLIPWAY_URL in a tag of each workspace."""

from collections.abc import Collection, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

from botocore.exceptions import BotoCoreError, ClientError

from tools.aws import environment
from tools.aws.target import Target
from tools.checkout import ToolError
from tools.slipway_client import fitting
from tools.slipway_client.client import Json, RegistryClient
from tools.slipway_client.runner import needed, say

Environ = Mapping[str, str]

# The environments' main.tf ignores this tag: otherwise an apply would delete the tag.
TAG = "expires"

_DEBUG = "debug"
# Both kinds of workspaces: debug workspaces, and all others.
BOTH = frozenset({True, False})
# The longest time until the end of a workspace. A registry has the same limits.
_MOST_AHEAD = {"personal": timedelta(days=14), "preview": timedelta(days=14), _DEBUG: timedelta(days=3)}


# Unreviewed code of a preview can write its state and its tag. It must not stop the reaper from reading the others.
_UNREADABLE = (ToolError, BotoCoreError, ClientError, LookupError, TypeError, ValueError)


class Registry:
    """The records of the workspaces in the registry. The registry checks each change of a record."""

    kind = "record"

    def __init__(self, environ: Environ, own: Target) -> None:
        self._environ = environ
        self._environment = own.environment
        self._client = RegistryClient(environ)

    def standing(self, kinds: Collection[bool] = BOTH) -> list[Json]:
        """Return the records of workspaces that are not destroyed. `kinds` has True for debug workspaces."""
        found: list[Json] = []
        cursor: dict[str, str] = {}
        while True:
            page = self._client.get("workspaces", environment=self._environment, **cursor)
            found += [each for each in page["items"] if each["state"] != "destroyed"]
            if page["next"] is None:
                return [each for each in found if (each["purpose"] == _DEBUG) in kinds]
            cursor = {"cursor": page["next"]}

    def find(self, target: Target) -> Json | None:
        """Return the record of a workspace that is not destroyed, or None if there is none."""
        return next((each for each in self.standing() if each["name"] == target.workspace), None)

    def begin(self, target: Target, *, purpose: str, database: str, expires_at: datetime) -> None:
        """Record a workspace before it is created."""
        body = {
            "environment": self._environment,
            "name": target.workspace,
            "purpose": purpose,
            "owner": self._environ.get("OWNER") or None,
            "reason": self._reason(),
            "expires_at": text(expires_at),
            "database": database,
        }
        self._client.post("workspaces", body, again=True)

    def made(self, target: Target, outputs: Json, expires_at: datetime) -> Json | None:
        """Record the address of a workspace that was created or updated; return the workspace's record."""
        record = self.find(target)
        if record is not None:
            self._change(record, base_url=outputs["url"])
        return record

    def extend(self, record: Json, expires_at: datetime, reason: str | None) -> None:
        """Change the end of a workspace."""
        self._change(record, expires_at=text(expires_at), **({} if reason is None else {"reason": self._reason()}))

    def destroyed(self, record: Json) -> None:
        self._client.change("DELETE", f"workspaces/{record['id']}")

    def route(self, record: Json, client: str, until: datetime, url: str) -> None:
        """Record a route. The registry refuses it unless the workspace is recorded at `url`."""
        self._client.change("PUT", _route(record, client), {"until": text(until), "base_url": url})

    def unroute(self, record: Json, client: str) -> None:
        self._client.change("DELETE", _route(record, client))

    def _reason(self) -> str | None:
        needed(self._environ, "REASON", '"why the workspace is needed"')
        return fitting.text(self._environ, "REASON", fitting.MOST_REASON)

    def _change(self, record: Json, **changes: Any) -> None:
        self._client.change("PATCH", f"workspaces/{record['id']}", changes)


class Tags:
    """A tag of each workspace's API function, with the end of the workspace. Terraform's state keeps the rest."""

    kind = f"tag `{TAG}`"

    def __init__(self, own: Target) -> None:
        self._own = own

    def standing(self, kinds: Collection[bool] = BOTH) -> list[Json]:
        """Return a record of each workspace that has the tag. `kinds` has True for debug workspaces."""
        return list(self._standing(kinds))

    def find(self, target: Target) -> Json | None:
        """Return the record of a workspace, or None if the workspace does not exist or lacks the tag."""
        return self._record(target, environment.outputs(target))

    def begin(self, target: Target, *, purpose: str, database: str, expires_at: datetime) -> None:
        """Check the end of a workspace before the workspace is created. The tag needs the workspace's function."""
        _require_end(purpose, expires_at)

    def made(self, target: Target, outputs: Json, expires_at: datetime) -> Json | None:
        """Tag a workspace that was created. An update of a workspace keeps the tag. Return the workspace's record."""
        if self._record(target, outputs) is None:
            self._tag(outputs, expires_at)
        return self._record(target, outputs)

    def extend(self, record: Json, expires_at: datetime, reason: str | None) -> None:
        """Change the end of a workspace."""
        if record["state"] == "expired":
            raise ToolError(f"{record['name']} has expired: destroy it with make workspace-destroy")
        _require_end(record["purpose"], expires_at)
        self._tag(record["outputs"], expires_at)

    def destroyed(self, record: Json) -> None:
        """Do nothing: the tag is gone with its function."""

    def route(self, record: Json, client: str, until: datetime, url: str) -> None:
        """Require that the workspace does not end before the route."""
        if until > datetime.fromisoformat(record["expires_at"]):
            raise ToolError(
                f"The route would end after its workspace, which expires at {record['expires_at']}: set a shorter "
                "UNTIL, or extend the workspace with make workspace-extend"
            )

    def unroute(self, record: Json, client: str) -> None:
        """Do nothing: the environment's store of routes has the only record of a route."""

    def _standing(self, kinds: Collection[bool]) -> Iterator[Json]:
        # A role for one kind can't read the states of the other.
        for target in environment.workspaces(self._own):
            if target.debug not in kinds:
                continue
            try:
                record = self.find(target)
            except _UNREADABLE as error:
                say(f"{target.name} can't be read: {error}")
                continue
            if record is not None:
                yield record

    def _record(self, target: Target, outputs: Json) -> Json | None:
        said = self._tags(outputs).get(TAG)
        if said is None:
            return None
        state = "active" if datetime.fromisoformat(said) > datetime.now(UTC) else "expired"
        return {
            "name": target.workspace,
            "state": state,
            # Personal and preview workspaces have the same limits.
            "purpose": _DEBUG if target.debug else "personal",
            "expires_at": said,
            "outputs": outputs,
        }

    def _tag(self, outputs: Json, expires_at: datetime) -> None:
        client = self._client(outputs)
        arn = client.get_function(FunctionName=_function(outputs))["Configuration"]["FunctionArn"]
        client.tag_resource(Resource=arn, Tags={TAG: text(expires_at)})

    def _tags(self, outputs: Json) -> dict[str, str]:
        """Return the function's tags; {} if the creation or destruction of the workspace did not end."""
        if "api" not in outputs:
            return {}
        client = self._client(outputs)
        try:
            return dict(client.get_function(FunctionName=_function(outputs)).get("Tags", {}))
        except client.exceptions.ResourceNotFoundException:
            return {}

    def _client(self, outputs: Json) -> Any:
        return self._own.client("lambda", outputs["region"])


def records_of(environ: Environ, own: Target) -> Registry | Tags:
    """Return the records of an environment's workspaces; `own` is the environment itself."""
    if environ.get("SLIPWAY_URL"):
        return Registry(environ, own)
    say(f"SLIPWAY_URL is not set, so no registry has the workspaces: the {Tags.kind} keeps the end of each")
    return Tags(own)


def text(moment: datetime) -> str:
    """Return a time as the registry and the tag write it."""
    return moment.isoformat().replace("+00:00", "Z")


def _require_end(purpose: str, expires_at: datetime) -> None:
    if expires_at > datetime.now(UTC) + _MOST_AHEAD[purpose]:
        days = _MOST_AHEAD[purpose].days
        raise ToolError(f"A {purpose} workspace may end at most {days} days from now: set EXPIRES={days}d or less")


def _function(outputs: Json) -> str:
    return str(outputs["api"]["function_names"]["api"])


def _route(record: Json, client: str) -> str:
    return f"workspaces/{record['id']}/routes/{quote(client, safe='')}"
