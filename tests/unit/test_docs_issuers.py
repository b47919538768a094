"""The example in docs/issuers.md is a valid value of SLIPWAY_ISSUERS."""

import re

import pytest

from chalicelib.settings import Issuer, Membership, trusted_issuers
from tests.support.page import blocks, text


@pytest.fixture
def example() -> tuple[Issuer, ...]:
    [example] = [block.text for block in blocks("issuers.md") if block.language == "json"]
    return trusted_issuers({"SLIPWAY_STAGE": "production", "SLIPWAY_ISSUERS": example})


def test_production_starts_with_the_example(example: tuple[Issuer, ...]) -> None:
    pipelines, people = example

    assert pipelines.kind == "github-actions"
    assert (people.kind, people.audience_claim) == ("people", "client_id")
    assert people.groups["release-managers"] == Membership("maintainer", "all")


def test_every_member_is_explained(example: tuple[Issuer, ...]) -> None:
    explained = set(re.findall(r"`(\w+)`", " ".join(re.findall(r"^\| (`.*?) \|", text("issuers.md"), re.MULTILINE))))

    assert explained == set(Issuer.__struct_fields__)
