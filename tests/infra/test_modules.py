"""Each module is formatted, valid without a warning, and does what its own `terraform test` says; all of it offline."""

import re
from pathlib import Path

import pytest

from tests.support import modules
from tools.aws.terraform import AWS_PROVIDER, missing, terraform
from tools.checkout import ROOT

INFRA = ROOT / "infra"
MODULES = sorted(path.parent.name for path in (INFRA / "modules").glob("*/versions.tf"))
ENVIRONMENTS = ["development", "preproduction", "production"]
TESTS = [(module, file) for module in MODULES for file in modules.tests_of(INFRA / "modules" / module)]

needs_terraform = pytest.mark.skipif(missing() is not None, reason=f"infrastructure: {missing()}")


@pytest.mark.parametrize("module", MODULES)
def test_every_module_pins_the_provider_that_the_tools_look_for(module: str) -> None:
    assert f'version = "{AWS_PROVIDER}"' in (INFRA / "modules" / module / "versions.tf").read_text()


@pytest.mark.parametrize("module", MODULES)
def test_every_module_is_tested(module: str) -> None:
    files = [INFRA / "modules" / name / file for name, file in TESTS if name == module]

    assert any(re.search(r'^run "', file.read_text(), re.MULTILINE) for file in files)


@needs_terraform
def test_everything_is_formatted() -> None:
    answer = terraform(["fmt", "-check", "-recursive", "-no-color"], INFRA)

    assert answer.returncode == 0, f"`terraform fmt -recursive infra` mends {answer.stdout}"


@needs_terraform
@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_an_environment_is_valid_without_a_warning(environment: str) -> None:
    answer = terraform(["validate", "-no-color"], modules.initialised(environment, environment))

    assert answer.returncode == 0, answer.stderr
    assert "Warning" not in answer.stdout + answer.stderr


@needs_terraform
@pytest.mark.parametrize(("module", "file"), TESTS, ids=[f"{module}-{Path(file).stem}" for module, file in TESTS])
def test_a_module_does_what_its_tests_say(module: str, file: str) -> None:
    answer = modules.test(modules.initialised(f"modules/{module}"), file)

    assert answer.returncode == 0, answer.stdout + answer.stderr
