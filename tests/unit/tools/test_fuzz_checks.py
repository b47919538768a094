"""Fuzzing accepts only explained refusals. Too many explanations would hide faults."""

import re

import pytest

import app  # noqa: F401  (declares the operations)
from chalicelib.rest.operation import OPERATIONS
from chalicelib.rest.problems import PROBLEM_TYPES
from tools.checks.fuzz_checks import PROBLEMS, RULES, missing_entries


def refused(*pointers: str) -> dict[str, object]:
    return {"type": "/problems/invalid", "errors": [{"pointer": pointer, "detail": ""} for pointer in pointers]}


def rule(operation: str, place: str) -> str:
    return f'RULES["{operation}", "{place}"] = "why"'


def test_a_refusal_by_a_rule_is_explained() -> None:
    assert missing_entries("open_deployment", refused("#/state", "#/commits/12/authored_at")) == []
    assert missing_entries("decide_promotion", refused("#/artifact")) == []


def test_a_refusal_by_no_rule_is_not_explained() -> None:
    assert missing_entries("open_deployment", refused("#/state", "#/lease_seconds")) == [
        rule("open_deployment", "#/lease_seconds")
    ]
    assert missing_entries("open_deployment", refused("#/commits/12/sha")) == [
        rule("open_deployment", "#/commits/12/sha")
    ]
    assert missing_entries("add_status", refused("#/state")) == [rule("add_status", "#/state")]


def test_a_refusal_without_a_place_is_not_explained() -> None:
    assert missing_entries("open_deployment", {"type": "/problems/invalid"}) == [rule("open_deployment", "#")]


@pytest.mark.parametrize(
    ("slug", "missing"), [("cursor-unusable", []), ("malformed", ['PROBLEMS["malformed"] = "why"'])]
)
def test_some_problems_are_always_explained(slug: str, missing: list[str]) -> None:
    assert missing_entries("list_systems", {"type": f"/problems/{slug}"}) == missing


def test_explanations_name_existing_problems_and_operations_only() -> None:
    names = [each.name for each in OPERATIONS if each.function.__module__.startswith("chalicelib.")]

    assert PROBLEMS.keys() <= PROBLEM_TYPES.keys()
    for pattern, _ in RULES:
        for alternative in pattern.split("|"):
            assert any(re.fullmatch(alternative, name) for name in names), (
                f"no operation is called {alternative}: correct this name in RULES"
            )
