"""Every rule in infra's modules and environments is violated by a test: one that nothing violates may say anything."""

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tools.checkout import ROOT

ENVIRONMENTS = [ROOT / "infra" / name for name in ("development", "preproduction", "production")]
MODULES = sorted(path.parent for path in (ROOT / "infra" / "modules").glob("*/versions.tf"))

# terraform fmt puts a block's first line and its closing brace at the margin.
_BLOCK = re.compile(
    r'^(variable|resource|data|output|check) "([^"]+)"(?: "([^"]+)")? \{$(.*?)^\}$', re.MULTILINE | re.DOTALL
)
_RULE = re.compile(r"^\s+(?:validation|precondition|postcondition) \{$", re.MULTILINE)
_EXPECTED = re.compile(r"expect_failures\s*=\s*\[(.*?)\]", re.DOTALL)


def rules(text: str) -> Iterator[tuple[str, int]]:
    """What has rules, as tests name it, with how many they are."""
    for kind, first, second, body in _BLOCK.findall(text):
        if number := len(_RULE.findall(body)):
            yield (
                {"variable": f"var.{first}", "resource": f"{first}.{second}"}.get(kind)
                or ".".join(filter(None, (kind, first, second))),
                number,
            )


def violated(text: str) -> Counter[str]:
    """How many runs expect each to fail."""
    return Counter(
        name
        for expected in _EXPECTED.findall(text)
        for name in re.findall(r"[a-z][a-z0-9_]*(?:\.[a-z0-9_]+)+", expected)
    )


def unviolated(module: Path) -> list[str]:
    ruled = Counter[str]()
    for source in module.glob("*.tf"):
        ruled.update(dict(rules(source.read_text())))
    tested = violated("\n".join(path.read_text() for path in (module / "tests").glob("*.tftest.hcl")))
    return sorted(
        f"{name}: {number} rules, {tested[name]} violations" for name, number in ruled.items() if tested[name] < number
    )


@pytest.mark.parametrize("module", [*MODULES, *ENVIRONMENTS], ids=lambda module: module.name)
def test_every_rule_is_violated(module: Path) -> None:
    assert unviolated(module) == []


def test_a_rule_that_nothing_violates_is_found(tmp_path: Path) -> None:
    (tmp_path / "tests").mkdir()
    (tmp_path / "main.tf").write_text(
        """
variable "zones" {
  type = number

  validation {
    condition     = var.zones > 1
    error_message = "Two at least."
  }

  validation {
    condition     = var.zones < 4
    error_message = "Three at most."
  }
}

data "aws_vpc" "this" {
  lifecycle {
    postcondition {
      condition     = self.id != ""
      error_message = "There is none."
    }
  }
}

resource "aws_vpc" "this" {
  lifecycle {
    precondition {
      condition     = var.zones == 2
      error_message = "Two."
    }
  }
}
"""
    )
    (tmp_path / "tests" / "a.tftest.hcl").write_text(
        """
run "none" {
  expect_failures = [var.zones, aws_vpc.this]
}
"""
    )

    assert unviolated(tmp_path) == ["data.aws_vpc.this: 1 rules, 0 violations", "var.zones: 2 rules, 1 violations"]
