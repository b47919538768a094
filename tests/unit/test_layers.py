"""The contract of layers in pyproject.toml covers each file of a resource's package."""

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CONTRACTS = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
[LAYERS] = [each["layers"] for each in CONTRACTS if each.get("containers") == ["chalicelib.*"]]
RESOURCES = [each.parent for each in sorted(ROOT.glob("chalicelib/*/*.py")) if each.stem in ("endpoints", "model")]


@pytest.mark.parametrize("package", dict.fromkeys(RESOURCES), ids=lambda package: package.name)
def test_every_file_of_a_resource_is_in_a_layer(package: Path) -> None:
    known = {name for layer in LAYERS for name in re.findall(r"\w+", layer)}

    unknown = sorted({each.stem for each in package.glob("*.py")} - known - {"__init__"})

    assert unknown == [], (
        f"Add {', '.join(f'({name})' for name in unknown)} to a layer of the contract for `chalicelib.*` in "
        "pyproject.toml: use cases stand under the endpoints"
    )
