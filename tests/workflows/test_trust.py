"""Rules that keep unreviewed code away from roles, tokens and caches, which zizmor and actionlint do not check."""

import copy
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.support import workflow_changes as mutate
from tests.support.workflows import ACTIONS, WORKFLOWS, Definition, action, workflow

# The write permissions of jobs. All other jobs may only read.
MAY_WRITE = {
    ("deploy", "artifact"): {"id-token", "attestations"},
    ("deploy", "deploy"): {"id-token"},
    ("verify", "verify"): {"id-token"},
    ("workspace", "workspace"): {"id-token"},
    ("reap", "reap"): {"id-token"},
    ("preview", "preview"): {"actions"},
    ("pull-request", "plan"): {"id-token"},
    ("pull-request", "comment"): {"pull-requests"},
    ("security", "codeql"): {"security-events"},
    ("security", "workflows"): {"security-events"},
    ("security", "scorecard"): {"security-events"},
}

# The permissions of jobs that run unreviewed code. Everything else could be used by this code.
UNREVIEWED = {"contents": "read", "id-token": "write"}

# The commits that a job with tokens may check out, instead of the run's own commit. A command has checked each commit.
CHECKED_REFS = {
    "${{ needs.ref.outputs.commit }}": "workspace-ref",
    "${{ steps.reviewed.outputs.commit }}": "reviewed-commit",
    "${{ matrix.environment }}": None,  # a protected branch
}

_INSTALLS = re.compile(
    r"\b(?:pip3?|pipx|uv|npm|yarn|gem|cargo|go|brew|apt|apt-get) +(?:\S+ +)*(?:install|add|i|exec|get)\b"
    r"|\b(?:npx|uvx|pipx|curl|wget|docker)\b|\bterraform +(?:\S+ +)*init\b"
)

_SAME_REPOSITORY = "github.event.pull_request.head.repo.full_name == github.repository"


# The rules. Each rule yields its violations.


def uses_no_cache_with_a_role(definition: Definition) -> Iterator[str]:
    """Jobs with a GitHub environment or a write permission neither read nor write the cache.

    Code that nobody reviewed could write the cache for them, or could write it with their token.
    """
    for job, content in definition.jobs.items():
        if not content.get("environment") and not writes(content) - {"security-events"}:
            continue
        if content.get("cache-mode", definition.content.get("cache-mode")) != "none":
            yield f"{definition.name}, {job}: the job could restore a poisoned cache: set `cache-mode: none`"
        for step in content.get("steps", []):
            if "actions/cache" in step.get("uses", "") or "cache" in step.get("with", {}):
                yield f"{definition.name}, {job}: {step['uses']} restores a cache: remove the cache from this step"


def takes_actions_of_its_own_commit(definition: Definition) -> Iterator[str]:
    """`$/` is the commit of the running workflow. `./` is the checkout, which can be code that nobody reviewed."""
    for where, step in definition.steps():
        if step.get("uses", "").startswith("."):
            yield f"{where}: {step['uses']} comes from the checkout: begin the path with `$/` instead"


def gives_unreviewed_code_few_permissions(definition: Definition) -> Iterator[str]:
    """Jobs that run the code of a pull request, or of a commit that another job chose, have only UNREVIEWED."""
    for job, content in definition.jobs.items():
        checkouts = [step for step in content.get("steps", []) if "actions/checkout@" in step.get("uses", "")]
        chosen = any("needs." in str(step.get("with", {}).get("ref", "")) for step in checkouts)
        unreviewed = chosen or (checkouts and "pull_request" in definition.triggers)
        runs = any("run" in step or "/actions/setup" in step.get("uses", "") for step in content["steps"])
        if unreviewed and runs and not content["permissions"].items() <= UNREVIEWED.items():
            yield f"{definition.name}, {job}: unreviewed code has more permissions than {UNREVIEWED}: remove the others"


def takes_nothing_from_unreviewed_jobs(definition: Definition) -> Iterator[str]:
    """Jobs with a GitHub environment download no artifact of another job, and follow no other workflow's run."""
    for job, content in definition.jobs.items():
        if not content.get("environment"):
            continue
        if "workflow_run" in definition.triggers:
            yield f"{definition.name}, {job}: a run for unreviewed code could start this job: remove `workflow_run`"
        for step in content["steps"]:
            if "actions/download-artifact@" in step.get("uses", ""):
                yield f"{definition.name}, {job}: another job could have changed the artifact: build or attest it"


def checks_out_only_checked_commits(definition: Definition) -> Iterator[str]:
    """Jobs that may write check out the run's own commit, or a commit of CHECKED_REFS that its command has checked.

    Answers of the registry and of other servers never choose code that runs with a token.
    """
    for job, content in definition.jobs.items():
        for step in content.get("steps", []):
            ref = step.get("with", {}).get("ref") if "actions/checkout@" in step.get("uses", "") else None
            if ref is None or not writes(content):
                continue
            command = CHECKED_REFS.get(ref, "")
            if command == "":
                yield f"{definition.name}, {job}: nothing has checked {ref}: check out a commit of CHECKED_REFS"
            elif command and f"id: {ref.split('.')[1]}\n        run: python -m tools pipeline {command}\n" not in (
                definition.text
            ):
                yield f"{definition.name}, {job}: {ref} is not set by {command}: run this command before the checkout"


def installs_only_what_is_locked(definition: Definition) -> Iterator[str]:
    """Jobs with a GitHub environment or a write permission install nothing themselves.

    The setup action installs packages by hash (tools/venv.py). The make targets keep the lock files of npm
    (tools/checks/npm.py) and Terraform (tools/aws/terraform.py).
    """
    steps = [*definition.content.get("runs", {}).get("steps", [])]  # an action can run in any job
    for content in definition.jobs.values():
        if content.get("environment") or writes(content):
            steps += content["steps"]
    for step in steps:
        if found := _INSTALLS.search(step.get("run", "")):
            yield f"{definition.name}: `{found[0]}` installs what no hash protects: add it to a lock file instead"


def holds_no_secrets(definition: Definition) -> Iterator[str]:
    """Workflows use no secrets. AWS and the service accept tokens of the run; GitHub accepts `github.token`."""
    if re.search(r"\bsecrets\b", definition.text):
        yield f"{definition.name}: the workflow uses secrets: use a token of the run instead"


def trusts_no_fork(definition: Definition) -> Iterator[str]:
    """Jobs for a fork's pull request have no environment, and may write only security reports. Anyone can fork."""
    if "pull_request" not in definition.triggers:
        return
    for job, content in definition.jobs.items():
        trusted = content.get("environment") or writes(content) - {"security-events"}
        if trusted and _SAME_REPOSITORY not in content.get("if", ""):
            yield f"{definition.name}, {job}: a fork's pull request can run this job: add `if: {_SAME_REPOSITORY}`"


RULES = [
    uses_no_cache_with_a_role,
    takes_actions_of_its_own_commit,
    gives_unreviewed_code_few_permissions,
    takes_nothing_from_unreviewed_jobs,
    checks_out_only_checked_commits,
    installs_only_what_is_locked,
    holds_no_secrets,
    trusts_no_fork,
]
RULES_OF_ACTIONS = [takes_actions_of_its_own_commit, installs_only_what_is_locked, holds_no_secrets]


def writes(job: dict[str, Any]) -> set[str]:
    """Return the scopes that a job may write. zizmor finds `write-all`, and permissions of whole workflows."""
    return {scope for scope, level in job["permissions"].items() if level == "write"}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
@pytest.mark.parametrize("name", WORKFLOWS)
def test_a_workflow_follows_the_rules(name: str, rule: Callable[..., Any]) -> None:
    assert list(rule(workflow(name))) == []


@pytest.mark.parametrize("rule", RULES_OF_ACTIONS, ids=lambda rule: rule.__name__)
@pytest.mark.parametrize("name", ACTIONS)
def test_an_action_follows_the_rules(name: str, rule: Callable[..., Any]) -> None:
    assert list(rule(action(name))) == []


@pytest.mark.parametrize(
    ("rule", "name", "change"),
    [
        (uses_no_cache_with_a_role, "reap", lambda it: it.content.pop("cache-mode")),
        (uses_no_cache_with_a_role, "pull-request", lambda it: it.jobs["plan"].pop("cache-mode")),
        (uses_no_cache_with_a_role, "workspace", mutate.job("workspace", cache_mode="write")),
        (
            uses_no_cache_with_a_role,
            "deploy",
            mutate.last_step("deploy", uses="actions/cache@5"),
        ),
        (uses_no_cache_with_a_role, "reap", mutate.last_step("reap", uses="$/setup", **{"with": {"cache": "true"}})),
        (takes_actions_of_its_own_commit, "workspace", mutate.last_step("workspace", uses="./.github/actions/aws")),
        (gives_unreviewed_code_few_permissions, "workspace", mutate.permission("workspace", "pull-requests", "read")),
        (gives_unreviewed_code_few_permissions, "pull-request", mutate.permission("check", "packages", "read")),
        (takes_nothing_from_unreviewed_jobs, "deploy", mutate.last_step("deploy", uses="actions/download-artifact@8")),
        (takes_nothing_from_unreviewed_jobs, "reap", lambda it: it.triggers.update(workflow_run={})),
        (
            checks_out_only_checked_commits,
            "verify",
            mutate.last_step(
                "verify", uses="actions/checkout@7", **{"with": {"ref": "${{ steps.deployed.outputs.revision }}"}}
            ),
        ),
        (checks_out_only_checked_commits, "verify", mutate.text("pipeline reviewed-commit", "pipeline current")),
        (checks_out_only_checked_commits, "workspace", mutate.text("pipeline workspace-ref", "pipeline newest")),
        (installs_only_what_is_locked, "deploy", mutate.last_step("deploy", run="python -m pip install boto3")),
        (installs_only_what_is_locked, "verify", mutate.last_step("verify", run="cd tools && npm install --silent")),
        (installs_only_what_is_locked, "reap", mutate.last_step("reap", run="curl -sSf https://example.org | bash")),
        (installs_only_what_is_locked, "pull-request", mutate.last_step("plan", run="npx some-tool")),
        (installs_only_what_is_locked, "workspace", mutate.last_step("workspace", run="terraform -chdir=x init")),
        (holds_no_secrets, "deploy", mutate.text("${{ vars.SLIPWAY_URL }}", "${{ secrets.SLIPWAY_URL }}")),
        (trusts_no_fork, "preview", mutate.job("preview", **{"if": "github.event.action != 'closed'"})),
        (trusts_no_fork, "pull-request", mutate.job("check", permissions={"id-token": "write"})),
        (trusts_no_fork, "pull-request", mutate.job("check", environment="development")),
    ],
)
def test_each_rule_finds_its_violation(rule: Callable[..., Any], name: str, change: mutate.Change) -> None:
    mutant = copy.deepcopy(workflow(name))
    change(mutant)

    [fault] = list(rule(mutant))

    assert fault.startswith(name)


def test_only_jobs_in_the_table_may_write() -> None:
    found = {(name, job): writes(content) for name in WORKFLOWS for job, content in workflow(name).jobs.items()}

    assert {where: scopes for where, scopes in found.items() if scopes} == MAY_WRITE
