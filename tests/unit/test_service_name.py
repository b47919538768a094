"""The service has one name, wherever a file must repeat it, and AWS accepts the names that begin with it."""

import json
import re
import tomllib

import pytest

from chalicelib import NAME
from tests.support.checkout import ROOT

ENVIRONMENTS = ("development", "preproduction", "production")


@pytest.mark.parametrize("name", [NAME, "long-distance-orders"])
def test_the_name_is_short_enough_for_aws(name: str) -> None:
    assert re.fullmatch("[a-z][a-z0-9]*(-[a-z0-9]+)*", name), "use lower-case letters, digits and single hyphens"
    assert 2 <= len(name) <= 20, "use 2 to 20 characters: AWS limits the names that begin with this name"


def test_the_project_and_the_application_have_the_name() -> None:
    assert tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["name"] == NAME
    assert json.loads((ROOT / ".chalice" / "config.json").read_text())["app_name"] == NAME


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_the_system_of_an_environment_has_the_name(environment: str) -> None:
    folder = ROOT / "infra" / environment

    assert re.findall(r'^    system += "(.*)"$', (folder / "main.tf").read_text(), re.MULTILINE) == [NAME]
    assert f'bucket = "{NAME}-state-' in (folder / "state.s3.tfbackend").read_text()


def test_the_system_of_an_account_has_the_name() -> None:
    folder = ROOT / "infra" / "account"
    system = (folder / "variables.tf").read_text().partition('variable "system" {')[2]

    assert re.findall(r'^  default +=  *"(.*)"$', system, re.MULTILINE)[0] == NAME
    for backend in folder.glob("*.s3.tfbackend"):
        assert f'bucket = "{NAME}-state-' in backend.read_text()
