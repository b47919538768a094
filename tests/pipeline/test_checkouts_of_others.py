"""Git reads no checkout of another owner. Each command then says how to let git read it."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tools.adopt import tree
from tools.checkout import ToolError, git
from tools.checks import coverage
from tools.pipeline import artifact, attestation, commits, promotion
from tools.slipway_client import delivered


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout of another owner, which is the working directory."""
    root = tmp_path / "of another owner"
    root.mkdir()
    git(root, "init", "-q")
    # Git's own tests use this variable: https://github.com/git/git/blob/master/t/t0033-safe-directory.sh
    monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    monkeypatch.chdir(root)
    return root


@pytest.mark.parametrize(
    "command",
    [
        pytest.param(artifact.tree, id="artifact"),
        pytest.param(lambda root: commits.reviewed_commit({"ENV": "development"}, root), id="reviewed-commit"),
        pytest.param(lambda root: promotion.check_merge({}, root), id="check-merge"),
        pytest.param(lambda root: attestation._tree_of("1" * 40, root), id="artifact-attested"),
        pytest.param(lambda _: coverage.main({}), id="coverage"),
        pytest.param(tree.read, id="adopt"),
    ],
)
def test_the_error_says_how_to_let_git_read_the_checkout(checkout: Path, command: Callable[[Path], Any]) -> None:
    with pytest.raises(ToolError, match=f"git config --global --add safe.directory '{checkout}'"):
        command(checkout)


def test_a_deployment_is_opened_without_commits_and_a_warning_says_why(
    checkout: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = delivered.commits({}, "1" * 40, "2" * 40)

    said = capsys.readouterr().out
    assert found == []
    assert f"safe.directory '{checkout}'" in said
    assert "fetch-depth" not in said
