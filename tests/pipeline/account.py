"""A stand-in for an AWS account with workspaces."""

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

from tools.aws.environment import NotThere
from tools.aws.target import Target
from tools.checkout import ToolError

BUCKET = "service-artifacts-123456789012"
OUTPUTS: dict[str, Any] = {
    "url": "https://api.example.org/development",
    "region": "eu-central-1",
    "api": {
        "invoke_domain": "abc.execute-api.eu-central-1.amazonaws.com",
        "stage_name": "development",
        "function_names": {"api": "api"},
    },
    "site": {"routes_arn": "arn:aws:cloudfront::123456789012:key-value-store/1"},
}


class Account:
    """A stand-in for Terraform, the store of routes and Lambda. `done` lists all changes in order.

    `there` has Terraform's workspaces. `tags` has the tags of each target's function, and `resources` the resources of
    each workspace. `counted` has the values of metrics. `asked_for_routes` is true if a command has read the
    environment's state or its store of routes.
    """

    # Each target has a state, so that no apply is a first one.
    states = SimpleNamespace(exists=lambda workspace: True)
    exceptions = SimpleNamespace(ResourceNotFoundException=KeyError)

    def __init__(self) -> None:
        self.done: list[tuple[str, str]] = []
        self.there: list[str] = []
        self.choices: list[dict[str, str]] = []
        self.routes: dict[str, dict[str, Any]] = {}
        self.addresses: dict[str, dict[str, Any]] = {}
        self.tags: dict[str, dict[str, str]] = {}
        self.resources: dict[str, list[str]] = {}
        self.asked_for_routes = False
        self.fails = ""
        self.counted: list[tuple[str, dict[str, str], int]] = []

    def apply(self, target: Target, *, saved: bool = False) -> dict[str, Any]:
        self.done.append(("apply", target.name))
        self.choices.append(dict(target.choices))
        if target.terraform_workspace not in self.there:
            self.there.append(target.terraform_workspace)
        self.tags.setdefault(target.name, {})
        return self.outputs(target)

    def destroy(self, target: Target) -> None:
        if target.workspace == self.fails:
            raise ToolError("terraform apply failed")
        if target.terraform_workspace not in self.there:
            raise NotThere("no such workspace")
        self.done.append(("destroy", target.name))
        self.there.remove(target.terraform_workspace)
        self.tags.pop(target.name, None)

    def outputs(self, target: Target) -> dict[str, Any]:
        if target.workspace == "default":
            self.asked_for_routes = True
        api = {**OUTPUTS["api"], "function_names": {"api": target.name}}
        return {**OUTPUTS, "api": api}

    def workspaces(self, target: Target) -> list[Target]:
        return [replace(target, workspace=name[2:], debug=name[0] == "d", choices={}) for name in self.there]

    def store(self, target: Target, outputs: Any) -> Any:
        assert target.workspace == "default"
        self.asked_for_routes = True
        return self

    def put(self, client: str, **sent: Any) -> None:
        self.done.append(("route", client))
        self.routes[client] = sent

    def delete(self, client: str) -> None:
        self.done.append(("unroute", client))
        del self.routes[client]

    def put_address(self, workspace: str, api: dict[str, Any]) -> None:
        self.addresses[workspace] = api

    def delete_address(self, workspace: str) -> None:
        self.addresses.pop(workspace, None)

    def all(self) -> dict[str, dict[str, Any]]:
        return dict(self.routes)

    def tagged(self, target: Target) -> dict[str, list[str]]:
        return self.resources

    def exists(self, workspace: str) -> bool:
        return True  # before a first apply, the command would check the account's quotas

    def client(self, service: str, region: str) -> Any:
        assert (service in ("lambda", "cloudwatch"), region) == (True, OUTPUTS["region"])
        return self

    def put_metric_data(self, Namespace: str, MetricData: list[dict[str, Any]]) -> None:  # noqa: N803
        for each in MetricData:
            dimensions = {dimension["Name"]: dimension["Value"] for dimension in each["Dimensions"]}
            self.counted.append((f"{Namespace} {each['MetricName']}", dimensions, each["Value"]))

    def get_function(self, FunctionName: str) -> dict[str, Any]:  # noqa: N803
        return {"Configuration": {"FunctionArn": FunctionName}, "Tags": self.tags[FunctionName]}

    def tag_resource(self, Resource: str, Tags: dict[str, str]) -> None:  # noqa: N803
        self.tags[Resource] |= Tags


# The variables of `make workspace-create` for a debug workspace.
NEW = {"EXPIRES": "2d", "PURPOSE": "debug"}


def expire(account: Account, name: str = "development-d-fix") -> None:
    account.tags[name]["expires"] = "2026-01-01T00:00:00Z"
