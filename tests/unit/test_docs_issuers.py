"""The example in docs/issuers.md is one that a stage starts with."""

import re
from pathlib import Path

import pytest

from chalicelib.settings import Issuer, Membership, trusted_issuers

PAGE = Path(__file__).parents[2] / "docs" / "issuers.md"


@pytest.fixture
def example() -> tuple[Issuer, ...]:
    [text] = re.findall(r"```json\n(.*?)```", PAGE.read_text(), re.DOTALL)
    return trusted_issuers({"SLIPWAY_STAGE": "production", "SLIPWAY_ISSUERS": text})


def test_production_starts_with_the_example(example: tuple[Issuer, ...]) -> None:
    pipelines, people = example

    assert pipelines.kind == "github-actions"
    assert (people.kind, people.audience_claim) == ("people", "client_id")
    assert people.groups["release-managers"] == Membership("maintainer", "all")


def test_every_member_is_explained(example: tuple[Issuer, ...]) -> None:
    explained = set(re.findall(r"`(\w+)`", " ".join(re.findall(r"^\| (`.*?) \|", PAGE.read_text(), re.MULTILINE))))

    assert explained == set(Issuer.__struct_fields__)
