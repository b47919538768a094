"""Find resources of workspaces by their tags, also if no state has them."""

from collections.abc import Iterator

from chalicelib import NAME
from tools.aws.target import Target
from tools.local import emulation

# The site's firewall is in this region. It also lists resources without a region, such as distributions.
_GLOBAL = "us-east-1"


def tagged(own: Target) -> dict[str, list[str]]:
    """Return the ARNs of workspaces' resources, by Terraform's name of the workspace. `own` is the environment."""
    found: dict[str, list[str]] = {}
    region_of_own = emulation.REGION if own.emulated is not None else own.variables["region"]
    for region in sorted({region_of_own, _GLOBAL}):
        for arn, workspace in _resources(own, region):
            # RDS makes and deletes the snapshots with this prefix by itself.
            if (
                workspace.startswith(("w-", "d-"))
                and ":cluster-snapshot:rds:" not in arn
                and not _is_ending(own, region, arn)
            ):
                found.setdefault(workspace, []).append(arn)
    return found


def _resources(own: Target, region: str) -> Iterator[tuple[str, str]]:
    """Yield the ARN and the tag `workspace` of each tagged resource of the environment."""
    tags = {"system": NAME, "environment": own.environment}
    filters = [{"Key": key, "Values": [value]} for key, value in tags.items()]
    client = own.client("resourcegroupstaggingapi", region)
    for page in client.get_paginator("get_resources").paginate(TagFilters=filters):
        for each in page["ResourceTagMappingList"]:
            yield each["ResourceARN"], {tag["Key"]: tag["Value"] for tag in each["Tags"]}.get("workspace", "")


def _is_ending(own: Target, region: str, arn: str) -> bool:
    """True if a resource is a key that AWS will delete. AWS deletes a key a week after it was destroyed."""
    if not arn.startswith("arn:aws:kms:"):
        return False
    return bool(own.client("kms", region).describe_key(KeyId=arn)["KeyMetadata"]["KeyState"] == "PendingDeletion")
