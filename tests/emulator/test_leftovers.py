"""Find the resources of workspaces by their tags, in an emulated account."""

from typing import Any

from chalicelib import NAME
from tools.aws.emulator.account import emulated_client
from tools.aws.leftovers import tagged
from tools.aws.target import Target


def test_resources_of_an_environments_workspaces_are_found_by_their_tags(emulated_port: int) -> None:
    def topic(region: str, workspace: str, **others: str) -> str:
        client = emulated_client("sns", emulated_port, region)
        arn: str = client.create_topic(Name=f"{workspace}-{len(others)}", Tags=tags(workspace, **others))["TopicArn"]
        return arn

    left = [topic("eu-central-1", "d-gone"), topic("us-east-1", "d-gone")]
    topic("eu-central-1", "default")
    topic("eu-central-1", "w-other", environment="preproduction")
    topic("eu-central-1", "w-foreign", system="other", environment="development")

    found = tagged(Target("development", emulated=emulated_port))

    assert sorted(found.pop("d-gone")) == sorted(left)
    assert not found.keys() & {"default", "w-other", "w-foreign"}


def test_a_key_that_aws_will_delete_is_not_left_over(emulated_port: int) -> None:
    kms = emulated_client("kms", emulated_port)
    kept, ending = (
        kms.create_key(Tags=[{"TagKey": each["Key"], "TagValue": each["Value"]} for each in tags("w-keys")])[
            "KeyMetadata"
        ]
        for _ in range(2)
    )
    kms.schedule_key_deletion(KeyId=ending["KeyId"], PendingWindowInDays=7)

    assert tagged(Target("development", emulated=emulated_port))["w-keys"] == [kept["Arn"]]


def tags(workspace: str, **others: str) -> list[dict[str, Any]]:
    values = {"system": NAME, "environment": "development", "workspace": workspace, **others}
    return [{"Key": key, "Value": value} for key, value in values.items()]
