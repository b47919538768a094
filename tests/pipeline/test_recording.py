"""The commands of a pipeline name missing variables. Without SLIPWAY_URL, nothing is recorded."""

from typing import Any

import pytest

from tests.pipeline.stub import Stub


@pytest.mark.parametrize(
    ("command", "variables", "missing"),
    [
        ("may-promote", {"ENV": ""}, "ENV"),
        ("may-promote", {"ARTIFACT": ""}, "ARTIFACT"),
        ("deployment-open", {"ARTIFACT": " "}, "ARTIFACT"),
        ("deployment-status", {"STATE": "succeeded"}, "DEPLOYMENT"),
        ("deployment-status", {"DEPLOYMENT": "1"}, "STATE"),
        ("deployment-open", {"SLIPWAY_SYSTEM": ""}, "SLIPWAY_SYSTEM"),
        ("deployment-open", {"LEASE_SECONDS": "an hour"}, "LEASE_SECONDS"),
    ],
)
def test_missing_variables_are_named(
    a_step: Any, stub: Stub, command: str, variables: dict[str, str], missing: str
) -> None:
    stub.answers = [(200, {"targets": []})]
    step = a_step(SLIPWAY_URL=stub.url, SLIPWAY_TOKEN="t")

    assert step(command, **variables) == 2

    assert missing in step.said


@pytest.mark.parametrize("command", ["deployment-open", "deployment-status", "verification", "current"])
def test_without_a_registry_nothing_is_recorded_and_a_warning_says_so(a_step: Any, command: str) -> None:
    step = a_step(SLIPWAY_URL="")

    assert step(command) == 0

    assert "::warning::" in step.said
    assert "SLIPWAY_URL is not set" in step.summary


def test_without_a_registry_no_promotion_is_granted(a_step: Any) -> None:
    assert a_step(SLIPWAY_URL="")("may-promote") == 2
