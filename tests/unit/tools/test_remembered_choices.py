"""A workspace keeps the choices in its state. But a preview's own code writes the state of the preview."""

from typing import Any

import pytest

from tools.aws import environment
from tools.aws.target import Target
from tools.checkout import ToolError

PREVIEW = Target("development", "pr-7")
DEBUG = Target("development", "fix-1", debug=True)


def remembered(monkeypatch: pytest.MonkeyPatch, target: Target, **made: str) -> dict[str, str]:
    outputs: Any = {"made_with": {"value": made}}
    monkeypatch.setattr(environment, "_outputs", lambda _: outputs)
    return environment._remembered(target)


def test_a_workspace_keeps_its_purpose_data_and_owner(monkeypatch: pytest.MonkeyPatch) -> None:
    made = {"workspace_purpose": "debug", "database_source": "clone", "owner": "ann"}

    assert remembered(monkeypatch, DEBUG, **made) == made


@pytest.mark.parametrize(
    ("lie", "kept"),
    [
        ({"database_source": "clone"}, {}),
        ({"workspace_purpose": "debug"}, {"workspace_purpose": "personal"}),
        ({"workspace_purpose": "leisure"}, {"workspace_purpose": "personal"}),
        ({"owner": " "}, {"owner": "unknown"}),
    ],
    ids=str,
)
def test_a_preview_whose_state_has_wrong_choices_can_still_be_destroyed(
    lie: dict[str, str], kept: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    made = {"workspace_purpose": "preview", "database_source": "empty", "owner": "pr-7"}

    assert remembered(monkeypatch, PREVIEW, **{**made, **lie}) == {**made, **kept}


def test_the_data_of_a_workspace_cannot_be_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    live = Target("development", "fix-1", debug=True, choices={"database_source": "live"})

    with pytest.raises(ToolError, match="created with DATABASE=clone"):
        remembered(monkeypatch, live, database_source="clone")
