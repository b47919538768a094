"""Each module is formatted, valid without a warning, and does what its own `terraform test` says; all of it offline."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from infra import compose
from infra.tools.terraform import AWS_PROVIDER, missing, terraform

INFRA = Path(__file__).parents[2] / "infra"
MODULES = sorted(path.parent.name for path in (INFRA / "modules").glob("*/versions.tf"))
ENVIRONMENTS = ["development", "preproduction", "production"]

needs_terraform = pytest.mark.skipif(missing() is not None, reason=str(missing()))


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """What fills the module api, as Chalice's package of this checkout says."""
    folder = tmp_path_factory.mktemp("package")
    compose.package("development", folder)
    return json.loads((folder / "generated.tf.json").read_text())


def a_copy(tmp_path: Path, folder: str, package: Any, stage: str) -> Path:
    """Initialised, with a package of the stage: Terraform writes into the folder that it works in."""
    ignored = shutil.ignore_patterns(".terraform", "__pycache__", "generated.tf.json", "deployment.zip")
    shutil.copytree(INFRA, tmp_path / "infra", ignore=ignored)
    locals_ = {**package["locals"], "package": {**package["locals"]["package"], "stage": stage}}
    (tmp_path / "infra" / "modules" / "api" / "generated.tf.json").write_text(json.dumps({"locals": locals_}))
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
@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_an_environment_is_valid_without_a_warning(environment: str, tmp_path: Path, package: Any) -> None:
    answer = terraform(["validate", "-no-color"], a_copy(tmp_path, environment, package, environment))

    assert answer.returncode == 0, answer.stderr
    assert "Warning" not in answer.stdout + answer.stderr


@needs_terraform
def test_what_infrastructure_main_composes(tmp_path: Path, package: Any) -> None:
    answer = terraform(["test", "-no-color"], a_copy(tmp_path, "modules/infrastructure-main", package, "production"))

    assert answer.returncode == 0, answer.stdout + answer.stderr
