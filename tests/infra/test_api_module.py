"""infra/modules/api, filled with what Chalice really says: what is made, named and allowed."""

import shutil
from pathlib import Path

import pytest

from devtools.state import ROOT
from infra import compose
from infra.tools.terraform import missing, terraform
from tests.support.packaged import sources

pytestmark = pytest.mark.skipif(missing() is not None, reason=f"infrastructure: {missing()}")


def test_the_module_makes_what_the_package_says(tmp_path: Path) -> None:
    module = tmp_path / "api"
    ignored = shutil.ignore_patterns("generated.tf.json", "deployment.zip", ".terraform*")
    shutil.copytree(ROOT / "infra" / "modules" / "api", module, ignore=ignored)
    root = sources(tmp_path / "checkout")
    compose.package("production", module, root)
    initialised = terraform(["init", "-backend=false"], module)
    assert initialised.returncode == 0, initialised.stderr

    tested = terraform(["test", "-no-color"], module)

    assert tested.returncode == 0, tested.stdout + tested.stderr
