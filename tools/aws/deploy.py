"""Deploy the versions that `terraform apply` published and the page, or roll back to the previous versions.

Terraform never moves an alias. So a version serves only after the schema has what the version expects.
"""

from collections.abc import Mapping
from typing import Any, Protocol

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from tools.aws.page import Page
from tools.checkout import ToolError

ALIAS = "live"

# An alias's description names the version that served before. Do not subtract one from the current version instead:
# the result can be from an older deployment, because a deployment publishes only functions that changed.
_BEFORE = "before: "

# The version that serves, and the version that served before, or None if the earlier version is unknown.
Pointer = tuple[str, str | None]

# A deployment invokes the newest versions of these functions, in this order. The gateway never invokes them.
MAINTENANCE = ("bootstrap", "migrate")

# The error of `migrate` if the schema does not fit the code.
_REFUSED = "MigrationRefused"

# A deployment leaves this many versions of a function beside the two that the alias names.
KEPT = 10

# Wait longer than 900 s, the time limit of a function. Do not retry: a retry would start the migration a second time.
CONFIG = Config(read_timeout=910, retries={"total_max_attempts": 1, "mode": "standard"})


class Part(Protocol):
    """A part of a target that serves one of its versions."""

    @property
    def name(self) -> str:
        """The subject of a sentence about this part."""

    def newest(self) -> str:
        """Return the newest version, or raise ToolError."""

    def serving(self) -> Pointer:
        """Return the version that serves and the version before, or raise ToolError."""

    def point(self, pointer: Pointer) -> None:
        """Let a version serve, and note the version before. Raise botocore's errors."""

    def prune(self) -> None:
        """Delete old versions, but none that a rollback needs. Raise botocore's errors."""


def deploy(outputs: Any, client: Any, page: Page | None = None) -> dict[str, str]:
    """Create the database roles, migrate, then let the newest versions and the page serve. Return what serves.

    Then delete old versions, but none that a rollback needs.

    A target that uses another target's database has no functions for the first two steps, and skips them. After a
    ToolError, every part serves the same version as before the call, unless the message names the part.
    """
    functions, owns_database = _read(outputs)
    parts = _parts(functions, client, page)
    newest = {role: part.newest() for role, part in parts.items()}
    if page:
        page.upload()
    for step in MAINTENANCE if owns_database else ():
        if fault := _fault(client, step, functions[step], newest[step]):
            raise ToolError(
                f"{fault}. Nothing was moved. Fix the error (logs: /aws/lambda/{functions[step]}), and run the same "
                "command again. Steps that succeeded can be repeated"
            )
    serving = {role: part.serving() for role, part in parts.items()}
    # A repeated deployment must not record a version as its own previous version.
    if newest != {role: version for role, (version, _) in serving.items()}:
        _move(parts, serving, {role: (newest[role], serving[role][0] or None) for role in parts})
    for part in parts.values():
        try:
            part.prune()
        except (ClientError, BotoCoreError) as error:
            print(f"{part.name} keeps old versions: {error}. The next deployment tries again to delete them")
    return newest


def enable_data_api(client: Any, cluster: str) -> None:
    """Enable the Data API of a cluster, through which the function `bootstrap` works. Raise ToolError if AWS refuses.

    A clone has no Data API, because the request that restores a cluster can't ask for it. Terraform would only enable
    it in the next apply. See "RestoreDBClusterToPointInTime" and "EnableHttpEndpoint" in Amazon RDS's API Reference.
    """
    try:
        [found] = client.describe_db_clusters(DBClusterIdentifier=cluster)["DBClusters"]
        if not found.get("HttpEndpointEnabled"):
            client.get_waiter("db_cluster_available").wait(DBClusterIdentifier=cluster)
            client.enable_http_endpoint(ResourceArn=found["DBClusterArn"])
    except (ClientError, BotoCoreError) as error:
        raise ToolError(
            f"The Data API of the cluster {cluster} could not be enabled: {error}. Run the same command again"
        ) from error


def rollback(outputs: Any, client: Any, page: Page | None = None) -> dict[str, str]:
    """Let the versions serve that served before the last deployment, and its page. Return what serves.

    The schema stays as it is. If it needs newer code than the earlier version, raise ToolError: the earlier version's
    function `migrate` then refuses the schema. Otherwise it has nothing to do. If it can't run, the rollback goes on.

    After a ToolError, every part serves the same version as before the call, unless the message names the part.
    """
    functions, owns_database = _read(outputs)
    parts = _parts(functions, client, page)
    serving = {role: part.serving() for role, part in parts.items()}
    before = {role: previous for role, (_, previous) in serving.items() if previous is not None}
    if before.keys() != serving.keys():
        first = parts[min(serving.keys() - before.keys())]
        raise ToolError(
            f"{first.name} has no known previous version: it was deployed only once, or was rolled back already. "
            "Nothing was changed: deploy an earlier artifact instead"
        )
    if owns_database and (fault := _fault(client, "migrate", functions["migrate"], before["migrate"])):
        if _REFUSED in fault:
            raise ToolError(f"{fault}. Nothing was moved. Deploy code that fits the schema")
        # The fault may be the reason for the rollback.
        print(f"Nobody knows if the earlier version can use the schema, but the rollback goes on: {fault}")
    # The newer page may call what the earlier API does not have, so the page goes back first.
    _move(parts, serving, {role: (before[role], None) for role in reversed(parts)})
    return before


def _fault(client: Any, step: str, name: str, version: str) -> str | None:
    """Invoke a version of a function. Return its error, or None."""
    try:
        answer = client.invoke(FunctionName=name, Qualifier=version, Payload=b"{}")
        said = answer["Payload"].read().decode(errors="replace")
    except (ClientError, BotoCoreError) as error:
        return f"{step} could not be invoked: {error}"
    return f"{step} failed: {said}" if answer.get("FunctionError") else None


def _move(parts: Mapping[str, Part], serving: Mapping[str, Pointer], wanted: Mapping[str, Pointer]) -> None:
    moved: list[str] = []
    for role, pointer in wanted.items():
        try:
            parts[role].point(pointer)
        except (ClientError, BotoCoreError) as error:
            left = [parts[other].name for other in reversed(moved) if not _moved_back(parts[other], serving[other])]
            others = f"These could not move back: {', '.join(left)}" if left else "All others are unchanged"
            raise ToolError(
                f"{parts[role].name} could not be moved: {error}. {others}. Run the same command again"
            ) from error
        moved.append(role)


def _moved_back(part: Part, pointer: Pointer) -> bool:
    try:
        part.point(pointer)
    except (ClientError, BotoCoreError):
        return False
    return True


class _Alias:
    """The alias of a function. Its versions are numbers."""

    def __init__(self, client: Any, function: str) -> None:
        self._client, self._function = client, function
        self.name = f"The alias {ALIAS} of {function}"

    def newest(self) -> str:
        if versions := self._versions():
            self._wait_until_active(versions[-1])
            return versions[-1]
        raise ToolError(f"The function {self._function} has no published version: run `make apply` first")

    def _wait_until_active(self, version: str) -> None:
        """Wait while AWS connects a new version to its network: Terraform waits for the unpublished code only."""
        named = {"FunctionName": self._function, "Qualifier": version}
        try:
            if self._client.get_function_configuration(**named)["State"] == "Pending":
                self._client.get_waiter("published_version_active").wait(**named)
        except (ClientError, BotoCoreError) as error:
            raise ToolError(
                f"Version {version} of {self._function} is not active: {error}. Run the same command again"
            ) from error

    def serving(self) -> Pointer:
        try:
            alias = self._client.get_alias(FunctionName=self._function, Name=ALIAS)
        except self._client.exceptions.ResourceNotFoundException:
            raise ToolError(f"The function {self._function} has no alias {ALIAS}: run `make apply` first") from None
        previous = alias.get("Description", "").removeprefix(_BEFORE)
        return alias["FunctionVersion"], previous if previous.isdecimal() else None

    def point(self, pointer: Pointer) -> None:
        version, previous = pointer
        description = "" if previous is None else f"{_BEFORE}{previous}"
        self._client.update_alias(
            FunctionName=self._function, Name=ALIAS, FunctionVersion=version, Description=description
        )

    def prune(self) -> None:
        serving = self.serving()
        for version in [each for each in self._versions() if each not in serving][:-KEPT]:
            self._client.delete_function(FunctionName=self._function, Qualifier=version)

    def _versions(self) -> list[str]:
        """Return the published versions, oldest first."""
        pages = self._client.get_paginator("list_versions_by_function").paginate(FunctionName=self._function)
        found = [version["Version"] for page in pages for version in page["Versions"]]
        return sorted((version for version in found if version != "$LATEST"), key=int)


def _parts(functions: Mapping[str, str], client: Any, page: Page | None) -> dict[str, Part]:
    """Return the parts in the order in which a deployment moves them. The page may call what the new API has."""
    aliases: dict[str, Part] = {role: _Alias(client, name) for role, name in functions.items()}
    return aliases if page is None else {**aliases, "page": page}


def _read(outputs: Any) -> tuple[dict[str, str], bool]:
    """Read Terraform's outputs, or raise ToolError.

    Return the functions' names by role, and True if the target has its own database.
    """
    try:
        main = outputs["main"]["value"]
        functions, owns_database = main["api"]["function_names"], main["owns_database"]
    except (KeyError, TypeError):
        functions = owns_database = None
    if not isinstance(functions, dict) or not isinstance(owns_database, bool):
        raise ToolError(
            "Terraform's outputs lack the functions' names (`api.function_names`) or `owns_database`: run `make apply` "
            "first"
        )
    return functions, owns_database
