"""Read Terraform's states from the bucket of the emulated account."""

import json
from collections.abc import Iterator
from typing import Any

from tools.aws.emulator.account import emulated_client
from tools.local.emulation import STATE_BUCKET

# These attributes are unique only within a parent resource, so two targets may have the same value.
_NAMED_WITHIN = {
    "aws_default_security_group": "name",
    "aws_lambda_alias": "name",
    "aws_iam_role_policy": "name",
    "aws_cognito_user_group": "name",
    "aws_cognito_resource_server": "name",
    "aws_lambda_permission": "id",
}


def states(port: int) -> dict[str, Any]:
    """Return Terraform's states by their keys in the bucket."""
    s3 = emulated_client("s3", port)
    listed = [item["Key"] for item in s3.list_objects_v2(Bucket=STATE_BUCKET)["Contents"]]
    return {
        key: json.loads(s3.get_object(Bucket=STATE_BUCKET, Key=key)["Body"].read())
        for key in listed
        if key.endswith(".tfstate")
    }


def identities(state: Any) -> set[tuple[str, str, str]]:
    """Return the ids, ARNs and names of a state's managed resources, except names within a parent resource."""
    return set(_identities(state))


def _identities(state: Any) -> Iterator[tuple[str, str, str]]:
    for resource in state["resources"]:
        if resource["mode"] != "managed":
            continue
        for instance in resource["instances"]:
            for attribute in ("id", "arn", "name", "bucket", "identifier", "cluster_identifier"):
                value = instance["attributes"].get(attribute)
                if value and attribute != _NAMED_WITHIN.get(resource["type"]):
                    # Compare ARNs without the resource type, because an ARN is unique across all types.
                    yield ("", "arn", value) if attribute == "arn" else (resource["type"], attribute, value)
