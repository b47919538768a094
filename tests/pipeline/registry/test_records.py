"""This repository's pipeline records the tree of its checkout."""

from typing import Any

import pytest

from tests.pipeline.stub import Stub
from tests.service.deployments.records import an_artifact
from tests.support.given import Given
from tools.local.issuer import token
from tools.pipeline import artifact, records
from tools.slipway_client.recording import TargetBusy


def test_a_deployment_opens_with_the_checkouts_tree(step: Any, given: Given, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(artifact, "tree", lambda: an_artifact("checked out"))

    records.deployment_open({**step.variables, "ARTIFACT": ""})

    assert given.sql("SELECT artifact FROM deployments") == [(an_artifact("checked out"),)]


@pytest.mark.parametrize(
    ("run", "end"),
    [
        ((200, {"status": "completed", "conclusion": "failure"}), "failed"),
        ((200, {"status": "completed", "conclusion": "cancelled"}), "cancelled"),
        ((200, {"status": "completed", "conclusion": "success"}), "succeeded"),
        ((200, {"status": "in_progress", "conclusion": None}), None),
        ((403, {"message": "Resource not accessible by integration"}), None),
    ],
    ids=str,
)
def test_a_run_that_is_over_holds_no_target(
    step: Any, given: Given, stub: Stub, run: tuple[int, dict[str, Any]], end: str | None
) -> None:
    died = token("pipeline", ["azul"], run_id="4711")
    records.deployment_open({**step.variables, "SLIPWAY_TOKEN": died})
    stub.answers = [run]
    next_ = {"GITHUB_RUN_ID": "4712", "SLIPWAY_TOKEN": token("pipeline", ["azul"], run_id="4712")}
    asking = {**step.variables, **next_, "GITHUB_API_URL": stub.url, "GH_TOKEN": "t"}

    if end is None:
        with pytest.raises(TargetBusy):
            records.deployment_open(asking)
    else:
        records.deployment_open(asking)

    assert [path for path, _ in stub.asked] == ["/repos/acme/azul/actions/runs/4711"]
    states = [state for (state,) in given.sql("SELECT state FROM deployments ORDER BY id")]
    assert states == ([end, "in_progress"] if end else ["in_progress"])
