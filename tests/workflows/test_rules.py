"""This project's own rules for workflows and actions, which zizmor and actionlint do not check."""

import copy
import json
import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.support import workflow_changes as mutate
from tests.support.actions import Job
from tests.support.workflows import ACTIONS, ENVIRONMENTS, ROOT, WORKFLOWS, Definition, action, targets, workflow
from tools.aws import terraform
from tools.aws.workspace import BEGIN_WITHIN
from tools.pipeline.commands import COMMANDS

LONGEST_MINUTES = 120

# Make targets that change an AWS account.
CHANGING = {"apply", "destroy", "rollback", "workspace-create", "workspace-extend", "workspace-destroy", "reap"}

# Scripts that call neither a make target nor `python -m tools pipeline`, with the reason.
NO_TARGET = {
    "gh workflow run workspace.yml": "runs without a checkout",
    'case "$RESULTS" in': "reads the results of other jobs, without a checkout",
    'echo "::error::': "refuses a run before the checkout",
    'echo "::notice::': "says why nothing is deployed",
    'echo "::warning::': "says what is left out, without a checkout",
    'PYTHONPATH="$GITHUB_ACTION_PATH/../../.." PYTHONSAFEPATH=1 python3 -m tools client': (
        "runs in checkouts of other repositories, which do not have the targets of this one"
    ),
}

# Inputs that change neither the target nor the code nor the data of a run.
NOT_SHOWN = {"reason", "expires"}

_MAKE = re.compile(r"\bmake((?: -s| [A-Z_]+=(?:\"[^\"]*\"|\S+)| [a-z][a-z-]*)+)")
_TOOLS = re.compile(r"python -m tools (pipeline [a-z-]+)")


# The rules. Each rule yields its violations.


def says_its_version(definition: Definition) -> Iterator[str]:
    """A comment beside each pinned commit names the version. zizmor compares commit and version only online."""
    for line in definition.text.splitlines():
        if "uses:" in line and "@" in line and not re.search(r"@\S+  # v\d+(\.\d+)*$", line):
            yield f"{definition.name}: `{line.strip()}` has no version: add a comment such as `# v1.2.3`"


def ends(definition: Definition) -> Iterator[str]:
    """Each job has its own time limit, because GitHub's default is six hours."""
    for job, content in definition.jobs.items():
        if not 0 < content.get("timeout-minutes", 0) <= LONGEST_MINUTES:
            yield f"{definition.name}, {job}: no time limit: set `timeout-minutes` to at most {LONGEST_MINUTES}"


def changes_one_target_at_a_time(definition: Definition) -> Iterator[str]:
    """Runs that change a target run one after another. No run is cancelled, because an apply must not stop halfway.

    Each workflow has groups of its own, so that a workspace's name can't block the deployments of an environment.
    """
    name, concurrency = definition.name, definition.content["concurrency"]
    changing = {target for _, target in called(definition)} & CHANGING
    if changing and concurrency.get("cancel-in-progress") is not False:
        yield f"{name}: {', '.join(sorted(changing))} must not stop halfway: set `cancel-in-progress: false`"
    if changing - {"reap"} and not concurrency["group"].startswith(f"{name}-${{{{ "):
        yield f"{name}: runs can overlap: set the `concurrency` group to {name}-<target>"


def runs_again_when_its_event_changes(definition: Definition) -> Iterator[str]:
    """A pull request runs a workflow again when the labels that the workflow reads change.

    GitHub's default types are opened, synchronize and reopened. A re-run has the labels of its first attempt.
    """
    types = (definition.triggers.get("pull_request") or {}).get("types", [])
    if "pull_request.labels" in definition.text and not {"labeled", "unlabeled"} <= set(types):
        yield f"{definition.name}: a label changes nothing: add labeled and unlabeled to the `types` of pull_request"


def loses_no_run(definition: Definition) -> Iterator[str]:
    """A waiting run is not replaced by a newer one if a person, or an event that starts others, asked for it."""
    asked_once = "workflow_dispatch" in definition.triggers or "gh workflow run" in definition.text
    if asked_once and definition.content["concurrency"].get("queue") != "max":
        yield f"{definition.name}: GitHub drops all waiting runs but one: set `queue: max` in `concurrency`"


def shows_what_it_does(definition: Definition) -> Iterator[str]:
    """The name of a run that a person can start shows its target, code and data. Reviewers see only this name."""
    if "workflow_dispatch" not in definition.triggers:
        return
    inputs = (definition.triggers["workflow_dispatch"] or {}).get("inputs", {})
    shown = {f"inputs.{name}" for name in inputs.keys() - NOT_SHOWN}
    if "environment" not in inputs:
        shown.add("github.ref_name")
    run_name = definition.content.get("run-name", "")
    if missing := sorted(each for each in shown if not re.search(rf"\b{re.escape(each)}\b", run_name)):
        yield f"{definition.name}: a run's name does not show {', '.join(missing)}: add them to `run-name`"


def fails_in_pipes(definition: Definition) -> Iterator[str]:
    """Each script runs with `shell: bash`. GitHub's default shell ignores failures before the end of a pipe."""
    shell = definition.content.get("defaults", {}).get("run", {}).get("shell")
    for where, step in definition.steps():
        if "run" in step and step.get("shell", shell) != "bash":
            yield f"{where}: the script does not run in Bash: set `shell: bash`"


def calls_what_exists(definition: Definition) -> Iterator[str]:
    """Each script calls a make target or a command, so that people can do the same. NO_TARGET has the exceptions."""
    known = targets() | {f"pipeline {command.name}" for command in COMMANDS}
    for where, name in called(definition):
        if name not in known:
            yield f"{where}: {name!r} is neither a make target nor a command: correct the name"
    for where, step in definition.steps():
        script = step.get("run", "make nothing")
        if not (_MAKE.search(script) or _TOOLS.search(script) or script.startswith(tuple(NO_TARGET))):
            yield f"{where}: `{script.splitlines()[0]}` calls no target or command: add one, or a line in NO_TARGET"


def sets_up_first(definition: Definition) -> Iterator[str]:
    """After a checkout, a job uses the setup action before targets and commands. They need the project's Python."""
    for job, content in definition.jobs.items():
        ready = False
        for step in content.get("steps", []):
            script, uses = step.get("run", ""), step.get("uses", "")
            ready = uses.endswith("/.github/actions/setup") or (ready and not uses.startswith("actions/checkout@"))
            if not ready and (_MAKE.search(script) or _TOOLS.search(script)):
                line = script.splitlines()[0]
                yield f"{definition.name}, {job}: `{line}` needs Python: use .github/actions/setup before this line"
                break


RULES = [
    says_its_version,
    ends,
    changes_one_target_at_a_time,
    runs_again_when_its_event_changes,
    loses_no_run,
    shows_what_it_does,
    fails_in_pipes,
    calls_what_exists,
    sets_up_first,
]
RULES_OF_ACTIONS = [says_its_version, fails_in_pipes, calls_what_exists]


def called(definition: Definition) -> Iterator[tuple[str, str]]:
    """Yield the place and the name of each make target or tools command that a step calls."""
    for where, step in definition.steps():
        script = step.get("run", "")
        words = " ".join(_MAKE.findall(script)).split()
        for name in [*(word for word in words if re.fullmatch("[a-z][a-z-]*", word)), *_TOOLS.findall(script)]:
            yield where, name


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
@pytest.mark.parametrize("name", WORKFLOWS)
def test_a_workflow_follows_the_rules(name: str, rule: Callable[..., Any]) -> None:
    assert list(rule(workflow(name))) == []


@pytest.mark.parametrize("rule", RULES_OF_ACTIONS, ids=lambda rule: rule.__name__)
@pytest.mark.parametrize("name", ACTIONS)
def test_an_action_follows_the_rules(name: str, rule: Callable[..., Any]) -> None:
    assert list(rule(action(name))) == []


@pytest.mark.parametrize("name", ["record", "may-promote"])
def test_every_input_of_an_action_for_other_repositories_is_used(name: str) -> None:
    content = action(name).content
    text = json.dumps(content["runs"])

    assert [each for each in content["inputs"] if f"inputs.{each}" not in text] == []


WITHOUT_BASH = {"run": "make plan", "shell": "sh"}


@pytest.mark.parametrize(
    ("rule", "name", "change"),
    [
        (says_its_version, "deploy", mutate.text("  # v7.0.1", "")),
        (says_its_version, "deploy", mutate.text("  # v7.0.1", "  # latest")),
        (ends, "deploy", lambda it: it.jobs["deploy"].pop("timeout-minutes")),
        (ends, "deploy", mutate.job("deploy", timeout_minutes=600)),
        (changes_one_target_at_a_time, "workspace", mutate.concurrency(**{"cancel-in-progress": True})),
        (changes_one_target_at_a_time, "deploy", mutate.concurrency(group="deploy")),
        (changes_one_target_at_a_time, "workspace", mutate.concurrency(group="deploy-${{ inputs.environment }}")),
        (runs_again_when_its_event_changes, "api", lambda it: it.triggers["pull_request"].pop("types")),
        (runs_again_when_its_event_changes, "preview", lambda it: it.triggers["pull_request"]["types"].pop(1)),
        (loses_no_run, "workspace", lambda it: it.content["concurrency"].pop("queue")),
        (loses_no_run, "preview", mutate.concurrency(queue="single")),
        (loses_no_run, "verify", mutate.concurrency(queue="single")),
        (shows_what_it_does, "deploy", lambda it: it.content.pop("run-name")),
        (shows_what_it_does, "workspace", lambda it: it.content.update({"run-name": "${{ inputs.workspace }}"})),
        (fails_in_pipes, "deploy", mutate.step(**WITHOUT_BASH)),
        (calls_what_exists, "deploy", mutate.step(run="python -m tools pipeline artifact > it && make nothing")),
        (calls_what_exists, "deploy", mutate.step(run="python -m tools pipeline nothing")),
        (calls_what_exists, "deploy", mutate.step(run="./deploy.sh")),
        (sets_up_first, "verify", mutate.without_setup("verify")),
        (sets_up_first, "pull-request", mutate.without_setup("promotion")),
    ],
)
def test_each_rule_finds_its_violation(rule: Callable[..., Any], name: str, change: mutate.Change) -> None:
    mutant = copy.deepcopy(workflow(name))
    change(mutant)

    [fault] = list(rule(mutant))

    assert fault.startswith(name)


def test_a_branch_deploys_the_environment_of_its_name() -> None:
    deploy = workflow("deploy")

    assert deploy.triggers["push"]["branches"] == ENVIRONMENTS
    # A person can start a run on any branch or tag.
    assert json.dumps(ENVIRONMENTS) in deploy.jobs["newest"]["if"]
    assert "github.ref_type == 'branch'" in deploy.jobs["newest"]["if"]
    assert deploy.jobs["artifact"]["needs"] == "newest"
    assert "needs.newest.outputs.newest == 'true' && " in deploy.jobs["artifact"]["if"]
    assert deploy.content["env"]["ENV"] == "${{ github.ref_name }}"
    # A job waits for the reviewers of its GitHub environment.
    assert deploy.jobs["deploy"]["environment"]["name"] == "${{ github.ref_name }}"
    assert deploy.jobs["deploy"]["needs"] == "artifact"


def test_each_environment_is_verified_every_day_without_reviewers() -> None:
    verify = workflow("verify")

    assert verify.triggers["schedule"]
    assert "workflow_dispatch" in verify.triggers
    assert verify.jobs["verify"]["strategy"]["matrix"]["environment"] == "${{ fromJSON(vars.ENVIRONMENTS) }}"
    assert verify.jobs["verify"]["environment"] == "${{ matrix.environment }}-verify"


@pytest.mark.parametrize(("name", "begins_after"), [("workspace", timedelta()), ("reap", BEGIN_WITHIN)])
def test_a_job_and_its_aws_session_last_as_long_as_the_longest_destroy(name: str, begins_after: timedelta) -> None:
    job = workflow(name).jobs[name]
    [session] = [step["with"] for step in job["steps"] if step.get("uses", "").endswith("/actions/aws")]
    roles = (ROOT / "infra" / "account" / "github.tf").read_text()

    needed = begins_after + timedelta(seconds=terraform.SECONDS)

    assert timedelta(minutes=job["timeout-minutes"]) >= needed
    assert timedelta(seconds=int(session["seconds"])) >= needed
    assert f"max_session_duration = {int(session['seconds']) // 3600} * 60 * 60" in roles


@pytest.mark.parametrize("name", ["verify", "reap"])
def test_daily_jobs_skip_what_is_not_set_up(name: str) -> None:
    job = workflow(name).jobs[name]

    assert job["if"] == "vars.ENVIRONMENTS != ''"
    assert job["strategy"]["matrix"]["environment"] == "${{ fromJSON(vars.ENVIRONMENTS) }}"


@pytest.mark.parametrize(
    ("branch", "variables", "deploys"),
    [
        ("development", {}, False),
        ("development", {"ARTIFACT_BUCKET": "b"}, True),
        ("production", {"ARTIFACT_BUCKET": "b"}, False),
        ("production", {"ARTIFACT_BUCKET": "b", "AWS_PLAN_ROLE_PRODUCTION": "r"}, True),
    ],
)
def test_a_merge_before_an_account_exists_ends_in_a_notice(
    branch: str, variables: dict[str, str], deploys: bool
) -> None:
    jobs = workflow("deploy").jobs
    [notice] = [step for step in jobs["newest"]["steps"] if "::notice::" in step.get("run", "")]
    context = {
        "github": {"ref_name": branch},
        "vars": variables,
        "needs": {"newest": {"outputs": {"newest": "true"}}},
    }
    job = Job(jobs["artifact"], Path(), context)

    assert job.holds(jobs["artifact"]["if"]) is deploys
    assert job.holds(notice["if"]) is not deploys


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("pull-request", lambda it: it.triggers["pull_request"]["branches"]),
        ("api", lambda it: it.triggers["pull_request"]["branches"]),
        ("security", lambda it: it.triggers["pull_request"]["branches"]),
        ("workspace", lambda it: it.triggers["workflow_dispatch"]["inputs"]["environment"]["options"]),
    ],
)
def test_other_workflows_have_the_same_environments(name: str, found: Callable[[Definition], Any]) -> None:
    assert found(workflow(name)) == ENVIRONMENTS


def test_each_environment_is_a_stage_of_chalice() -> None:
    stages = json.loads((ROOT / ".chalice" / "config.json").read_text())["stages"]

    assert stages.keys() == {*ENVIRONMENTS, "local"}


def test_account_roles_trust_branches_and_environments_of_the_same_names() -> None:
    accounts = [json.loads(path.read_text()) for path in (ROOT / "infra" / "account").glob("*.tfvars.json")]
    trusted = {name: given for account in accounts for name, given in account["environments"].items()}

    assert sorted(trusted) == sorted(ENVIRONMENTS)
    for name, given in trusted.items():
        assert given["branch"] == given["github_environment"] == name
        for key in given.keys() - {"branch", "github_environment"}:
            assert given[key] == f"{name}-{key.removesuffix('_github_environment').replace('_', '-')}"


def test_each_variable_of_the_repository_is_explained() -> None:
    used = {
        variable
        for path in (ROOT / ".github").rglob("*.yml")
        for variable in re.findall(r"\bvars\.([A-Z_]+)", path.read_text())
    }
    page = (ROOT / "docs" / "branching.md").read_text()

    assert [variable for variable in sorted(used) if f"`{variable}`" not in page] == []


def test_the_workflow_has_the_inputs_that_the_page_uses() -> None:
    page = (ROOT / "docs" / "branching.md").read_text()
    [(name, said)] = re.findall(r"gh workflow run (\S+)\.yml([^`]+)", page)
    named = re.findall(r"-f ([a-z-]+)=", said) + re.findall(r"`-f ([a-z-]+)=", page)

    assert len(named) == 2
    assert set(named) <= workflow(name).triggers["workflow_dispatch"]["inputs"].keys()


def test_a_workspace_s_step_runs_for_its_own_action_alone() -> None:
    actions = workflow("workspace").triggers["workflow_dispatch"]["inputs"]["action"]["options"]
    steps = workflow("workspace").jobs["workspace"]["steps"]

    conditions = {step["run"]: step.get("if") for step in steps if step.get("run", "").startswith("make workspace-")}

    assert conditions == {f"make workspace-{action}": f"inputs.action == '{action}'" for action in actions}


def test_acceptance_tests_get_the_same_settings_after_a_deployment_and_every_day() -> None:
    [deployed, daily] = [
        next(step["env"] for step in workflow(name).jobs[name]["steps"] if step.get("id") == "acceptance")
        for name in ("deploy", "verify")
    ]

    # The daily run learns from the registry which package should run.
    assert daily.pop("DIGEST") == "${{ steps.deployed.outputs.digest }}"
    assert daily == {name: value for name, value in deployed.items() if name in daily}
    assert deployed.keys() - daily.keys() <= {"REPORT", "DIGEST"}
    assert daily["READ_ONLY"] == "${{ vars.READ_ONLY }}"  # each GitHub environment has its own READ_ONLY


def test_a_load_is_the_same_after_a_deployment_and_repeated_but_in_systems_of_its_own() -> None:
    [deployed, daily] = [
        next(step["env"] for step in workflow(name).jobs[name]["steps"] if step.get("id") == "load")
        for name in ("deploy", "verify")
    ]

    assert {**deployed, "SYSTEM": "load-daily"} == daily
