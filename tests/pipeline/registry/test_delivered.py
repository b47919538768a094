"""A pipeline records the commits that a deployment delivers, as far as the real service accepts them."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from chalicelib.deployments.model import NewDeployment
from tests.pipeline.registry.recorded import deploy
from tests.service.deployments.records import an_artifact
from tests.support.given import Given
from tools.slipway_client.delivered import MOST_COMMITS, fitting


def test_the_commits_between_two_deployments_are_recorded(
    step: Any, given: Given, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    git = ["git", "-c", "user.name=Jane", "-c", "user.email=jane@example.org"]
    subprocess.run([*git, "init", "-q"], check=True)
    for message in ("First", "Second: Ü\u2028 \U0001f680", "x" * 201):
        subprocess.run([*git, "commit", "-q", "--allow-empty", "-m", message], check=True)
    log = subprocess.run([*git, "log", "--format=%H"], capture_output=True, text=True, check=True).stdout.split()
    deploy(step, GITHUB_SHA=log[2])

    deploy(step, ARTIFACT=an_artifact("second"), GITHUB_SHA=log[0])

    assert given.sql("SELECT sha, subject FROM deployment_commits ORDER BY length(subject)") == [
        (log[1], "Second: Ü\u2028 \U0001f680"),
        (log[0], "x" * 200),
    ]


def test_a_commit_without_a_date_stops_no_deployment(
    step: Any, given: Given, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    def git(*words: str, content: str = "") -> str:
        return subprocess.run(["git", *words], input=content, capture_output=True, text=True, check=True).stdout.strip()

    git("init", "-q")
    tree = git("mktree")
    log: list[str] = []
    good = "Jane <jane@example.org> 1772366400 +0000"
    dates = ["", " -1 +0000", " 99999999999999 +0000", f" {'9' * 5000} +0000"]
    undated = [f"Jane <jane@example.org>{date}" for date in dates]
    signed = [(good, good), *((author, good) for author in undated), (undated[0], undated[0])]
    for author, committer in signed:
        parent = f"parent {log[-1]}\n" if log else ""
        commit = f"tree {tree}\n{parent}author {author}\ncommitter {committer}\n\nA commit\n"
        log.append(git("hash-object", "-t", "commit", "-w", "--stdin", "--literally", content=commit))
    deploy(step, GITHUB_SHA=log[0])

    deploy(step, ARTIFACT=an_artifact("second"), GITHUB_SHA=log[-1])

    assert sorted(given.sql("SELECT sha, extract(epoch FROM authored_at)::int FROM deployment_commits")) == sorted(
        (sha, 1772366400) for sha in log[1:-1]
    )


@pytest.mark.parametrize(
    ("script", "mode"),
    [
        ("#!/bin/sh\necho a warning", 0o755),
        ("#!/bin/sh\nprintf 'zz 1 1 x\\0'", 0o755),
        ("#!/bin/sh\nkill -9 $$", 0o755),
        ("#!/bin/sh", 0o644),
        ("", 0o755),
    ],
    ids=["prints a text", "prints no commits", "is killed", "can't be run", "is no program"],
)
def test_a_git_that_does_not_work_stops_no_deployment(
    step: Any, given: Given, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, mode: int
) -> None:
    deploy(step)
    git = tmp_path / "git"
    git.write_text(script)
    git.chmod(mode)
    monkeypatch.setenv("PATH", str(tmp_path))

    deploy(step, ARTIFACT=an_artifact("second"), GITHUB_SHA="3" * 40)

    assert given.sql("SELECT commit_count FROM deployments") == [(0,), (0,)]


@pytest.mark.parametrize("digits", [40, 64])
@pytest.mark.parametrize("subject", ["", "s" * 60, "\U0001f680" * 300])
def test_many_commits_fit_into_a_body(digits: int, subject: str) -> None:
    log = ([f"{number:0{digits}x}", "1772366400", subject] for number in range(MOST_COMMITS))

    commits = fitting(log)

    assert len(commits) == MOST_COMMITS
    assert len(json.dumps(commits)) < NewDeployment.max_bytes - 20_000
    assert commits[0]["subject"] == subject[:200]


def test_a_shallow_checkout_records_no_commits(step: Any, given: Given, tmp_path: Path) -> None:
    deploy(step, GITHUB_SHA="1" * 40)

    assert step("deployment-open", ARTIFACT=an_artifact("second")) == 0

    assert "fetch-depth: 0" in step.said
    assert given.sql("SELECT * FROM deployment_commits") == []
