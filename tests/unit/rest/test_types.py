"""A pattern means the same in Python, which checks texts, and in JSON Schema, which documents the pattern."""

from typing import Any

import msgspec
import pytest
from jsonschema_rs import validator_for

from chalicelib.environments.model import RequiredSuites
from chalicelib.rest.types import Cursor, Name, Text
from chalicelib.vocabulary import OverrideReason
from tools.checks.openapi.schemas import Schemas

BEFORE_SURROGATES = range(0xD800)


@pytest.mark.parametrize("place", ["{}aaaaaaaaaa", "aaaaaaaaaa{}", "aaaaa{}aaaaa"])
def test_service_and_document_accept_the_same_reasons(place: str) -> None:
    promised = validator_for(Schemas([OverrideReason]).of(OverrideReason))

    differing = [
        character
        for character in map(chr, [*BEFORE_SURROGATES, 0xFEFF])
        if promised.is_valid(place.format(character)) != fits(place.format(character))
    ]

    assert differing == []


@pytest.mark.parametrize(
    ("type_", "value"),
    [
        (Name, "A\0zul"),
        (Text, "\0"),
        (OverrideReason, "aaaaa\0aaaaa"),
        (Cursor, "a b"),
        (Cursor, "\0"),
        (RequiredSuites, ["acceptance", "acceptance"]),
    ],
)
def test_the_document_does_not_allow_values_that_later_checks_refuse(type_: Any, value: Any) -> None:
    assert not validator_for(Schemas([type_]).of(type_)).is_valid(value)


@pytest.mark.parametrize("character", [" ", "\n", "\t", "\x1c", "\x85", "\xa0", "\u2028", "\ufeff", "\0"])
def test_a_reason_neither_starts_nor_ends_with_white_space(character: str) -> None:
    assert not fits(f"{character}aaaaaaaaaa")
    assert not fits(f"aaaaaaaaaa{character}")


def fits(reason: str) -> bool:
    try:
        msgspec.convert(reason, OverrideReason)
    except msgspec.ValidationError:
        return False
    return True
