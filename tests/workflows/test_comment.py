"""The script that comments on a pull request. The pull request's code writes the text, and people write comments."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.support.workflows import workflow

BOT, MARKER = "github-actions[bot]", "<!-- plans -->"

# A stand-in for actions/github-script, which prints the calls that change comments.
RUNNER = """
const given = JSON.parse(require('fs').readFileSync(0, 'utf8'));
const call = name => async request => console.log(JSON.stringify([name, request]));
const issues = {updateComment: call('update'), createComment: call('create'), listComments: 'list'};
const github = {rest: {issues}, paginate: async () => given.comments};
const context = {repo: {owner: 'acme', repo: 'service'}, issue: {number: 7}};
(new (Object.getPrototypeOf(async function () {}).constructor)('github', 'context', 'require', given.script))(
  github, context, require);
"""


def commented(folder: Path, text: str, *comments: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """Run the script with this text and these comments; return the name and the request of its only call."""
    (folder / "told").mkdir()
    (folder / "told" / "comment.md").write_text(text)
    [script] = [
        step["with"]["script"] for step in workflow("pull-request").jobs["comment"]["steps"] if "script" in str(step)
    ]
    done = subprocess.run(
        ["node", "-e", RUNNER],
        input=json.dumps({"script": script, "comments": comments}),
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    name, request = json.loads(done.stdout)
    return name, request


def by(login: str, body: str, identifier: int = 1) -> dict[str, Any]:
    return {"id": identifier, "body": body, "user": {"login": login, "type": "Bot" if "[bot]" in login else "User"}}


needs_node = pytest.mark.skipif(shutil.which("node") is None, reason="Node.js is not installed")


@needs_node
def test_the_workflow_replaces_its_own_comment_only(tmp_path: Path) -> None:
    comments = [
        by("mallory", f"{MARKER}\n"),
        by("other[bot]", f"{MARKER}\n"),
        {"id": 1, "body": f"{MARKER}\n", "user": None},
        by(BOT, f"Quoted: {MARKER}\n"),
        by(BOT, f"{MARKER}\nbefore", 5),
    ]

    name, request = commented(tmp_path, "## Planned changes\n", *comments)

    assert (name, request["comment_id"]) == ("update", 5)
    assert request["body"] == f"{MARKER}\n## Planned changes\n"


@needs_node
@pytest.mark.parametrize("login", ["mallory", "other[bot]"])
def test_a_marker_of_somebody_else_is_not_followed(tmp_path: Path, login: str) -> None:
    name, request = commented(tmp_path, "text", by(login, f"{MARKER}\n"))

    assert (name, request["issue_number"]) == ("create", 7)


@needs_node
def test_a_text_cannot_choose_the_marker(tmp_path: Path) -> None:
    name, request = commented(tmp_path, "LGTM\n", by(BOT, "LGTM\nof another workflow"))

    assert name == "create"
    assert request["body"].startswith(f"{MARKER}\n")


@needs_node
def test_a_text_mentions_nobody_and_is_short_enough(tmp_path: Path) -> None:
    _, request = commented(tmp_path, "@acme/everybody " + "é" * 100_000)

    assert "@" not in request["body"]
    assert len(request["body"]) < 65_536
