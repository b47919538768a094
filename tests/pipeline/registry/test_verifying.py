"""A pipeline records a verification only of what its tests have tested."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.pipeline.registry.recorded import deploy
from tests.service.deployments.records import a_revision, an_artifact
from tests.support.given import Given


def test_a_summary_that_cannot_be_written_stops_nothing(step: Any, given: Given, tmp_path: Path) -> None:
    tested = deploy(step)

    assert step("verification", DEPLOYMENT=tested, OUTCOME="success", GITHUB_STEP_SUMMARY=str(tmp_path)) == 0

    assert given.sql("SELECT outcome FROM verifications") == [("success",)]


def test_a_verification_has_the_numbers_of_its_report(step: Any, given: Given, tmp_path: Path) -> None:
    tested = deploy(step)
    report = tmp_path / "report.json"
    report.write_text(json.dumps({"passed": 12, "failed": 1, "skipped": 2}))

    assert step("verification", DEPLOYMENT=tested, REPORT=str(report), TRIGGER="deployment") == 0, step.said

    assert given.sql("SELECT suite, trigger, outcome, passed, failed, skipped FROM verifications") == [
        ("acceptance", "deployment", "failure", 12, 1, 2)
    ]


@pytest.mark.parametrize(
    ("report", "outcome"),
    [
        ('{"passed": 3, "failed": 0}', "success"),
        ('{"passed": 3, "failed": 1}', "failure"),
        ('{"passed": 0, "failed": 0}', "error"),
        ("{", "error"),
        ("[]", "error"),
        (None, "error"),
    ],
)
def test_a_broken_run_is_recorded_as_an_error(
    step: Any, given: Given, tmp_path: Path, report: str | None, outcome: str
) -> None:
    tested = deploy(step)
    path = tmp_path / "report.json"
    if report is not None:
        path.write_text(report)

    step("verification", DEPLOYMENT=tested, REPORT=str(path))

    assert given.sql("SELECT outcome FROM verifications") == [(outcome,)]


@pytest.mark.parametrize("stated", ["", "success"])
def test_an_unreadable_report_fails_the_step_by_name_and_loses_no_outcome(
    step: Any, given: Given, tmp_path: Path, stated: str
) -> None:
    tested = deploy(step)
    path = tmp_path / "report.json"
    path.write_text("{")

    assert step("verification", DEPLOYMENT=tested, REPORT=str(path), OUTCOME=stated) == 1

    assert f"::error::REPORT={path}" in step.said
    assert given.sql("SELECT outcome FROM verifications") == [(stated or "error",)]


def test_the_same_report_after_another_deployment_is_another_verification(
    step: Any, given: Given, tmp_path: Path
) -> None:
    tested = deploy(step)
    path = tmp_path / "report.json"
    path.write_text('{"passed": 3, "failed": 0}')

    def verify(**variables: str) -> str:
        assert step("verification", DEPLOYMENT=tested, REPORT=str(path), **variables) == 0, step.said
        [(count,)] = given.sql("SELECT count(*) FROM verifications")
        return f"{count} {'replayed' if 'replayed' in step.said else 'recorded'}"

    assert verify() == "1 recorded"
    assert verify() == "1 replayed"
    path.write_text('{"passed": 3, "failed": 0, "started_at": "later"}')
    assert verify() == "2 recorded"
    step("deployment-open", ARTIFACT=an_artifact("second"))
    other = step.outputs["deployment"]
    step("deployment-status", DEPLOYMENT=other, STATE="failed")
    assert verify(LAST_ATTEMPT=other) == "3 recorded"


def test_the_same_result_after_another_one_or_in_another_job_is_another_verification(step: Any, given: Given) -> None:
    tested = deploy(step)
    results = ["success", "failure", "success"]
    for outcome in results:
        assert step("verification", DEPLOYMENT=tested, OUTCOME=outcome) == 0
        assert "replayed" not in step.said

    for job in ({"GITHUB_JOB": "other"}, {"RUNNER_NAME": "other"}):
        step("verification", DEPLOYMENT=tested, OUTCOME="success", **job)
        assert "replayed" not in step.said

    recorded = [outcome for (outcome,) in given.sql("SELECT outcome FROM verifications ORDER BY id")]
    assert recorded == [*results, "success", "success"]


@pytest.mark.parametrize("end", ["success", "failure"])
def test_a_deployment_in_progress_when_the_tests_begin_leaves_no_result(step: Any, given: Given, end: str) -> None:
    deploy(step)
    step("deployment-open", ARTIFACT=an_artifact("second"), GITHUB_RUN_ID="4712")
    other = step.outputs["deployment"]
    step("current")
    before = {"DEPLOYMENT": step.outputs["deployment"], "LAST_ATTEMPT": step.outputs["last-attempt"]}
    assert "::warning::" in step.said

    step("deployment-status", DEPLOYMENT=other, STATE=end)
    step("verification", **before, OUTCOME="success")

    assert given.sql("SELECT outcome FROM verifications") == [("error",)]


def test_a_suite_that_did_not_run_is_recorded_as_cancelled(step: Any, given: Given) -> None:
    assert step("verification", DEPLOYMENT=deploy(step), OUTCOME="skipped") == 0, step.said

    assert given.sql("SELECT outcome FROM verifications") == [("cancelled",)]


@pytest.mark.parametrize("outcome", ["success", "failure"])
def test_a_deployment_that_began_during_the_tests_gets_no_credit_and_gives_none(
    step: Any, given: Given, outcome: str
) -> None:
    tested = deploy(step)
    step("deployment-open", ARTIFACT=an_artifact("second"), GITHUB_RUN_ID="4712")

    assert step("verification", DEPLOYMENT=tested, OUTCOME=outcome) == 0

    assert given.sql("SELECT deployment_id::text, outcome FROM verifications") == [(tested, "error")]
    assert "::warning::" in step.said


def test_a_deployment_that_begins_after_the_tests_changes_no_verification(step: Any, given: Given) -> None:
    tested = deploy(step)
    step("verification", DEPLOYMENT=tested, OUTCOME="success")

    step("deployment-open", ARTIFACT=an_artifact("second"), GITHUB_RUN_ID="4712")

    assert given.sql("SELECT deployment_id::text, outcome FROM verifications") == [(tested, "success")]


def test_a_failed_attempt_before_the_tests_does_not_spoil_them(step: Any, given: Given) -> None:
    deploy(step)
    step("deployment-open", ARTIFACT=an_artifact("second"))
    step("deployment-status", DEPLOYMENT=step.outputs["deployment"], STATE="failed")
    step("current")
    tested, last = step.outputs["deployment"], step.outputs["last-attempt"]

    step("verification", DEPLOYMENT=tested, LAST_ATTEMPT=last, OUTCOME="success")

    assert tested != last
    assert given.sql("SELECT deployment_id::text, outcome FROM verifications") == [(tested, "success")]


def test_without_an_answer_before_the_tests_nothing_is_recorded(step: Any, given: Given) -> None:
    deploy(step)

    assert step("verification", OUTCOME="success") == 2
    assert step("verification", OUTCOME="success", SLIPWAY_REQUIRED="0") == 0

    assert given.sql("SELECT * FROM verifications") == []


def test_the_current_deployment_is_put_out(step: Any) -> None:
    deployment = deploy(step)

    assert step("current") == 0

    assert step.outputs == {
        "deployment": deployment,
        "last-attempt": deployment,
        "artifact": an_artifact(),
        "revision": a_revision(),
    }


def test_without_a_deployment_nothing_is_put_out(step: Any) -> None:
    assert step("current", ENV="production") == 0

    assert step.outputs == {"deployment": "", "last-attempt": "", "artifact": "", "revision": ""}
