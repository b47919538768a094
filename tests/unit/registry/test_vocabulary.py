"""Copies of a pattern equal the original. Other languages, and code that runs without the service, need copies."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.vocabulary import ARTIFACT, CLIENT, SHA, SUITE, WORKSPACE, WORKSPACE_URL
from chalicelib.workspaces.model import NewWorkspace
from tools.aws import target
from tools.slipway_client import delivered

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize(
    ("file", "copy"),
    [
        ("infra/modules/site/viewer.js", f"const CLIENT = /^{CLIENT}$/;"),
        ("infra/modules/site/viewer.js", f"const WORKSPACE = /^{WORKSPACE}$/;"),
        ("infra/modules/infrastructure-main/variables.tf", f'regex("^(default|[wd]-{WORKSPACE})$", var.workspace)'),
        ("tools/aws/workspace.py", f'_CLIENT = re.compile(r"{CLIENT}")'),
        ("chalicelib/promotions/migrations/0009_promotions.sql", f"(VALUE ~ '^{ARTIFACT}$')"),
        ("chalicelib/verifications/migrations/0011_verifications.sql", f"(suite ~ '^{SUITE}$')"),
        ("chalicelib/workspaces/migrations/0007_workspaces.sql", f"(name ~ '^{WORKSPACE}$' AND"),
        ("chalicelib/workspaces/migrations/0007_workspaces.sql", f"(base_url ~ '^{WORKSPACE_URL}$')"),
        ("chalicelib/client_routes/migrations/0008_routes.sql", f"(client ~ '^{CLIENT}$')"),
    ],
)
def test_a_copy_is_the_pattern(file: str, copy: str) -> None:
    assert copy in (ROOT / file).read_text()


def test_the_pipelines_client_sends_what_is_a_revision() -> None:
    assert delivered._REVISION.pattern == SHA


@given(st.from_regex(WORKSPACE, fullmatch=True))
def test_a_workspace_that_is_made_can_be_recorded(name: str) -> None:
    new = NewWorkspace(environment="production", name=name, purpose="debug", reason="x", expires_at=None)

    refused = [fault for fault in new.faults() if name != "default"]

    assert (target.WORKSPACE.fullmatch(name) is None) == bool(refused)
