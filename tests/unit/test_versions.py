"""Each version number has one source. All copies of the number agree with this source."""

import re
import tomllib
from typing import Any

import pytest

from chalicelib import __version__
from tests.support.checkout import ROOT
from tests.support.workflows import action
from tools.aws.terraform import MINIMUM
from tools.checks.openapi.document import document

PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
SETUP = action("setup").content


def newest(changelog: str) -> str:
    """Return the version in the newest heading of a changelog, even if the version is not released."""
    found = re.search(r"^## \[(?:Unreleased\]\n\nThe next version is )?(\d+\.\d+\.\d+)\b", changelog, re.MULTILINE)
    assert found
    assert changelog.index("\n## ") + 1 == found.start()
    return found[1]


@pytest.mark.parametrize(
    "changelog",
    [
        "# Changelog\n\n## [Unreleased]\n\nThe next version is 2.3.4.\n\n## [1.0.0] - 2026-01-31\n",
        "# Changelog\n\n## [2.3.4] - 2026-02-28\n\n## [1.0.0] - 2026-01-31\n",
    ],
)
def test_the_newest_heading_is_found(changelog: str) -> None:
    assert newest(changelog) == "2.3.4"


def test_the_package_the_api_and_the_changelog_have_one_version() -> None:
    assert PYPROJECT["project"]["dynamic"] == ["version"]
    assert PYPROJECT["tool"]["setuptools"]["dynamic"]["version"] == {"attr": "chalicelib.__version__"}
    assert document([])["info"]["version"] == __version__
    assert newest((ROOT / "CHANGELOG.md").read_text()) == __version__


def test_the_pythons_are_those_that_make_takes_and_the_first_is_the_functions() -> None:
    pythons = (ROOT / ".python-version").read_text().split()

    assert pythons[0] == SETUP["inputs"]["python"]["default"]
    assert [f"python{each}" for each in pythons] == re.findall(r"\bpython3\.\d+", makefile("pythons"))
    assert PYPROJECT["project"]["requires-python"] == f">={pythons[-1]},<3.{minor(pythons[0]) + 1}"


def test_terraform_is_the_one_that_workflows_install() -> None:
    terraform = (ROOT / ".terraform-version").read_text().strip()
    [step] = [step for step in SETUP["runs"]["steps"] if "setup-terraform" in step.get("uses", "")]

    assert step["with"]["terraform_version"] == terraform
    assert tuple(map(int, terraform.split(".")))[:2] == MINIMUM


def test_each_folder_of_terraform_requires_at_least_that_version() -> None:
    required = {path: re.findall(r'required_version = "(.*)"', path.read_text()) for path in ROOT.glob("infra/**/*.tf")}
    found: dict[str, Any] = {str(path): versions for path, versions in required.items() if versions}

    assert len(found) == len({path.parent for path in ROOT.glob("infra/**/main.tf")})
    assert {version for versions in found.values() for version in versions} == {">= {}.{}, < 2.0".format(*MINIMUM)}


def makefile(variable: str) -> str:
    """Return the value of a variable in the Makefile."""
    [value] = re.findall(rf"^{variable} := (.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    return str(value)


def minor(version: str) -> int:
    return int(version.split(".")[1])
