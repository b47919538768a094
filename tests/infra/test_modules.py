"""Each module is formatted, valid without a warning, and does what its own `terraform test` says; all of it offline."""

import shutil
from pathlib import Path

import pytest

from infra.tools.terraform import AWS_PROVIDER, missing, terraform

INFRA = Path(__file__).parents[2] / "infra"
MODULES = sorted(path.parent.name for path in (INFRA / "modules").glob("*/versions.tf"))
ENVIRONMENTS = ["development", "preproduction", "production"]

needs_terraform = pytest.mark.skipif(missing() is not None, reason=str(missing()))
needs_api = pytest.mark.skipif("api" not in MODULES, reason="the module api is not there to compose")


def a_copy(tmp_path: Path, folder: str) -> Path:
    """Initialised: Terraform writes into the folder that it works in."""
    shutil.copytree(INFRA, tmp_path / "infra", ignore=shutil.ignore_patterns(".terraform", "__pycache__"))
    copy = tmp_path / "infra" / folder
    answer = terraform(["init", "-backend=false", "-input=false", "-no-color"], copy)
    assert answer.returncode == 0, answer.stderr
    return copy


@pytest.mark.parametrize("module", MODULES)
def test_every_module_pins_the_provider_that_the_tools_look_for(module: str) -> None:
    assert f'version = "{AWS_PROVIDER}"' in (INFRA / "modules" / module / "versions.tf").read_text()


@needs_terraform
def test_everything_is_formatted() -> None:
    answer = terraform(["fmt", "-check", "-recursive", "-no-color"], INFRA)

    assert answer.returncode == 0, f"`terraform fmt -recursive infra` mends {answer.stdout}"


@needs_terraform
@needs_api
@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_an_environment_is_valid_without_a_warning(environment: str, tmp_path: Path) -> None:
    answer = terraform(["validate", "-no-color"], a_copy(tmp_path, environment))

    assert answer.returncode == 0, answer.stderr
    assert "Warning" not in answer.stdout + answer.stderr


@needs_terraform
@needs_api
def test_what_infrastructure_main_composes(tmp_path: Path) -> None:
    answer = terraform(["test", "-no-color"], a_copy(tmp_path, "modules/infrastructure-main"))

    assert answer.returncode == 0, answer.stdout + answer.stderr
