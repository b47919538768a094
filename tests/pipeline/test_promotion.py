"""Without a registry, an artifact may enter an environment only after its verification in the one before."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.pipeline.account import BUCKET
from tests.pipeline.stub import Stub
from tools.checkout import ToolError
from tools.pipeline import promotion

TREE = "2" * 40
ARTIFACT = f"tree:{TREE}"
DIGEST = f"sha256:{'1' * 64}"


@pytest.fixture(autouse=True)
def no_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(promotion, "digest_in", lambda: None)


def variables(environment: str, **more: str) -> dict[str, str]:
    return {"ENV": environment, "ARTIFACT": ARTIFACT, "ARTIFACT_BUCKET": BUCKET, "DIGEST": DIGEST, **more}


def may_promote(environment: str, **more: str) -> None:
    promotion.may_promote(variables(environment, **more), lambda seconds: None)


def test_the_first_environment_takes_every_artifact(bucket: Any, capsys: pytest.CaptureFixture[str]) -> None:
    may_promote("development")

    assert "SLIPWAY_URL is not set" in capsys.readouterr().out


def test_an_artifact_verified_in_the_environment_before_may_enter(bucket: Any) -> None:
    promotion.note_verified(variables("development"))

    may_promote("preproduction")


@pytest.mark.parametrize("environment", ["preproduction", "production"])
def test_an_artifact_not_verified_in_the_environment_before_may_not_enter(bucket: Any, environment: str) -> None:
    with pytest.raises(ToolError, match=f"may not enter {environment} yet"):
        may_promote(environment)


def test_no_environment_is_skipped(bucket: Any) -> None:
    promotion.note_verified(variables("development"))

    with pytest.raises(ToolError, match="in preproduction"):
        may_promote("production")


@pytest.mark.parametrize("content", [b"", b"{", b"[1]", b"\xff\xfe{"])
def test_a_note_that_cannot_be_read_is_named(bucket: Any, content: bytes) -> None:
    bucket.put_object(Bucket=BUCKET, Key=f"{TREE}/deployed/development.json", Body=content)

    with pytest.raises(ToolError, match=f"{TREE}/deployed/development.json"):
        may_promote("preproduction")


def test_another_artifact_proves_nothing(bucket: Any) -> None:
    promotion.note_verified(variables("development", ARTIFACT=f"tree:{'3' * 40}"))

    with pytest.raises(ToolError):
        may_promote("preproduction")


def test_another_package_proves_nothing(bucket: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    promotion.note_verified(variables("development"))
    monkeypatch.setattr(promotion, "digest_in", lambda: f"sha256:{'2' * 64}")

    with pytest.raises(ToolError, match="verified the package"):
        may_promote("preproduction")


def test_the_first_note_is_not_overwritten(bucket: Any) -> None:
    promotion.note_verified(variables("development", GITHUB_SHA="a" * 40))
    promotion.note_verified(variables("development", GITHUB_SHA="b" * 40))

    [one] = bucket.list_objects_v2(Bucket=BUCKET)["Contents"]
    assert one["Key"] == f"{TREE}/deployed/development.json"
    note = json.loads(bucket.get_object(Bucket=BUCKET, Key=f"{TREE}/deployed/development.json")["Body"].read())
    assert (note["revision"], note["artifact"], note["digest"]) == ("a" * 40, ARTIFACT, DIGEST)


def test_an_override_needs_a_reason_and_is_shown(bucket: Any, capsys: pytest.CaptureFixture[str]) -> None:
    may_promote("production", OVERRIDE_REASON="The login is broken")

    assert "The login is broken" in capsys.readouterr().out
    with pytest.raises(ToolError):
        may_promote("production", OVERRIDE_REASON=" ")


def test_without_a_bucket_nothing_is_verified(bucket: Any) -> None:
    promotion.note_verified(variables("development", ARTIFACT_BUCKET=""))

    with pytest.raises(ToolError, match="ARTIFACT_BUCKET is not set"):
        may_promote("preproduction", ARTIFACT_BUCKET="")


def test_an_unknown_environment_is_named() -> None:
    with pytest.raises(ToolError, match="staging"):
        may_promote("staging")


def test_a_registry_decides_if_there_is_one(bucket: Any, stub: Stub) -> None:
    registry = {"SLIPWAY_URL": stub.url, "SLIPWAY_SYSTEM": "azul", "SLIPWAY_TOKEN": "t"}
    may_promote("production", **registry)  # a granted promotion needs no note

    promotion.note_verified(variables("development"))
    stub.answers = [(200, {"decision": "denied"})]
    with pytest.raises(ToolError, match="may not enter preproduction yet"):
        may_promote("preproduction", OVERRIDE_REASON="The login is broken", **registry)


def test_a_broken_registry_does_not_block_its_own_fix(bucket: Any, capsys: pytest.CaptureFixture[str]) -> None:
    silent = {"SLIPWAY_URL": "http://127.0.0.1:1", "SLIPWAY_SYSTEM": "service", "SLIPWAY_TOKEN": "t"}
    promotion.note_verified(variables("development"))

    may_promote("preproduction", **silent)
    assert "The order of branches decides instead" in capsys.readouterr().out
    with pytest.raises(ToolError):
        may_promote("production", **silent)


def test_the_last_environment_may_write_no_note_and_writes_none(bucket: Any) -> None:
    promotion.note_verified(variables("production"))

    assert "Contents" not in bucket.list_objects_v2(Bucket=BUCKET)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository whose branch `development` is one commit ahead of `preproduction`."""
    git(tmp_path, "init", "-q", "-b", "preproduction")
    git(tmp_path, "commit", "-q", "--allow-empty", "-m", "First")
    git(tmp_path, "checkout", "-q", "-b", "development")
    change(tmp_path, "feature")
    return tmp_path


def git(folder: Path, *arguments: str) -> None:
    identity = ("-c", "user.name=Jane", "-c", "user.email=jane@example.org")
    subprocess.run(["git", *identity, *arguments], cwd=folder, check=True)


def change(folder: Path, name: str) -> None:
    (folder / name).write_text(name)
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", name)


def merge(folder: Path) -> None:
    git(folder, "checkout", "-q", "preproduction")
    git(folder, "merge", "-q", "--no-ff", "-m", "Merge development", "development")


def test_a_merge_that_keeps_the_tested_tree_is_a_promotion(repository: Path) -> None:
    merge(repository)

    promotion.check_merge({}, repository)


def test_a_merge_with_a_new_tree_is_no_promotion(repository: Path) -> None:
    git(repository, "checkout", "-q", "preproduction")
    change(repository, "hotfix")
    merge(repository)

    with pytest.raises(ToolError, match="Merge the target branch into this branch"):
        promotion.check_merge({}, repository)


def test_a_commit_that_is_no_merge_is_no_promotion(repository: Path) -> None:
    with pytest.raises(ToolError, match="fetch-depth"):
        promotion.check_merge({}, repository)
