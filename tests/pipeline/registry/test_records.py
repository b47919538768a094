"""This repository's pipeline records the tree of its checkout, and asks what it must repeat."""

from typing import Any

import pytest

from tests.pipeline.registry.recorded import deploy
from tests.pipeline.stub import Stub
from tests.service.deployments.records import an_artifact
from tests.support.api import Api
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
    died = token("pipeline", ["azul"], run_id="4711", run_attempt="2")
    records.deployment_open({**step.variables, "SLIPWAY_TOKEN": died})
    stub.answers = [run]
    next_ = {"GITHUB_RUN_ID": "4712", "SLIPWAY_TOKEN": token("pipeline", ["azul"], run_id="4712")}
    asking = {**step.variables, **next_, "GITHUB_API_URL": stub.url, "GH_TOKEN": "t"}

    if end is None:
        with pytest.raises(TargetBusy):
            records.deployment_open(asking)
    else:
        records.deployment_open(asking)

    assert [path for path, _ in stub.asked] == ["/repos/acme/azul/actions/runs/4711/attempts/2"]
    states = [state for (state,) in given.sql("SELECT state FROM deployments ORDER BY id")]
    assert states == ([end, "in_progress"] if end else ["in_progress"])


def test_the_package_that_should_run_is_put_out(step: Any) -> None:
    first, second = f"sha256:{'5b' * 32}", f"sha256:{'5c' * 32}"
    for name, digest in (("first", first), ("second", second)):
        step("deployment-open", ARTIFACT=an_artifact(name), GITHUB_RUN_ID=name)
        step("deployment-status", DEPLOYMENT=step.outputs["deployment"], STATE="success", DETAIL=f"package {digest}")

    records.current(step.variables)
    assert (step.outputs["artifact"], step.outputs["digest"]) == (an_artifact("second"), second)

    # A rollback does not record the package.
    step("deployment-open", ARTIFACT=an_artifact("first"), KIND="rollback", GITHUB_RUN_ID="third")
    step("deployment-status", DEPLOYMENT=step.outputs["deployment"], STATE="success")
    records.current(step.variables)
    assert (step.outputs["artifact"], step.outputs["digest"]) == (an_artifact("first"), first)


def test_without_a_deployment_no_package_should_run(step: Any) -> None:
    records.current({**step.variables, "ENV": "production"})

    assert step.outputs["digest"] == ""


@pytest.mark.parametrize(
    ("settings", "recorded", "repeat"),
    [
        ({"required_suites": ["acceptance", "load"], "verification_max_age_seconds": 86400}, False, "true"),
        ({"required_suites": ["acceptance"], "verification_max_age_seconds": 86400}, True, "false"),
        ({"required_suites": ["load"], "verification_max_age_seconds": None}, True, "false"),
        # Without required suites, the gate asks for every suite that has a result.
        ({"required_suites": [], "verification_max_age_seconds": 86400}, True, "true"),
        ({"required_suites": [], "verification_max_age_seconds": 86400}, False, "false"),
    ],
)
def test_a_suite_is_repeated_if_its_results_age_for_the_next_environment(
    step: Any, api: Api, settings: dict[str, Any], recorded: bool, repeat: str
) -> None:
    api.patch("/v1/systems/azul/environments/preproduction", {**settings, "reason": "We try ages"}, if_match="*")
    deployment = deploy(step)
    if recorded:
        assert step("verification", DEPLOYMENT=deployment, SUITE="load", OUTCOME="success") == 0, step.said

    records.must_repeat({**step.variables, "SUITE": "load", "DEPLOYMENT": deployment})

    assert step.outputs["repeat"] == repeat


def test_nothing_ages_in_the_last_environment(step: Any) -> None:
    records.must_repeat({**step.variables, "ENV": "production", "SUITE": "load", "DEPLOYMENT": ""})

    assert step.outputs["repeat"] == "false"
