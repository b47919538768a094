"""Two environments and a debug workspace of one of them, side by side in one emulated account: they share nothing.

What this does not prove is in docs/infrastructure.md: the emulated account runs no function and enforces no policy.
"""

import json
import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from itertools import combinations

import pytest

from devtools import emulator
from devtools.emulator.account import emulated_account, emulated_client
from devtools.state import ROOT
from infra import compose
from infra.tools.environment import PLANS
from infra.tools.terraform import missing
from tests.support import asked

pytestmark = pytest.mark.skipif(missing() is not None, reason=f"infrastructure: {missing()}")

SECONDS = 900

# What a second plan changes because the emulated account forgets it: attributes by type.
PHANTOMS = {
    "aws_lambda_function": {"logging_config", "qualified_arn", "qualified_invoke_arn", "version"},
    "aws_rds_cluster_instance": {
        "performance_insights_enabled",
        "performance_insights_kms_key_id",
        "performance_insights_retention_period",
    },
    "aws_vpc_security_group_egress_rule": {"description"},
    "aws_vpc_security_group_ingress_rule": {"description"},
    "aws_cloudfront_distribution": {
        "default_cache_behavior",
        "ordered_cache_behavior",
        "origin",
        "viewer_certificate",
    },
}

# What is named within something that is one target's own, and so by the same name in each.
NAMED_WITHIN = {
    "aws_default_security_group": "name",
    "aws_lambda_alias": "name",
    "aws_iam_role_policy": "name",
    "aws_cognito_user_group": "name",
    "aws_cognito_resource_server": "name",
    "aws_lambda_permission": "id",
}


class Target:
    """An environment's workspace, as `make` is told of it."""

    def __init__(self, port, package, environment, workspace=None, **choices):
        self.environ = {**os.environ, "ENV": environment, "EMULATED": str(port), "PACKAGE": str(package), **choices}
        self.name = environment
        self.key = f"{environment}.tfstate"
        if workspace:
            self.environ["WORKSPACE"] = workspace
            self.name = f"{environment}-{workspace}"
            self.key = f"{environment}/{workspace}/{environment}.tfstate"

    def make(self, command):
        done = subprocess.run(
            [sys.executable, "-m", "infra.tools.environment", command],
            cwd=ROOT,
            env=self.environ,
            capture_output=True,
            text=True,
            timeout=SECONDS,
        )
        assert done.returncode == 0, f"{command} {self.name}: {done.stdout[-3000:]}{done.stderr[-3000:]}"
        return done.stdout

    def changes(self):
        """What another plan would change, phantoms aside."""
        self.make("plan")
        plan = json.loads((PLANS / f"{self.name}.json").read_text())
        return [said for change in plan["resource_changes"] if (said := real_change(change))]


def real_change(resource):
    change = resource["change"]
    if change["actions"] in (["no-op"], ["read"]):
        return None
    before, after = change["before"] or {}, change["after"] or {}
    attributes = {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}
    if change["actions"] == ["update"]:
        attributes -= PHANTOMS.get(resource["type"], set())
    return (resource["address"], change["actions"], sorted(attributes)) if attributes else None


def identities(state):
    """Ids, ARNs and names of what a state says was made."""
    for resource in state["resources"]:
        if resource["mode"] != "managed":
            continue
        within = NAMED_WITHIN.get(resource["type"])
        for instance in resource["instances"]:
            for attribute in ("id", "arn", "name", "bucket", "identifier", "cluster_identifier"):
                value = instance["attributes"].get(attribute)
                if value and attribute != within:
                    # An ARN is one whatever it is of.
                    yield value if attribute == "arn" else (resource["type"], attribute, value)


@pytest.fixture
def port():
    with emulated_account() as port:
        yield port
        shutil.rmtree(ROOT / ".local" / "targets" / f"emulated-{port}", ignore_errors=True)


@pytest.fixture
def package(tmp_path):
    """`package(stage)`: a folder with the package of a stage. The code is the same for all, so it is packaged once."""
    compose.package("development", tmp_path / "development")

    def of(stage):
        folder = tmp_path / stage
        if not folder.exists():
            shutil.copytree(tmp_path / "development", folder)
            generated = json.loads((folder / "generated.tf.json").read_text())
            generated["locals"]["package"]["stage"] = stage
            (folder / "generated.tf.json").write_text(json.dumps(generated))
        return folder

    return of


def states(port, *targets):
    s3 = emulated_client("s3", port)
    listed = {each["Key"] for each in s3.list_objects_v2(Bucket=emulator.STATE_BUCKET).get("Contents", [])}
    return {
        target.name: json.loads(s3.get_object(Bucket=emulator.STATE_BUCKET, Key=target.key)["Body"].read())
        for target in targets
        if target.key in listed
    }


def test_targets_side_by_side_share_nothing_and_one_can_be_destroyed_alone(port, package, tmp_path):
    development = Target(port, package("development"), "development")
    preproduction = Target(port, package("preproduction"), "preproduction")
    workspace = Target(
        port, package("development"), "development", "fix", PURPOSE="debug", DATABASE="clone", OWNER="jane"
    )
    environments = (development, preproduction)
    everything = (*environments, workspace)

    with ThreadPoolExecutor() as at_once:
        said = list(at_once.map(lambda target: target.make("apply"), environments))
        # It trusts whom its environment trusts, and starts with its data: so it comes second.
        said.append(workspace.make("apply"))

        for target, told in zip(everything, said, strict=True):
            assert f"{target.name} is at https://" in told

        # No id, name or ARN is in two states.
        known = {name: set(identities(state)) for name, state in states(port, *everything).items()}
        assert {name: len(each) > 100 for name, each in known.items()} == dict.fromkeys(known, True)
        assert len(known) == 3
        for one, other in combinations(known, 2):
            assert known[one] & known[other] == set(), f"{one} and {other} share something"

        # What a workspace was made with is remembered, and nothing changes.
        workspace.environ.pop("DATABASE")
        workspace.environ.pop("PURPOSE")
        assert list(at_once.map(Target.changes, everything)) == [[], [], []]

        workspace.environ |= {"TF_LOG_PROVIDER": "DEBUG", "TF_LOG_PATH": str(tmp_path / "log")}
        workspace.make("destroy")

        # A role that reaps may do what that took.
        took = asked.actions(tmp_path / "log")
        assert {"rds:DeleteDBCluster", "wafv2:DeleteWebACL"} <= took
        assert took <= asked.listed("destroying.tf") | asked.listed("reading.tf")

        assert states(port, *everything).keys() == {"development", "preproduction"}
        assert list(at_once.map(Target.changes, environments)) == [[], []]


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"actions": ["no-op"], "before": {}, "after": {}}, None),
        ({"actions": ["update"], "before": {"description": None}, "after": {"description": "x"}}, None),
        ({"actions": ["update"], "before": {"port": 1}, "after": {"port": 2}}, ["port"]),
        ({"actions": ["create"], "before": None, "after": {"description": "x"}}, ["description"]),
        ({"actions": ["delete"], "before": {"description": "x"}, "after": None}, ["description"]),
    ],
    ids=["nothing", "phantom", "change", "new", "gone"],
)
def test_only_listed_phantoms_are_overlooked(change, named):
    said = real_change({"address": "a", "type": "aws_vpc_security_group_egress_rule", "change": change})

    assert (said and said[2]) == named
