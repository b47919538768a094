"""Targets that are not there are not made by asking for them."""

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


def test_asking_for_a_workspace_that_is_not_there_makes_none(target):
    assert environment.outputs(target) == {}

    with pytest.raises(ToolError, match="no workspace typo"):
        environment.rollback(target)

    assert environment.workspaces("development", target.emulated) == []


def test_a_plan_that_was_not_saved_is_not_applied(target):
    with pytest.raises(ToolError, match="no saved plan"):
        environment.apply(target, saved=True)


@pytest.mark.parametrize("name", ["Fix", "fix-", "fix--it", "1st", "a2345678901234567", "", "../x"])
def test_an_ill_formed_workspace_is_refused_before_anything_is_made(name):
    with pytest.raises(ToolError, match="can't name a workspace"):
        Target("development", name)


def test_another_environment_is_refused():
    with pytest.raises(ToolError, match="ENV="):
        Target("staging")


@pytest.mark.parametrize(("said", "meant"), [("", None), ("0", None)])
def test_without_emulated_it_is_aws(said, meant):
    assert environment.port_of(said) is meant


def test_an_emulated_account_has_to_be_there(emulated_port):
    assert environment.port_of(str(emulated_port))
    with pytest.raises(ToolError, match="make emulator"):
        environment.port_of("9")
    with pytest.raises(ToolError, match="EMULATED"):
        environment.port_of("yes")
