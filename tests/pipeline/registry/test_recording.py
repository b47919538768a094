"""A pipeline's commands work with the real service."""

import json
import subprocess
from pathlib import Path
from typing import Any, get_args, get_type_hints

import pytest

from chalicelib.deployments.model import NewDeployment
from chalicelib.rest.types import Count, Text, Url
from chalicelib.state.model import MOST_TARGETS
from tests.service.deployments.records import a_revision, an_artifact
from tests.support.given import Given
from tests.support.largest import copy
from tools.local.issuer import token
from tools.slipway_client.recording import (
    LEAST_LEASE,
    MOST_COMMITS,
    MOST_DETAIL,
    MOST_LEASE,
    MOST_REASON,
    MOST_URL,
    _fitting,
)
from tools.slipway_client.report import MOST_COUNT
from tools.slipway_client.words import REMEDIES


def deployments(given: Given) -> list[tuple[Any, ...]]:
    return given.sql(
        "SELECT e.name, d.kind, d.state FROM deployments d JOIN environments e ON e.id = d.environment_id ORDER BY d.id"
    )


def deploy(step: Any, **variables: str) -> str:
    """Open a deployment and record its success; return the deployment's id."""
    assert step("deployment-open", **variables) == 0, step.said
    deployment = str(step.outputs["deployment"])
    assert step("deployment-status", **variables, DEPLOYMENT=deployment, STATE="success") == 0, step.said
    return deployment


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


def test_the_commits_between_two_deployments_are_recorded(
    step: Any, given: Given, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    git = ["git", "-c", "user.name=Jane", "-c", "user.email=jane@example.org"]
    subprocess.run([*git, "init", "-q"], check=True)
    for message in ("First", "Second: Ü\u2028 \U0001f680", "x" * 201):
        subprocess.run([*git, "commit", "-q", "--allow-empty", "-m", message], check=True)
    log = subprocess.run([*git, "log", "--format=%H"], capture_output=True, text=True, check=True).stdout.split()
    deploy(step, GITHUB_SHA=log[2])

    deploy(step, ARTIFACT=an_artifact("second"), GITHUB_SHA=log[0])

    assert given.sql("SELECT sha, subject FROM deployment_commits ORDER BY length(subject)") == [
        (log[1], "Second: Ü\u2028 \U0001f680"),
        (log[0], "x" * 200),
    ]


def test_a_commit_without_a_date_stops_no_deployment(
    step: Any, given: Given, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    def git(*words: str, content: str = "") -> str:
        return subprocess.run(["git", *words], input=content, capture_output=True, text=True, check=True).stdout.strip()

    git("init", "-q")
    tree = git("mktree")
    log: list[str] = []
    good = "Jane <jane@example.org> 1772366400 +0000"
    dates = ["", " -1 +0000", " 99999999999999 +0000"]
    undated = [f"Jane <jane@example.org>{date}" for date in dates]
    signed = [(good, good), *((author, good) for author in undated), (undated[0], undated[0])]
    for author, committer in signed:
        parent = f"parent {log[-1]}\n" if log else ""
        commit = f"tree {tree}\n{parent}author {author}\ncommitter {committer}\n\nA commit\n"
        log.append(git("hash-object", "-t", "commit", "-w", "--stdin", "--literally", content=commit))
    deploy(step, GITHUB_SHA=log[0])

    deploy(step, ARTIFACT=an_artifact("second"), GITHUB_SHA=log[-1])

    assert sorted(given.sql("SELECT sha, extract(epoch FROM authored_at)::int FROM deployment_commits")) == sorted(
        (sha, 1772366400) for sha in log[1:-1]
    )


def test_what_only_informs_is_cut_or_left_out(step: Any, given: Given) -> None:
    odd = {"GITHUB_SERVER_URL": "https://github.com/a space", "LEASE_SECONDS": "86400"}
    reason = {"SLIPWAY_TOKEN": token("maintainer", ["azul"]), "OVERRIDE_REASON": "\n" + "x" * 600}
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


def test_a_summary_that_cannot_be_written_stops_nothing(step: Any, given: Given, tmp_path: Path) -> None:
    tested = deploy(step)

    assert step("verification", DEPLOYMENT=tested, OUTCOME="success", GITHUB_STEP_SUMMARY=str(tmp_path)) == 0

    assert given.sql("SELECT outcome FROM verifications") == [("success",)]


def test_the_client_knows_the_bounds_of_the_api() -> None:
    text, url, count = (get_args(each)[1] for each in (Text, Url, Count))
    lease = get_args(get_type_hints(NewDeployment, include_extras=True)["lease_seconds"])[1]

    assert (text.max_length, url.max_length, count.le) == (MOST_DETAIL, MOST_URL, MOST_COUNT)
    assert (lease.ge, lease.le) == (LEAST_LEASE, MOST_LEASE)


@pytest.mark.parametrize("digits", [40, 64])
@pytest.mark.parametrize("subject", ["", "s" * 60, "\U0001f680" * 300])
def test_many_commits_fit_into_a_body(digits: int, subject: str) -> None:
    log = ([f"{number:0{digits}x}", "1772366400", subject] for number in range(MOST_COMMITS))

    commits = _fitting(log)

    assert len(commits) == MOST_COMMITS
    assert len(json.dumps(commits)) < NewDeployment.max_bytes - 20_000
    assert commits[0]["subject"] == subject[:200]


def test_a_shallow_checkout_records_no_commits(step: Any, given: Given, tmp_path: Path) -> None:
    deploy(step, GITHUB_SHA="1" * 40)

    assert step("deployment-open", ARTIFACT=an_artifact("second")) == 0

    assert "fetch-depth: 0" in step.said
    assert given.sql("SELECT * FROM deployment_commits") == []


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
