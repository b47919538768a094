"""A pipeline's commands work with the real service."""

from pathlib import Path
from typing import Any, get_args, get_type_hints

import pytest

from chalicelib.deployments.model import NewDeployment
from chalicelib.rest.types import Count, Text, Url
from chalicelib.state.model import MOST_TARGETS
from tests.pipeline.registry.recorded import deploy, deployments
from tests.service.deployments.records import a_revision, an_artifact
from tests.support.given import Given
from tests.support.largest import copy
from tools.local.issuer import token
from tools.slipway_client.fitting import (
    LEAST_LEASE,
    MOST_DETAIL,
    MOST_LEASE,
    MOST_REASON,
    MOST_URL,
)
from tools.slipway_client.report import MOST_COUNT
from tools.slipway_client.words import REMEDIES


def test_a_deployment_is_opened_and_finished(step: Any, given: Given) -> None:
    deploy(step)

    assert deployments(given) == [("development", "rollout", "succeeded")]
    assert given.sql("SELECT revision, run_url FROM deployments") == [
        (a_revision(), "https://github.com/acme/azul/actions/runs/4711")
    ]


@pytest.mark.parametrize(
    ("said", "recorded"), [("failure", "failed"), ("cancelled", "cancelled"), ("succeeded", "succeeded")]
)
def test_a_jobs_status_becomes_the_state(step: Any, given: Given, said: str, recorded: str) -> None:
    step("deployment-open")

    step("deployment-status", DEPLOYMENT=step.outputs["deployment"], STATE=said)

    assert deployments(given) == [("development", "rollout", recorded)]


def test_opening_twice_in_one_attempt_records_one_deployment(step: Any, given: Given) -> None:
    step("deployment-open")
    first = step.outputs
    step("deployment-open")

    assert step.outputs == first
    assert len(deployments(given)) == 1


def test_a_run_deploys_an_artifact_again_after_another_one(step: Any, given: Given) -> None:
    first = deploy(step)
    other = deploy(step, ARTIFACT=an_artifact("second"))

    again = deploy(step)

    assert len({first, other, again}) == 3
    assert len(deployments(given)) == 3


def test_opening_again_after_the_deployment_has_ended_fails(step: Any) -> None:
    step("deployment-open")
    step("deployment-status", DEPLOYMENT=step.outputs["deployment"], STATE="failed")

    assert step("deployment-open") == 1
    assert "already failed" in step.said


def test_a_target_that_the_state_leaves_out_does_not_count_as_empty_and_can_be_deployed(
    step: Any, given: Given
) -> None:
    given.a_workspace("jane")
    copy(given, "workspaces", f", generate_series(1, {MOST_TARGETS}) AS n", name="'a' || n")

    assert step("current", ENV="production") == 0
    assert step("current", WORKSPACE="jane") == 1
    assert "too many targets" in step.said
    tested = deploy(step, WORKSPACE="jane")
    assert step("verification", DEPLOYMENT=tested, OUTCOME="success") == 0
    assert given.sql("SELECT workspace, outcome FROM verifications") == [("jane", "success")]


def test_the_artifact_before_is_put_out_for_a_rollback(step: Any) -> None:
    deploy(step)

    step("deployment-open", ARTIFACT=an_artifact("second"), GITHUB_SHA=a_revision("second"))

    assert step.outputs["previous-artifact"] == an_artifact()
    assert step.outputs["previous-revision"] == a_revision()


def test_a_first_deployment_has_nothing_to_roll_back_to(step: Any) -> None:
    step("deployment-open")

    assert step.outputs["previous-artifact"] == step.outputs["previous-revision"] == ""


def test_a_rollback_is_recorded(step: Any, given: Given) -> None:
    deploy(step)
    second = deploy(step, ARTIFACT=an_artifact("second"))
    step("verification", DEPLOYMENT=second, OUTCOME="failure")

    deploy(step, KIND="rollback", REVISION=a_revision())

    assert deployments(given)[-1] == ("development", "rollback", "succeeded")


def test_a_rollback_has_the_revision_of_its_artifact_and_not_of_the_run(step: Any, given: Given) -> None:
    deploy(step)
    deploy(step, ARTIFACT=an_artifact("second"), GITHUB_SHA=a_revision("second"))

    deploy(step, KIND="rollback", GITHUB_SHA=a_revision("second"))

    assert given.sql("SELECT revision FROM deployments WHERE kind = 'rollback'") == [(a_revision(),)]


def test_what_only_informs_is_cut_or_left_out(step: Any, given: Given) -> None:
    odd = {"GITHUB_SERVER_URL": "https://github.com/a space", "LEASE_SECONDS": "86400"}
    reason = {"SLIPWAY_TOKEN": token("maintainer", ["azul"]), "OVERRIDE_REASON": "\n\ufeff" + "x" * 600}
    assert step("deployment-open", **odd, **reason) == 0, step.said
    assert step.said.count("::warning::") == 3
    tested = step.outputs["deployment"]

    detail = "a half \ud800, no byte \udcff: " + "x" * 3000
    assert step("deployment-status", DEPLOYMENT=tested, STATE="failure", DETAIL=detail) == 0, step.said
    assert "::warning::" in step.said

    [(state, url, lease, why, recorded)] = given.sql(
        "SELECT state, run_url, lease_seconds, override_reason, detail FROM deployments"
    )
    assert (state, url, lease) == ("failed", None, MOST_LEASE)
    assert (len(why), len(recorded), recorded[-2:]) == (MOST_REASON, MOST_DETAIL, "x…")


@pytest.mark.parametrize(
    ("said", "lasts"),
    [("-5", LEAST_LEASE), ("1800.5", 1800), (" 1800\n", 1800), ("9" * 5000, MOST_LEASE)],
    ids=["negative", "fraction", "line break", "huge"],
)
def test_a_lease_is_fitted_to_the_bounds(step: Any, given: Given, said: str, lasts: int) -> None:
    assert step("deployment-open", LEASE_SECONDS=said) == 0, step.said

    assert given.sql("SELECT lease_seconds FROM deployments") == [(lasts,)]


def test_white_space_around_a_value_does_not_count(step: Any, given: Given) -> None:
    around = {"KIND": "rollout\n", "REVISION": f"{'3' * 40}\n", "WORKSPACE": " default"}
    assert step("deployment-open", **around) == 0, step.said
    tested = step.outputs["deployment"]

    around = {"SUITE": "load\n", "OUTCOME": "success\n", "LAST_ATTEMPT": f"{tested}\n"}
    assert step("verification", DEPLOYMENT=f"{tested}\n", **around) == 0, step.said

    assert given.sql("SELECT suite, outcome FROM verifications") == [("load", "success")]


def test_without_an_output_file_nothing_is_opened(step: Any, given: Given, tmp_path: Path) -> None:
    assert step("deployment-open", GITHUB_OUTPUT=str(tmp_path)) == 1

    assert f"GITHUB_OUTPUT={tmp_path}" in step.said
    assert deployments(given) == []


def test_the_client_knows_the_bounds_of_the_api() -> None:
    text, url, count = (get_args(each)[1] for each in (Text, Url, Count))
    lease = get_args(get_type_hints(NewDeployment, include_extras=True)["lease_seconds"])[1]

    assert (text.max_length, url.max_length, count.le) == (MOST_DETAIL, MOST_URL, MOST_COUNT)
    assert (lease.ge, lease.le) == (LEAST_LEASE, MOST_LEASE)


def test_only_an_end_that_contradicts_the_recorded_one_fails(step: Any, given: Given) -> None:
    step("deployment-open")
    deployment = step.outputs["deployment"]

    def end(state: str, **variables: str) -> int:
        return int(step("deployment-status", DEPLOYMENT=deployment, STATE=state, **variables))

    assert end("success") == 0
    assert "replayed" not in step.said
    assert end("success") == 0
    assert "replayed" in step.said
    assert end("success", DETAIL="by the other leg") == 0
    assert "recorded before" in step.said
    assert end("failure") == 1
    assert f"Deployment {deployment} is recorded as succeeded, so failed is not recorded" in step.said
    assert end("in_progress") == 1
    assert deployments(given) == [("development", "rollout", "succeeded")]


def test_a_step_that_was_skipped_leaves_no_lease(step: Any, given: Given) -> None:
    step("deployment-open")

    assert step("deployment-status", DEPLOYMENT=step.outputs["deployment"], STATE="skipped") == 0, step.said

    assert deployments(given) == [("development", "rollout", "cancelled")]


def test_a_verified_artifact_may_be_promoted(step: Any, given: Given) -> None:
    step("verification", DEPLOYMENT=deploy(step), OUTCOME="success", TRIGGER="deployment")

    assert step("may-promote", ENV="preproduction") == 0, step.said

    # The deployment to development recorded this promotion. `may-promote` records no promotion.
    assert given.sql("SELECT count(*) FROM promotions WHERE decision = 'granted'") == [(1,)]


def test_a_denial_says_how_to_fix_it(step: Any) -> None:
    deploy(step)

    assert step("may-promote", ENV="preproduction") == 1

    assert f"{an_artifact()} may not enter preproduction yet" in step.said
    assert "not-verified in development" in step.said
    assert "make acceptance" in step.said
    assert "not-verified in development" in step.summary


def test_a_denial_says_when_it_ends(step: Any, given: Given) -> None:
    given.sql("UPDATE environments SET required_soak_seconds = 3600 WHERE name = 'preproduction'")
    step("verification", DEPLOYMENT=deploy(step), OUTCOME="success", TRIGGER="deployment")

    assert step("may-promote", ENV="preproduction") == 1

    assert "soaking in development" in step.said
    assert "This blocker ends by itself at 20" in step.said


def test_opening_a_denied_deployment_fails_with_the_same_message(step: Any, given: Given) -> None:
    assert step("deployment-open", ENV="preproduction") == 1

    assert "not-deployed in development" in step.said
    assert "merge the change into the branch development" in step.said
    assert deployments(given) == []


def test_opening_on_a_busy_target_fails_and_names_the_holder(step: Any) -> None:
    step("deployment-open")

    assert step("deployment-open", ARTIFACT=an_artifact("second"), GITHUB_RUN_ID="4712") == 1

    assert "Another deployment holds the target: https://github.com/acme/azul/actions/runs/4711" in step.said


def test_a_status_after_the_lease_fails(step: Any, given: Given) -> None:
    step("deployment-open", LEASE_SECONDS="60")
    deployment = step.outputs["deployment"]
    given.time_passes(61)

    assert step("deployment-status", DEPLOYMENT=deployment, STATE="succeeded") == 1

    assert "lease-expired" in step.said


def test_progress_renews_the_lease_each_time(step: Any, given: Given) -> None:
    step("deployment-open", LEASE_SECONDS="60")
    deployment = step.outputs["deployment"]
    for _ in range(3):
        given.time_passes(40)
        assert step("deployment-status", DEPLOYMENT=deployment, STATE="in_progress") == 0, step.said

    assert step("deployment-status", DEPLOYMENT=deployment, STATE="succeeded") == 0, step.said


def hotfix(step: Any, **variables: str) -> str:
    """Open a hotfix as a maintainer, although the gate denies it; return the deployment's id."""
    reason = "The login is broken for all users"
    maintainer = {"SLIPWAY_TOKEN": token("maintainer", ["azul"]), "KIND": "hotfix", "OVERRIDE_REASON": reason}
    assert step("deployment-open", ENV="production", GITHUB_RUN_ID="", **maintainer, **variables) == 0, step.said
    return str(step.outputs["deployment"])


def test_a_pipeline_takes_over_a_deployment_that_a_maintainer_opened_past_the_gate(step: Any, given: Given) -> None:
    deployment = hotfix(step)

    assert step("may-promote", ENV="production", DEPLOYMENT=deployment) == 0, step.said
    assert "The login is broken for all users" in step.said
    assert step("deployment-open", ENV="production", DEPLOYMENT=deployment) == 0, step.said
    assert step.outputs["deployment"] == deployment
    step("deployment-status", DEPLOYMENT=deployment, STATE="succeeded")

    assert deployments(given) == [("production", "hotfix", "succeeded")]


@pytest.mark.parametrize(
    "other", [{"ARTIFACT": an_artifact("second")}, {"ENV": "preproduction"}, {"WORKSPACE": "other"}], ids=str
)
def test_a_deployment_of_another_artifact_is_not_taken_over(step: Any, other: dict[str, str]) -> None:
    deployment = hotfix(step)

    for command in ("may-promote", "deployment-open"):
        assert step(command, **{"ENV": "production", "DEPLOYMENT": deployment, **other}) == 1
        assert "is not for this run" in step.said


def test_an_id_is_one_segment_of_the_address(step: Any) -> None:
    deployment = hotfix(step)

    assert step("may-promote", ENV="production", DEPLOYMENT=f"{deployment}?") == 1
    assert "not-found" in step.said


def test_a_finished_deployment_is_not_taken_over(step: Any) -> None:
    deployment = hotfix(step)
    step("deployment-status", DEPLOYMENT=deployment, STATE="succeeded")

    assert step("may-promote", ENV="production", DEPLOYMENT=deployment) == 1


def test_a_pipeline_cannot_override_the_gate(step: Any) -> None:
    assert step("deployment-open", ENV="production", KIND="hotfix", OVERRIDE_REASON="The login is broken") == 1

    assert "403 forbidden" in step.said


def test_an_unknown_system_is_an_error_and_no_warning(step: Any) -> None:
    assert step("deployment-open", SLIPWAY_SYSTEM="no-such-system", SLIPWAY_REQUIRED="0") == 1


def test_every_blocker_has_a_remedy() -> None:
    from chalicelib.promotions.model import BlockerCode  # noqa: PLC0415

    assert set(REMEDIES) == set(get_args(BlockerCode))
