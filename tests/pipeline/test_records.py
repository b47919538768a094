"""This repository's pipeline goes on if the registry does not answer, and without a registry."""

from collections.abc import Callable
from typing import Any

import pytest

from tools.__main__ import main
from tools.pipeline import records


def test_only_the_token_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    records.oidc_token({"SLIPWAY_TOKEN": "ey"})

    assert capsys.readouterr().out == "ey\n"


def test_this_pipeline_goes_on_without_an_answer(
    a_step: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("tools.slipway_client.client._PAUSES_BEFORE", (0,))
    variables = a_step(SLIPWAY_URL="http://127.0.0.1:1", SLIPWAY_TOKEN="t").variables

    records.verification({**variables, "OUTCOME": "success"})

    assert "::warning::" in capsys.readouterr().out


@pytest.mark.parametrize("command", ["deployment-open", "deployment-status", "verification", "current", "must-repeat"])
def test_this_pipeline_runs_without_a_registry(
    command: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("tools.slipway_client.recording.RegistryClient", None)

    assert (
        main(
            ["pipeline", command],
            {"GITHUB_ACTIONS": "true", "ENV": "development", "ARTIFACT": "tree:1", "SUITE": "load"},
        )
        == 0
    )

    assert capsys.readouterr().out == "Nothing is recorded: SLIPWAY_URL is not set\n"
