"""The comment on a pull request shows the changes that a merge would make."""

import json
from pathlib import Path
from typing import Any

import pytest

from tools.checkout import ToolError
from tools.pipeline.plan_comment import MOST_CHARACTERS, comment


def resource(address: str, *actions: str, **members: Any) -> dict[str, Any]:
    return {"address": address, "mode": "managed", "change": {"actions": list(actions)}, **members}


@pytest.fixture
def plan(tmp_path: Path) -> Any:
    def write(*resources: dict[str, Any], name: str = "plan") -> str:
        path = tmp_path / f"{name}.json"
        path.write_text(json.dumps({"format_version": "1.2", "resource_changes": list(resources)}))
        return str(path)

    return write


def test_the_comment_counts_changes_of_resources(plan: Any) -> None:
    path = plan(
        resource("a.new", "create"),
        resource("a.newer", "create"),
        resource("a.changed", "update"),
        resource("a.replaced", "delete", "create"),
        resource("a.replaced_gently", "create", "delete"),
        resource("a.gone", "delete"),
        resource("a.kept", "no-op"),
        resource("a.forgotten", "forget"),
        resource("data.a.read", "read", mode="data"),
    )

    text = comment({"PLANS": f"development={path}"})

    assert "| `development` | 2 | 1 | 2 | 1 |" in text
    assert "- a.gone\n± a.replaced\n± a.replaced_gently\n~ a.changed\n+ a.new\n+ a.newer\n" in text
    assert not [address for address in ("a.kept", "a.forgotten", "a.read") if address in text]


def test_files_that_powershell_wrote_are_read(plan: Any, tmp_path: Path) -> None:
    path = Path(plan(resource("a.gone", "delete")))
    path.write_text(path.read_text(), "utf-16")
    (tmp_path / "said.txt").write_text("12 scenarios passed\n", "utf-16")

    text = comment({"PLANS": f"development={path}", "POLICY": str(tmp_path / "said.txt")})

    assert "- a.gone" in text
    assert "\n12 scenarios passed\n" in text


def test_the_comment_shows_several_plans_policies_and_the_package(plan: Any, tmp_path: Path) -> None:
    (tmp_path / "said.txt").write_text("12 scenarios passed\n")
    plans = f"development={plan(name='one')} production={plan(resource('a.gone', 'delete'), name='two')}"

    text = comment(
        {"PLANS": plans, "POLICY": str(tmp_path / "said.txt"), "POLICY_OUTCOME": "success", "DIGEST": "sha256:1"}
    )

    assert "| `development` | 0 | 0 | 0 | 0 |" in text
    assert "| `production` | 0 | 0 | 0 | 1 |" in text
    assert "Policies: all hold" in text
    assert "12 scenarios passed" in text
    assert "`sha256:1`" in text


@pytest.mark.parametrize(("outcome", "verdict"), [("failure", "**violated**"), ("skipped", "not checked (skipped)")])
def test_violated_policies_are_no_success(plan: Any, outcome: str, verdict: str) -> None:
    text = comment({"PLANS": f"development={plan()}", "POLICY": "none.txt", "POLICY_OUTCOME": outcome})

    assert f"Policies: {verdict}" in text


def test_a_plan_from_a_fork_cannot_write_the_comment(plan: Any, tmp_path: Path) -> None:
    evil = 'a.b["x`\n```\n@everybody <img src=x> ## Approved"]'
    (tmp_path / "said.txt").write_text("```\n@everybody </details>\n")

    text = comment(
        {
            "PLANS": f"development={plan(resource(evil, 'create'))}",
            "POLICY": str(tmp_path / "said.txt"),
            "POLICY_OUTCOME": "failure",
            "DIGEST": "x`<b>",
        }
    )

    fences = [line for line in text.splitlines() if line.startswith("```")]
    assert fences == ["```diff", "```", "```text", "```"]
    assert "<img" not in text
    assert "@" not in text
    assert "<b>" not in text
    assert text.count("</details>") == 2


def test_a_large_plan_is_cut_to_githubs_limit(plan: Any) -> None:
    path = plan(*(resource(f"a.{number}_{'x' * 900}", "create") for number in range(500)))
    plans = " ".join(f"plan-{number}={path}" for number in range(3))

    text = comment({"PLANS": plans})

    assert "…and 440 more" in text
    assert len(text) < MOST_CHARACTERS + 100
    assert text.count("```") % 2 == 0


def test_a_text_that_is_cut_outside_of_a_code_block_opens_none(plan: Any) -> None:
    path = plan()
    text = comment({"PLANS": " ".join(f"{number}={path}" for number in range(5000))})

    assert len(text) < MOST_CHARACTERS + 100
    assert "```" not in text


@pytest.mark.parametrize("content", ["{", "[]", '{"values": {}}', None])
def test_a_file_that_is_no_plan_is_refused(tmp_path: Path, content: str | None) -> None:
    path = tmp_path / "plan.json"
    if content is not None:
        path.write_text(content)

    with pytest.raises(ToolError, match=r"plan\.json"):
        comment({"PLANS": f"development={path}"})


def test_policies_are_shown_without_a_plan(tmp_path: Path) -> None:
    (tmp_path / "said.txt").write_text("12 scenarios passed\n")

    text = comment({"POLICY": str(tmp_path / "said.txt"), "POLICY_OUTCOME": "success"})

    assert "Policies: all hold" in text
    assert "|" not in text


@pytest.mark.parametrize("plans", ["", "plan.json"])
def test_each_plan_must_have_a_name(plans: str) -> None:
    with pytest.raises(ToolError, match="PLANS"):
        comment({"PLANS": plans})
