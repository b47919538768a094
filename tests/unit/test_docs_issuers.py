"""The examples in docs/issuers.md are valid values of SLIPWAY_ISSUERS and SLIPWAY_SIGN_IN."""

import re

import pytest

from chalicelib.settings import Issuer, Membership, _sign_in, trusted_issuers
from tests.support.page import blocks, text

ISSUERS, SIGN_IN = (block.text for block in blocks("issuers.md") if block.language == "json")


@pytest.fixture
def example() -> tuple[Issuer, ...]:
    return trusted_issuers({"SLIPWAY_STAGE": "production", "SLIPWAY_ISSUERS": ISSUERS})


def test_production_starts_with_the_example(example: tuple[Issuer, ...]) -> None:
    pipelines, people = example

    assert pipelines.kind == "github-actions"
    assert (people.kind, people.audience_claim) == ("people", "client_id")
    assert people.groups["release-managers"] == Membership("maintainer", "all")


def test_people_sign_in_at_an_issuer_of_the_example(example: tuple[Issuer, ...]) -> None:
    assert _sign_in(example, SIGN_IN) is not None


def test_every_member_is_explained(example: tuple[Issuer, ...]) -> None:
    explained = set(re.findall(r"`(\w+)`", " ".join(re.findall(r"^\| (`.*?) \|", text("issuers.md"), re.MULTILINE))))

    assert explained == set(Issuer.__struct_fields__)
