"""Invalid targets are refused. Reading a missing workspace does not create it."""

import shutil

import pytest

from tools.aws import environment
from tools.aws.environment import Target
from tools.aws.terraform import missing
from tools.checkout import ToolError

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

    assert environment.workspaces("development", target.emulated) == []


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
    assert environment.port_of(said) is meant


def test_an_emulated_account_must_be_running(emulated_port):
    assert environment.port_of(str(emulated_port))
    with pytest.raises(ToolError, match="make emulator"):
        environment.port_of("9")
    with pytest.raises(ToolError, match="EMULATED"):
        environment.port_of("yes")
