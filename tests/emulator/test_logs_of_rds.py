"""RDS makes the log group of a destroyed cluster again. `make apply` and `make destroy` delete it."""

from typing import Any

import pytest

from chalicelib import NAME
from tools.aws.emulator.account import emulated_client
from tools.aws.environment import Target, _delete_logs_of_rds

ENVIRONMENT, OTHER = "development-w-logs", "development-w-others"


@pytest.mark.parametrize("action", ["create", "delete"])
def test_the_log_group_of_a_cluster_that_terraform_makes_or_has_destroyed_is_deleted(
    emulated_port: int, action: str
) -> None:
    logs = emulated_client("logs", emulated_port, "eu-central-1")
    own, other, kept = (
        f"/aws/rds/cluster/{NAME}-{name}" for name in (f"{ENVIRONMENT}/a", f"{OTHER}/a", f"{ENVIRONMENT}/b")
    )
    for name in (own, other, kept):
        logs.create_log_group(logGroupName=name)
    target = Target("development", "logs", emulated=emulated_port)
    plan = planned(action, own, other, f"/aws/rds/cluster/{NAME}-{ENVIRONMENT}/gone")
    plan["resource_changes"] += planned("no-op", kept)["resource_changes"]

    _delete_logs_of_rds(target, plan, action)

    left = {each["logGroupName"] for each in logs.describe_log_groups()["logGroups"]}
    for name in {other, kept} & left:
        logs.delete_log_group(logGroupName=name)
    assert left & {own, other, kept} == {other, kept}


def planned(action: str, *names: str) -> dict[str, Any]:
    changes = [
        {
            "type": "aws_cloudwatch_log_group",
            "change": {"actions": [action], "before": {"name": name}, "after": {"name": name}},
        }
        for name in names
    ]
    return {"resource_changes": changes, "variables": {"region": {"value": "eu-central-1"}}}
