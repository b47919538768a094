"""The commands, as `make` calls them."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support.checkout import ROOT
from tests.support.given import Given, an_artifact
from tools.pipeline import __main__ as pipeline
from tools.pipeline import artifact


def test_each_command_is_a_target_of_its_name() -> None:
    called = re.findall(
        r"^([a-z-]+): venv ##.*\n\t@\$\(python\) -m tools\.pipeline ([a-z-]+)$",
        (ROOT / "Makefile").read_text(),
        re.MULTILINE,
    )

    assert {target for target, _ in called} == {command for _, command in called} == pipeline.COMMANDS.keys()
    assert all(target == command for target, command in called)


@pytest.mark.parametrize("arguments", [[], ["deploy"]])
def test_a_command_that_is_none_is_told_which_there_are(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert pipeline.main(arguments, {}) == 1

    assert "may-promote" in capsys.readouterr().out


@pytest.mark.parametrize("what", ["", "deployment"])
def test_a_record_that_is_none_is_told_which_there_are(what: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert pipeline.main(["record"], {"RECORD": what, "SLIPWAY_URL": "https://slipway.example.org"}) == 1

    assert "deployment-open" in capsys.readouterr().out


def test_a_token_is_all_that_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert pipeline.main(["oidc-token"], {"SLIPWAY_TOKEN": "ey"}) == 0

    assert capsys.readouterr().out == "ey\n"


@pytest.mark.parametrize(
    ("command", "variables", "named"),
    [
        ("artifact", {"ENV": "staging"}, "ENV=development|preproduction|production"),
        ("artifact-attested", {}, "GITHUB_REPOSITORY"),
        ("may-promote", {"ARTIFACT": "tree:1"}, "ENV"),
        ("oidc-token", {}, "id-token: write"),
        ("summary", {}, "PLANS"),
    ],
)
def test_what_is_missing_is_named(
    command: str,
    variables: dict[str, str],
    named: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(artifact, "tree", lambda root: "tree:1")

    assert pipeline.main([command], variables) == 1

    assert named in capsys.readouterr().out


def test_what_is_opened_is_the_checkout_s_tree(
    step: Any, given: Given, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(artifact, "tree", lambda: an_artifact("checked out"))
    variables = {**step.variables, "RECORD": "deployment-open", "ARTIFACT": ""}

    assert pipeline.main(["record"], variables) == 0, capsys.readouterr().out

    assert given.sql("SELECT artifact FROM deployments") == [(an_artifact("checked out"),)]


def test_this_pipeline_goes_on_without_an_answer(
    a_step: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setattr("tools.slipway_client.client._PAUSES_BEFORE", (0,))
    variables = a_step(SLIPWAY_URL="http://127.0.0.1:1", SLIPWAY_TOKEN="t").variables

    assert pipeline.main(["record"], {**variables, "RECORD": "verification", "OUTCOME": "success"}) == 0
    assert "::warning::" in capsys.readouterr().out
