"""What holds of every workflow and action; and each rule, shown to see what breaks it."""

import copy
import json
import re
from collections.abc import Callable
from typing import Any

import pytest

from tests.support import workflows as rules
from tests.support.workflows import ACTIONS, ENVIRONMENTS, ROOT, WORKFLOWS, Definition, action, workflow
from tools import checkout

TABLES = {"deploy": rules.branches_are_environments, "verify": rules.verifies_without_reviewers}


def test_there_are_workflows_to_check() -> None:
    assert WORKFLOWS == ["deploy", "nightly", "preview", "pull-request", "reap", "security", "verify", "workspace"]
    assert ACTIONS == ["aws", "may-promote", "record", "setup"]


@pytest.mark.parametrize("rule", [*rules.RULES, *rules.RULES_OF_WORKFLOWS], ids=lambda rule: rule.__name__)
@pytest.mark.parametrize("name", WORKFLOWS)
def test_a_workflow_keeps_the_rules(name: str, rule: Callable[..., Any]) -> None:
    assert list(rule(workflow(name))) == []


@pytest.mark.parametrize("rule", rules.RULES, ids=lambda rule: rule.__name__)
@pytest.mark.parametrize("name", ACTIONS)
def test_an_action_keeps_the_rules(name: str, rule: Callable[..., Any]) -> None:
    assert list(rule(action(name))) == []


@pytest.mark.parametrize("name", TABLES)
def test_branches_environments_and_stages_are_one_table(name: str) -> None:
    assert list(TABLES[name](workflow(name))) == []


def test_the_table_is_that_of_chalice_terraform_and_the_tools() -> None:
    stages = json.loads((ROOT / ".chalice" / "config.json").read_text())["stages"]

    assert [stage for stage in stages if stage != "local"] == ENVIRONMENTS == list(checkout.ENVIRONMENTS)
    for environment in ENVIRONMENTS:
        main = (ROOT / "infra" / environment / "main.tf").read_text()
        assert re.search(rf'^  environment +=  ?"{environment}"$', main, re.MULTILINE), environment


def test_an_account_s_roles_trust_the_branches_and_environments_of_the_table() -> None:
    for path in (ROOT / "infra" / "account").glob("*.tfvars"):
        found = re.findall(
            r'^  (\w+) = \{\n    branch += "([^"]+)"\n    github_environment += "([^"]+)"',
            path.read_text(),
            re.MULTILINE,
        )
        assert found, path
        assert all(name == branch == environment for name, branch, environment in found), path


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("pull-request", lambda it: it.triggers["pull_request"]["branches"]),
        ("security", lambda it: it.triggers["pull_request"]["branches"]),
        ("reap", lambda it: it.jobs["reap"]["strategy"]["matrix"]["environment"]),
        ("workspace", lambda it: it.triggers["workflow_dispatch"]["inputs"]["environment"]["options"]),
    ],
)
def test_other_workflows_know_the_same_environments(name: str, found: Callable[[Definition], Any]) -> None:
    assert found(workflow(name)) == ENVIRONMENTS


def test_what_a_job_may_write_it_writes() -> None:
    for (name, job), scopes in rules.MAY_WRITE.items():
        permissions = workflow(name).jobs[job]["permissions"]
        assert {scope for scope, level in permissions.items() if level == "write"} == scopes


def test_each_variable_of_the_repository_is_explained() -> None:
    used = {
        variable
        for path in (ROOT / ".github").rglob("*.yml")
        for variable in re.findall(r"\bvars\.([A-Z_]+)", path.read_text())
    }
    page = (ROOT / "docs" / "branching.md").read_text()

    assert [variable for variable in sorted(used) if f"`{variable}`" not in page] == []


def test_a_workflow_has_the_inputs_that_the_page_starts_it_with() -> None:
    page = (ROOT / "docs" / "branching.md").read_text()
    [(name, said)] = re.findall(r"gh workflow run (\S+)\.yml([^`]+)", page)
    named = re.findall(r"-f ([a-z-]+)=", said) + re.findall(r"`-f ([a-z-]+)=", page)

    assert len(named) == 2
    assert set(named) <= workflow(name).triggers["workflow_dispatch"]["inputs"].keys()


Change = Callable[[Definition], None]


def job(name: str, **members: Any) -> Change:
    """Change a job; None takes a member away."""

    def change(definition: Definition) -> None:
        content = definition.jobs[name]
        for member, value in members.items():
            content[member.replace("_", "-")] = value
            if value is None:
                del content[member.replace("_", "-")]

    return change


def top(name: Any, value: Any) -> Change:
    return lambda definition: definition.content.__setitem__(name, value)


def step(**members: Any) -> Change:
    """One more step, in the first job."""
    return lambda definition: next(iter(definition.jobs.values()))["steps"].append(members)


def text(old: str, new: str) -> Change:
    def change(definition: Definition) -> None:
        assert old in definition.text
        definition.text = definition.text.replace(old, new, 1)

    return change


def trigger(event: str, value: Any = None) -> Change:
    return lambda definition: definition.triggers.__setitem__(event, value)


CHECKOUT = "actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1"

WITHOUT_PIPEFAIL = {"run": "make plan", "shell": "sh"}

# Each rule, a workflow, and what breaks the rule there.
MUTANTS: list[tuple[Callable[..., Any], str, Change]] = [
    (rules.is_pinned, "deploy", step(uses="actions/checkout@v7")),
    (rules.is_pinned, "deploy", step(uses="actions/checkout@3d3c42e")),
    (rules.is_pinned, "deploy", step(uses="docker://alpine:3")),
    (rules.is_pinned, "deploy", step(uses="./.github/actions/setup")),
    (rules.says_its_version, "deploy", text("  # v7.0.1", "")),
    (rules.says_its_version, "deploy", text("  # v7.0.1", "  # latest")),
    (rules.begins_without_permissions, "deploy", top("permissions", {"contents": "read"})),
    (rules.begins_without_permissions, "deploy", top("permissions", "write-all")),
    (rules.begins_without_permissions, "deploy", job("deploy", permissions=None)),
    (rules.writes_only_what_it_may, "deploy", job("deploy", permissions={"contents": "write"})),
    (rules.writes_only_what_it_may, "deploy", job("deploy", permissions="write-all")),
    (rules.writes_only_what_it_may, "pull-request", job("check", permissions={"id-token": "write"})),
    (rules.ends, "deploy", job("deploy", timeout_minutes=None)),
    (rules.ends, "deploy", job("deploy", timeout_minutes=600)),
    (rules.runs_one_at_a_time, "deploy", top("concurrency", None)),
    (rules.runs_one_at_a_time, "deploy", top("concurrency", "target-${{ github.ref_name }}")),
    (rules.runs_one_at_a_time, "deploy", top("concurrency", {"group": "target-${{ github.ref_name }}"})),
    (
        rules.runs_one_at_a_time,
        "workspace",
        top("concurrency", {"group": "target-${{ inputs.workspace }}", "cancel-in-progress": True}),
    ),
    (rules.runs_one_at_a_time, "deploy", top("concurrency", {"group": "deploy", "cancel-in-progress": False})),
    (rules.keeps_expressions_out_of_shells, "deploy", step(run="make plan ENV=${{ github.ref_name }}")),
    (
        rules.keeps_expressions_out_of_shells,
        "deploy",
        step(**{"uses": "actions/github-script", "with": {"script": "f('${{ github.actor }}')"}}),
    ),
    (rules.fails_in_pipes, "preview", lambda it: it.jobs["preview"]["steps"].pop() and it.content.pop("defaults")),
    (rules.fails_in_pipes, "deploy", step(**WITHOUT_PIPEFAIL)),
    (rules.holds_no_secrets, "deploy", text("${{ vars.SLIPWAY_URL }}", "${{ secrets.SLIPWAY_URL }}")),
    (rules.holds_no_secrets, "deploy", text("    steps:", "    secrets: inherit\n    steps:")),
    (rules.trusts_no_fork, "preview", job("preview", **{"if": "github.event.action != 'closed'"})),
    (rules.trusts_no_fork, "pull-request", job("plan", **{"if": "always()"})),
    (rules.trusts_no_fork, "pull-request", job("check", permissions={"id-token": "write"})),
    (rules.trusts_no_fork, "pull-request", job("check", environment="development")),
    (rules.trusts_no_fork, "pull-request", trigger("pull_request_target")),
    (rules.trusts_no_fork, "deploy", trigger("workflow_run", {"workflows": ["Pull request"]})),
    (rules.leaves_no_credentials, "deploy", step(uses=CHECKOUT)),
    (rules.leaves_no_credentials, "deploy", step(**{"uses": CHECKOUT, "with": {"persist-credentials": True}})),
    (rules.calls_targets_that_exist, "deploy", step(run="make nothing-of-the-kind")),
    (
        rules.calls_targets_that_exist,
        "deploy",
        step(run="python -m tools pipeline artifact > it && make nothing"),
    ),
    (rules.calls_targets_that_exist, "deploy", step(run="python -m tools pipeline nothing")),
    (rules.calls_targets_that_exist, "deploy", step(run="./deploy.sh")),
    (rules.branches_are_environments, "deploy", trigger("push", {"branches": ["main"]})),
    (rules.branches_are_environments, "deploy", lambda it: it.content["env"].update(ENV="production")),
    (rules.branches_are_environments, "deploy", job("deploy", environment={"name": "development"})),
    (rules.branches_are_environments, "deploy", job("deploy", environment=None)),
    (rules.branches_are_environments, "deploy", job("deploy", needs=None)),
    (rules.branches_are_environments, "deploy", job("artifact", **{"if": None})),
    (rules.verifies_without_reviewers, "verify", job("verify", environment="${{ matrix.environment }}")),
    (rules.verifies_without_reviewers, "verify", job("verify", strategy={"matrix": {"environment": ["production"]}})),
    (rules.verifies_without_reviewers, "verify", trigger("schedule")),
]


@pytest.mark.parametrize(
    ("rule", "name", "change"), MUTANTS, ids=[f"{number}-{each[0].__name__}" for number, each in enumerate(MUTANTS)]
)
def test_a_rule_sees_what_breaks_it(rule: Callable[..., Any], name: str, change: Change) -> None:
    mutant = copy.deepcopy(workflow(name))
    change(mutant)

    [fault] = list(rule(mutant))

    assert fault.startswith(name)


def test_every_rule_has_a_mutant() -> None:
    assert {rule for rule, _, _ in MUTANTS} == {*rules.RULES, *rules.RULES_OF_WORKFLOWS, *TABLES.values()}


def test_what_is_run_without_a_target_is_run() -> None:
    scripts = [
        step.get("run", "")
        for definition in [*map(workflow, WORKFLOWS), *map(action, ACTIONS)]
        for _, step in definition.steps()
    ]

    for known in rules.NO_TARGET:
        assert any(script.startswith(known) for script in scripts), known


def test_yaml_that_mutates_is_yaml_that_github_reads() -> None:
    """The mutants start from what lies in the repository, not from a copy of it."""
    for name in WORKFLOWS:
        assert rules.read_yaml(workflow(name).text) == workflow(name).content
