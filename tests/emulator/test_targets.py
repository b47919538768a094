"""Invalid targets are refused. Terraform reads no state but the target's, and runs no provider that a state names."""

import json
import re
import shutil
from dataclasses import replace

import pytest

from chalicelib import NAME
from tools.aws import environment, terraform
from tools.aws.states import States, settings_of
from tools.aws.target import Target, port_of
from tools.aws.terraform import missing
from tools.checkout import ENVIRONMENTS, ROOT, ToolError
from tools.local.emulation import STATE_BUCKET

ANOTHER = "registry.terraform.io/acme/another"

pytestmark = pytest.mark.skipif(missing() is not None, reason=f"infrastructure: {missing()}")


@pytest.fixture
def target(emulated_port):
    target = Target("development", "typo", emulated=emulated_port)
    yield target
    shutil.rmtree(target.folder.parent, ignore_errors=True)


def test_asking_for_a_missing_workspace_does_not_create_it(target):
    assert environment.outputs(target) == {}

    with pytest.raises(ToolError, match="no workspace typo"):
        environment.rollback(target)

    with pytest.raises(ToolError, match="no workspace typo"):
        environment.destroy(target)

    assert environment.workspaces(target) == []


@pytest.fixture
def states(client, target):
    """`states("w-ann", b"…")` writes the state of a workspace, or of the environment itself for `default`."""
    written = []

    def write(workspace, content):
        path = "development.tfstate" if workspace == "default" else f"development/{workspace}/development.tfstate"
        client("s3").put_object(Bucket=STATE_BUCKET, Key=path, Body=content)
        written.append(path)

    yield write
    for path in written:
        client("s3").delete_object(Bucket=STATE_BUCKET, Key=path)


def test_the_workspaces_of_both_kinds_are_found(target, states):
    for name in ("w-ann", "d-ann", "d-fix-1", "ann", "x-ann", "w-Ann", "w-", "w-a/b"):
        states(name, b"{}")

    assert [(each.name, each.workspace, each.debug) for each in environment.workspaces(target)] == [
        ("development-d-ann", "ann", True),
        ("development-d-fix-1", "fix-1", True),
        ("development-w-ann", "ann", False),
    ]


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_the_states_are_where_terraform_keeps_them(name):
    on_aws = settings_of(name, emulated=False)
    backend = (ROOT / "infra" / name / "main.tf").read_text()

    assert re.fullmatch(rf"{NAME}-state-[0-9]{{12}}", on_aws["bucket"])
    assert re.fullmatch(r"[a-z]+-[a-z]+-[0-9]", on_aws["region"])
    assert f'key                  = "{name}.tfstate"' in backend
    assert f'workspace_key_prefix = "{name}"' in backend
    assert States(None, on_aws["bucket"], name)._key("w-ann") == f"{name}/w-ann/{name}.tfstate"


def test_a_missing_bucket_is_reported(client):
    with pytest.raises(ToolError, match=r"(?s)NoSuchBucket.*make account"):
        States(client("s3"), "missing", "development").workspaces()


@pytest.mark.parametrize("debug", [True, False])
def test_a_workspace_is_made_and_used_without_the_state_of_its_environment(target, states, debug):
    states("default", b"unreadable")
    made = replace(target, workspace="ann", debug=debug)

    environment._prepare(made, create=True)
    states(made.terraform_workspace, json.dumps(state({"main": {"value": {"url": "u"}, "type": ["map", "string"]}})))

    assert environment.outputs(made)["url"] == "u"
    with pytest.raises(ToolError, match="can't be read"):
        environment.outputs(replace(target, workspace="default"))


def test_a_provider_that_a_state_names_is_refused(target, states, tmp_path, monkeypatch):
    states("w-typo", json.dumps(state({})))
    environment._prepare(target)
    a_mirror_with_another_provider(target.folder / target.environment, tmp_path / "mirror")
    monkeypatch.setattr(terraform, "STATE", tmp_path / "terraform")
    monkeypatch.setenv("TF_PLUGIN_MIRROR", str(tmp_path / "mirror"))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("TF_CLI_CONFIG_FILE", raising=False)
    environment._prepare(target)

    thing = {"mode": "managed", "type": "another_thing", "name": "this", "instances": []}
    states("w-typo", json.dumps(state({}, {**thing, "provider": f'provider["{ANOTHER}"]'})))

    with pytest.raises(ToolError, match=r"(?s)terraform init.*Provider dependency changes detected"):
        environment._prepare(target)


def test_an_apply_needs_a_saved_plan(target):
    with pytest.raises(ToolError, match="no saved plan"):
        environment.apply(target, saved=True)


@pytest.mark.parametrize("name", ["Fix", "fix-", "fix--it", "1st", "a2345678901234567", "", "../x"])
def test_an_ill_formed_workspace_name_is_refused_before_any_change(name):
    with pytest.raises(ToolError, match="can't name a workspace"):
        Target("development", name)


def test_another_environment_is_refused():
    with pytest.raises(ToolError, match="ENV="):
        Target("staging")


@pytest.mark.parametrize(("said", "meant"), [("", None), ("0", None)])
def test_without_emulated_the_target_is_in_aws(said, meant):
    assert port_of(said) is meant


def test_an_emulated_account_must_be_running(emulated_port):
    assert port_of(str(emulated_port))
    with pytest.raises(ToolError, match="make emulator"):
        port_of("9")
    with pytest.raises(ToolError, match="EMULATED"):
        port_of("yes")


def state(outputs, *resources):
    return {"version": 4, "serial": 1, "lineage": "one", "outputs": outputs, "resources": resources}


def a_mirror_with_another_provider(initialised, mirror):
    """Make a mirror with the AWS provider of an initialised folder, and with the provider ANOTHER."""
    providers = initialised / ".terraform" / "providers"
    [aws] = providers.glob("registry.terraform.io/hashicorp/aws/*/*")
    link = mirror / aws.relative_to(providers)
    link.parent.mkdir(parents=True)
    link.symlink_to(aws.resolve())
    another = mirror / ANOTHER / "1.0.0" / aws.name / "terraform-provider-another_v1.0.0"
    another.parent.mkdir(parents=True)
    another.touch(mode=0o755)
