"""Run the commands of docs/first-deployment.md that call GitHub, and check their effects."""

import json
import re
from pathlib import Path

import pytest

from chalicelib import NAME
from tests.support import gh
from tests.support.page import blocks, script
from tools.checkout import ENVIRONMENTS

PAGE = "first-deployment.md"


@pytest.fixture
def told(tmp_path: Path) -> list[str]:
    """The arguments of each call of `gh` in the page's blocks for GitHub, in order."""
    return gh.calls(script(PAGE, needs="GitHub"), tmp_path, {"URL": f"https://{NAME}.example.org"})


def test_each_new_github_environment_gets_the_role_of_its_job(told: list[str]) -> None:
    prefix = "variable set AWS_ROLE --env "
    roles = dict(line.removeprefix(prefix).split(" --body ") for line in told if line.startswith(prefix))
    expected = {"artifact": f"arn:aws:iam::123456789012:role/{NAME}-account-artifacts"}
    for name, account in (("development", 123456789012), ("preproduction", 123456789012), ("production", 210987654321)):
        expected[name] = f"arn:aws:iam::{account}:role/{NAME}-account-apply-{name}"
        for may in ("workspaces", "debug", "reap", "reap-debug", "verify"):
            expected[f"{name}-{may}"] = f"arn:aws:iam::{account}:role/{NAME}-account-{may}-{name}"
    assert roles == expected

    made = {
        match[1] for line in told if (match := re.search(rf"--method PUT repos/acme/{NAME}/environments/(\S+)", line))
    }
    assert made == roles.keys()


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_an_environment_and_its_daily_verification_get_an_address_and_an_audience(name: str, tmp_path: Path) -> None:
    commands = script(PAGE, "4.", needs="GitHub", replacing={"name=development": f"name={name}"})

    set_ = gh.variables(gh.calls(commands, tmp_path)).environments

    assert set_.keys() == {name, f"{name}-verify"}
    for variables in set_.values():
        assert variables["URL"].startswith("https://")
        assert variables["AUDIENCE"] == f"{NAME}-{name}"


def test_commands_that_are_repeated_for_each_environment_name_it_once() -> None:
    repeated = [block.text for block in blocks(PAGE) if block.heading.startswith("4.") and "name=" in block.text]
    repeated += [block.text for block in blocks(PAGE) if block.heading.startswith("5.")]

    assert repeated
    for text in repeated:
        assert re.findall(r"\S*development\S*", text) == ["name=development"]


def test_the_list_of_environments_grows_to_all(told: list[str]) -> None:
    prefix = "variable set ENVIRONMENTS --body "
    lists = [json.loads(line.removeprefix(prefix)) for line in told if line.startswith(prefix)]

    assert lists == [list(ENVIRONMENTS[:number]) for number in (1, 2, 3)]


def test_no_secret_is_set(told: list[str]) -> None:
    assert not any("secret" in line for line in told)
