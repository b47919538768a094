"""Two environments and a debug workspace of one of them, side by side in one emulated account: they share nothing.

They are made, looked at and destroyed by the commands of docs/, above all those of docs/debug-production.md. What this
does not prove is in docs/infrastructure.md: the emulated account runs no function and enforces no policy.
"""

import base64
import hashlib
import json
import os
import re
import shutil
import time
import zipfile
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import combinations

import pytest
from chalice.config import Config

from tests.support import asked
from tests.support.api import application
from tests.support.page import script, sh, started
from tools.aws.emulator.account import emulated_client
from tools.aws.environment import PLANS
from tools.aws.terraform import missing
from tools.checkout import ROOT
from tools.local import emulation
from tools.local.issuer import token
from tools.local.server import serving
from tools.package import compose

pytestmark = pytest.mark.skipif(missing() is not None, reason=f"infrastructure: {missing()}")

SECONDS = 900

# What a second plan changes because the emulated account forgets it: attributes by type.
PHANTOMS = {
    "aws_vpc_security_group_egress_rule": {"description"},
    "aws_vpc_security_group_ingress_rule": {"description"},
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


def changes(name):
    """What the last plan of a target would change, phantoms aside."""
    plan = json.loads((PLANS / f"{name}.json").read_text())
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
    """The emulated account's."""
    with started("make emulator", until="Ctrl-C", environ={**os.environ, "PORT": "0"}) as said:
        port = int(re.search(r":(\d+),", said)[1])
        yield port
    shutil.rmtree(ROOT / ".local" / "targets" / f"emulated-{port}", ignore_errors=True)


@pytest.fixture
def package(tmp_path):
    """`package(stage)`: a folder with the package of a stage. The code is the same for all, so it is packaged once."""
    compose.package("development", tmp_path / "made")

    def of(stage, name=None, remark=b""):
        folder = tmp_path / (name or stage)
        shutil.copytree(tmp_path / "made", folder)
        with zipfile.ZipFile(folder / "deployment.zip", "a") as code:
            code.comment = remark
        digest = hashlib.sha256((folder / "deployment.zip").read_bytes())
        generated = json.loads((folder / "generated.tf.json").read_text())
        generated["locals"]["package"] |= {
            "stage": stage,
            "digest": digest.hexdigest(),
            "source_code_hash": base64.b64encode(digest.digest()).decode(),
        }
        (folder / "generated.tf.json").write_text(json.dumps(generated))
        return str(folder)

    return of


@pytest.fixture
def service(stage):
    """The service over HTTP."""
    config = Config(chalice_stage="local", config_from_disk={"app_name": "slipway"}, default_params={})
    with serving(application.app, config) as url:
        yield url


@pytest.fixture
def make(port, service, given):
    """`make("make apply …")` runs commands in the emulated account, as a maintainer of the system."""
    given.the_usual()
    environ = {
        **{name: value for name, value in os.environ.items() if not name.startswith(("SLIPWAY_", "DATABASE_"))},
        "EMULATED": str(port),
        "SLIPWAY_URL": service,
        "SLIPWAY_SYSTEM": "azul",
        "SLIPWAY_TOKEN": token("maintainer", ["azul"]),
        "TF_CLI_ARGS": "-no-color",
    }

    def make(commands, **variables):
        return sh(commands, environ={**environ, **variables}, seconds=SECONDS)

    make.started = partial(started, environ=environ)
    return make


KEYS = {
    "development": "development.tfstate",
    "preproduction": "preproduction.tfstate",
    "development-fix-42": "development/fix-42/development.tfstate",
}


def states(port):
    s3 = emulated_client("s3", port)
    listed = {each["Key"] for each in s3.list_objects_v2(Bucket=emulation.STATE_BUCKET).get("Contents", [])}
    return {
        name: json.loads(s3.get_object(Bucket=emulation.STATE_BUCKET, Key=key)["Body"].read())
        for name, key in KEYS.items()
        if key in listed
    }


def serving_versions(port, state):
    """Of each function, the version that serves."""
    client = emulated_client("lambda", port)
    functions = state["outputs"]["main"]["value"]["api"]["function_names"].values()
    return {client.get_alias(FunctionName=name, Name="live")["FunctionVersion"] for name in functions}


def log(port, state, request_id):
    """Have a target's API say something of a request."""
    group = f"/aws/lambda/{state['outputs']['main']['value']['api']['function_names']['api']}"
    message = json.dumps({"level": "ERROR", "message": f"no answer to {request_id}", "request_id": request_id})
    client = emulated_client("logs", port)
    client.create_log_stream(logGroupName=group, logStreamName=request_id)
    event = {"timestamp": int(time.time() * 1000), "message": message}
    client.put_log_events(logGroupName=group, logStreamName=request_id, logEvents=[event])


def debug_page(section, *beginnings):
    """What the page says of production is done with development, whose plan an emulated account takes."""
    return script("debug-production.md", section, *beginnings, replacing={"ENV=production": "ENV=development"})


def test_targets_side_by_side_share_nothing_and_one_can_be_destroyed_alone(make, port, package, given, tmp_path):
    of_development, of_preproduction = package("development"), package("preproduction")
    another_of_preproduction = package("preproduction", "another", b"Another package")

    def apply_development():
        said = make("make apply ENV=development", PACKAGE=of_development)
        assert "development is at https://" in said
        make("make plan ENV=development", PACKAGE=of_development)

        assert changes("development") == []

    def apply_preproduction():
        assert "preproduction is at https://" in make("make apply ENV=preproduction", PACKAGE=of_preproduction)
        make("make plan ENV=preproduction", PACKAGE=another_of_preproduction)

        assert {(address.partition("[")[0], *actions) for address, actions, _ in changes("preproduction")} == {
            ("module.main.module.api.aws_lambda_function.this", "update")
        }
        make("make apply ENV=preproduction PLAN=1")
        assert serving_versions(port, states(port)["preproduction"]) == {"2"}
        make("make rollback ENV=preproduction")
        assert serving_versions(port, states(port)["preproduction"]) == {"1"}

    def debug():
        """It trusts whom its environment trusts, and starts with its data: so it comes second."""
        make(debug_page("2."), PACKAGE=of_development)
        assert routed(given) == [("fix-42", "debug", "clone", "jane")]

        log(port, states(port)["development-fix-42"], "4a0b")
        log(port, states(port)["development-fix-42"], "5f1c")
        assert "no answer to 4a0b" in make("make logs ENV=development WORKSPACE=fix-42 SINCE=10m")
        follow = "make logs ENV=development WORKSPACE=fix-42 REQUEST_ID=5f1c FOLLOW=1"
        with make.started(follow, until="no answer to 5f1c") as said:
            assert "4a0b" not in said

        # What a workspace was made with is remembered, and nothing changes.
        make(debug_page("3.", "make apply"), PACKAGE=of_development)
        assert changes("development-fix-42") == []

    with ThreadPoolExecutor() as at_once:
        other = at_once.submit(apply_preproduction)
        apply_development()
        debug()
        other.result()

    # No id, name or ARN is in two states.
    known = {name: set(identities(state)) for name, state in states(port).items()}
    assert {name: len(each) > 100 for name, each in known.items()} == dict.fromkeys(KEYS, True)
    for one, other in combinations(known, 2):
        assert known[one] & known[other] == set(), f"{one} and {other} share something"

    make(debug_page("5.", "make unroute"))
    assert routed(given) == []
    log_of_terraform = {"TF_LOG_PROVIDER": "DEBUG", "TF_LOG_PATH": str(tmp_path / "log")}
    make(debug_page("5.", "make workspace-destroy"), PACKAGE=of_development, **log_of_terraform)

    # A role that reaps may do what that took.
    took = asked.actions(tmp_path / "log")
    assert {"rds:DeleteDBCluster", "wafv2:DeleteWebACL"} <= took
    assert took <= asked.listed("destroying.tf") | asked.listed("reading.tf")

    assert states(port).keys() == {"development", "preproduction"}
    assert given.sql("SELECT name FROM workspaces WHERE destroyed_at IS NULL") == []
    for environment, folder in (("development", of_development), ("preproduction", another_of_preproduction)):
        make(f"make plan ENV={environment}", PACKAGE=folder)
        assert changes(environment) == []


def routed(given):
    return given.sql(
        "SELECT name, purpose, database, client FROM workspaces JOIN routes ON routes.workspace_id = workspaces.id "
        "WHERE routes.until > now()"
    )


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
