"""Fuzzing explains refusals by the registry's rules, and no others."""

import app  # noqa: F401  (declares the operations)
from tests.unit.tools.test_fuzz_checks import refused, rule
from tools.checks.fuzz_checks import missing_entries


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
