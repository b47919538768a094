"""Which refusals count as explained: too many, and fuzzing finds nothing."""

import re

import pytest

import app  # noqa: F401  (declares the operations)
from chalicelib.rest.operation import OPERATIONS
from chalicelib.rest.problems import PROBLEM_TYPES
from tools.checks.fuzz_checks import PROBLEMS, RULES, unexplained_parts


def refused(*pointers: str) -> dict[str, object]:
    return {"type": "/problems/invalid", "errors": [{"pointer": pointer, "detail": ""} for pointer in pointers]}


def test_what_rules_decide_is_explained() -> None:
    assert unexplained_parts("open_deployment", refused("#/state", "#/commits/12/authored_at")) == []
    assert unexplained_parts("decide_promotion", refused("#/artifact")) == []


def test_what_no_rule_decides_is_not_explained() -> None:
    assert unexplained_parts("open_deployment", refused("#/state", "#/lease_seconds")) == ["#/lease_seconds"]
    assert unexplained_parts("open_deployment", refused("#/commits/12/sha")) == ["#/commits/12/sha"]
    assert unexplained_parts("add_status", refused("#/state")) == ["#/state"]


def test_a_refusal_that_names_no_place_is_not_explained() -> None:
    assert unexplained_parts("open_deployment", {"type": "/problems/invalid"}) == ["#"]


@pytest.mark.parametrize(("slug", "parts"), [("cursor-unusable", []), ("malformed", ["malformed"])])
def test_some_problems_explain_themselves(slug: str, parts: list[str]) -> None:
    assert unexplained_parts("list_systems", {"type": f"/problems/{slug}"}) == parts


def test_only_what_is_there_is_explained() -> None:
    names = [each.name for each in OPERATIONS if each.function.__module__.startswith("chalicelib.")]

    assert PROBLEMS.keys() <= PROBLEM_TYPES.keys()
    for pattern, _ in RULES:
        for alternative in pattern.split("|"):
            assert any(re.fullmatch(alternative, name) for name in names), f"no operation is called {alternative}"
