"""Each module pins its provider, is formatted, and passes its own tests without a warning."""

from pathlib import Path

import pytest

from tests.support import modules
from tools.aws.terraform import AWS_PROVIDER, missing, terraform
from tools.checkout import ENVIRONMENTS, ROOT

INFRA = ROOT / "infra"
MODULES = sorted(path.parent.name for path in (INFRA / "modules").glob("*/versions.tf"))
TESTS = [(module, file) for module in MODULES for file in modules.tests_of(INFRA / "modules" / module)]

needs_terraform = pytest.mark.skipif(missing() is not None, reason=f"infrastructure: {missing()}")


@pytest.mark.parametrize("module", MODULES)
def test_every_module_pins_the_provider_version_of_the_tools(module: str) -> None:
    assert f'version = "{AWS_PROVIDER}"' in (INFRA / "modules" / module / "versions.tf").read_text()


@needs_terraform
def test_everything_is_formatted() -> None:
    answer = terraform(["fmt", "-check", "-recursive", "-no-color"], INFRA)

    assert answer.returncode == 0, f"{answer.stdout} is not formatted: run `terraform fmt -recursive infra`"


@needs_terraform
@pytest.mark.parametrize(("module", "file"), TESTS, ids=[f"{module}-{Path(file).stem}" for module, file in TESTS])
def test_a_module_passes_its_own_tests(module: str, file: str) -> None:
    modules.passes(modules.copied(f"modules/{module}"), file)


@needs_terraform
@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_an_environment_refuses_wrong_values(environment: str) -> None:
    modules.passes(modules.copied(environment, environment), modules.REFUSALS)
