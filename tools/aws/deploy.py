"""Deploy the versions that `terraform apply` published, or roll back to the previous versions.

Terraform never moves an alias. So a version serves only after the schema has what the version expects.
"""

from collections.abc import Mapping
from typing import Any

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from tools.checkout import ToolError

ALIAS = "live"

# An alias's description names the version that served before. Do not subtract one from the current version instead:
# the result can be from an older deployment, because a deployment publishes only functions that changed.
_BEFORE = "before: "

# The version that serves, and the version that served before, or None if the earlier version is unknown.
Pointer = tuple[int, int | None]

# A deployment invokes the newest versions of these functions, in this order. The gateway never invokes them.
MAINTENANCE = ("bootstrap", "migrate")

# Besides the version that serves and the version before, this number of versions stays. Lambda deletes none by itself,
# and stores at most 75 GB of code in a region ("Lambda quotas").
KEPT = 10

# Wait longer than 900 s, the time limit of a function. Do not retry: a retry would start the migration a second time.
CONFIG = Config(read_timeout=910, retries={"total_max_attempts": 1, "mode": "standard"})


def deploy(outputs: Any, client: Any) -> dict[str, int]:
    """Create the database roles, migrate, and move every alias to the newest version. Return each function's version.

    Then delete old versions, but none that a rollback needs.

    A target that uses another target's database has no functions for the first two steps, and skips them. After a
    ToolError, every alias has the same version as before the call, unless the message names the alias.
    """
    functions, owns_database = _read(outputs)
    newest = {role: _versions(client, name)[-1] for role, name in functions.items()}
    for step in MAINTENANCE if owns_database else ():
        _invoke(client, step, functions[step], newest[step])
    serving = {role: _serving(client, name) for role, name in functions.items()}
    # A repeated deployment must not record a version as its own previous version.
    if newest != {role: version for role, (version, _) in serving.items()}:
        _move(client, functions, serving, {role: (newest[role], serving[role][0]) for role in functions})
    for name in functions.values():
        _prune(client, name)
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


def rollback(outputs: Any, client: Any) -> dict[str, int]:
    """Move every alias to the version that served before the last deployment. Return each function's version.

    The schema stays as it is, because migrations only add to it. After a ToolError, every alias has the same version as
    before the call, unless the message names the alias.
    """
    functions, _ = _read(outputs)
    serving = {role: _serving(client, name) for role, name in functions.items()}
    before = {role: previous for role, (_, previous) in serving.items() if previous is not None}
    if before.keys() != serving.keys():
        first = functions[min(serving.keys() - before.keys())]
        raise ToolError(
            f"The previous version of {first} is unknown: {first} was deployed only once, or was rolled back already. "
            "Nothing was changed: deploy an earlier artifact instead"
        )
    _move(client, functions, serving, {role: (version, None) for role, version in before.items()})
    return before


def _invoke(client: Any, step: str, name: str, version: int) -> None:
    remedy = (
        "The previous versions still serve. Fix the error (logs: "
        f"/aws/lambda/{name}), and run the same command again. Steps that succeeded can be repeated."
    )
    try:
        answer = client.invoke(FunctionName=name, Qualifier=str(version), Payload=b"{}")
        said = answer["Payload"].read().decode(errors="replace")
    except (ClientError, BotoCoreError) as error:
        raise ToolError(f"{step} could not be invoked: {error}. {remedy}") from error
    if answer.get("FunctionError"):
        raise ToolError(f"{step} failed: {said}. {remedy}")


def _move(
    client: Any, functions: Mapping[str, str], serving: Mapping[str, Pointer], wanted: Mapping[str, Pointer]
) -> None:
    moved: list[str] = []
    for role, pointer in wanted.items():
        try:
            _point(client, functions[role], pointer)
        except (ClientError, BotoCoreError) as error:
            left = [functions[other] for other in reversed(moved) if not _moved_back(client, functions, serving, other)]
            others = (
                f"The aliases of {', '.join(left)} could not move back" if left else "All other aliases are unchanged"
            )
            raise ToolError(
                f"The alias {ALIAS} of {functions[role]} could not be moved: {error}. {others}. "
                "Run the same command again"
            ) from error
        moved.append(role)


def _prune(client: Any, name: str) -> None:
    """Delete old versions of a function. If AWS refuses, say so: the deployment has succeeded."""
    try:
        serving = _serving(client, name)
        others = [version for version in _versions(client, name) if version not in serving]
        for version in others[:-KEPT]:
            client.delete_function(FunctionName=name, Qualifier=str(version))
    except (ClientError, BotoCoreError) as error:
        print(f"Old versions of {name} were not deleted: {error}. The next deployment tries again")


def _moved_back(client: Any, functions: Mapping[str, str], serving: Mapping[str, Pointer], role: str) -> bool:
    try:
        _point(client, functions[role], serving[role])
    except (ClientError, BotoCoreError):
        return False
    return True


def _point(client: Any, name: str, pointer: Pointer) -> None:
    version, previous = pointer
    description = "" if previous is None else f"{_BEFORE}{previous}"
    client.update_alias(FunctionName=name, Name=ALIAS, FunctionVersion=str(version), Description=description)


def _serving(client: Any, name: str) -> Pointer:
    try:
        alias = client.get_alias(FunctionName=name, Name=ALIAS)
    except client.exceptions.ResourceNotFoundException:
        raise ToolError(f"The function {name} has no alias {ALIAS}: run `make apply` first") from None
    previous = alias.get("Description", "").removeprefix(_BEFORE)
    return int(alias["FunctionVersion"]), int(previous) if previous.isdecimal() else None


def _versions(client: Any, name: str) -> list[int]:
    """Return the published versions of a function, oldest first. Raise ToolError if no version is published."""
    pages = client.get_paginator("list_versions_by_function").paginate(FunctionName=name)
    found = [version["Version"] for page in pages for version in page["Versions"]]
    versions = sorted(int(version) for version in found if version != "$LATEST")
    if not versions:
        raise ToolError(f"The function {name} has no published version: run `make apply` first")
    return versions


def _read(outputs: Any) -> tuple[dict[str, str], bool]:
    """Read the output of `terraform output -json`, or raise ToolError.

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
