"""This repository's pipeline records the tree of its checkout. The pipeline goes on if the registry does not answer."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.service.deployments.records import an_artifact
from tests.support.given import Records as Given
from tools.pipeline import artifact, records


def test_only_the_token_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    records.oidc_token({"SLIPWAY_TOKEN": "ey"})

    assert capsys.readouterr().out == "ey\n"


def test_a_deployment_opens_with_the_checkouts_tree(step: Any, given: Given, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(artifact, "tree", lambda: an_artifact("checked out"))

    records.deployment_open({**step.variables, "ARTIFACT": ""})

    assert given.sql("SELECT artifact FROM deployments") == [(an_artifact("checked out"),)]


def test_this_pipeline_goes_on_without_an_answer(
    a_step: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("tools.slipway_client.client._PAUSES_BEFORE", (0,))
    variables = a_step(SLIPWAY_URL="http://127.0.0.1:1", SLIPWAY_TOKEN="t").variables

    records.verification({**variables, "OUTCOME": "success"})

    assert "::warning::" in capsys.readouterr().out
