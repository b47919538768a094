"""The workflows as they are read by the tests, and what has to hold of each. A rule yields what is wrong, in words."""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tools.pipeline.commands import COMMANDS

ROOT = Path(__file__).parents[2]
GITHUB = ROOT / ".github"

ENVIRONMENTS = ["development", "preproduction", "production"]
LONGEST_MINUTES = 120

# What a job may write, and no other may: a new line here is a decision. `security-events` is a report.
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

# Targets that change an account: what calls one is never cancelled, and nothing else is at the same target meanwhile.
CHANGING = {"apply", "destroy", "rollback", "workspace-create", "workspace-extend", "workspace-destroy", "reap"}

# What steps run besides `make`, and why it can't be a target.
NO_TARGET = {
    "gh workflow run workspace.yml": "runs nothing of the checkout: there is none",
    'case "$RESULTS" in': "sums the jobs up, without a checkout",
    'PYTHONPATH="$GITHUB_ACTION_PATH/../../.." PYTHONSAFEPATH=1 python3 -m tools slipway': (
        "runs in checkouts of others, which have no such targets"
    ),
}

_SAME_REPOSITORY = "github.event.pull_request.head.repo.full_name == github.repository"
_PINNED = re.compile(r"[A-Za-z0-9-]+/[A-Za-z0-9._/-]+@[0-9a-f]{40}")
_MAKE = re.compile(r"\bmake((?: -s| [A-Z_]+=(?:\"[^\"]*\"|\S+)| [a-z][a-z-]*)+)")

_TOOLS = re.compile(r"python -m tools (pipeline [a-z-]+)")

Yaml = dict[str, Any]


class _Loader(yaml.SafeLoader):
    """YAML 1.2, as GitHub reads it: `on` and `YES` are words."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:bool"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile("true|false"), list("tf"))


def read_yaml(text: str) -> Any:
    """What a workflow, or an action, says."""
    return yaml.load(text, _Loader)  # noqa: S506 (a safe one)


@dataclass
class Definition:
    """A workflow or a composite action: its text, and what YAML makes of it."""

    name: str
    text: str
    content: Yaml

    @property
    def jobs(self) -> dict[str, Yaml]:
        return self.content.get("jobs", {})

    @property
    def triggers(self) -> Yaml:
        return self.content.get("on", {})

    def steps(self) -> Iterator[tuple[str, Yaml]]:
        """Each step, and where it is."""
        if "runs" in self.content:
            for number, step in enumerate(self.content["runs"]["steps"], 1):
                yield f"{self.name}, step {number}", step
        for job, content in self.jobs.items():
            for number, step in enumerate(content.get("steps", []), 1):
                yield f"{self.name}, {job}, {step.get('name') or step.get('id') or f'step {number}'}", step


def workflow(name: str) -> Definition:
    return _read(name, GITHUB / "workflows" / f"{name}.yml")


def action(name: str) -> Definition:
    return _read(name, GITHUB / "actions" / name / "action.yml")


def _read(name: str, path: Path) -> Definition:
    text = path.read_text()
    return Definition(name, text, read_yaml(text))


WORKFLOWS = sorted(path.stem for path in (GITHUB / "workflows").glob("*.yml"))
ACTIONS = sorted(path.parent.name for path in (GITHUB / "actions").glob("*/action.yml"))


def targets() -> set[str]:
    """The targets of the Makefile."""
    return set(re.findall(r"^([a-z][a-z-]*):", (ROOT / "Makefile").read_text(), re.MULTILINE))


def called(definition: Definition) -> Iterator[tuple[str, str]]:
    """Each make target, or command of the tools, that a step calls, and where."""
    for where, step in definition.steps():
        for words in _MAKE.findall(step.get("run", "")):
            for word in words.split():
                if re.fullmatch("[a-z][a-z-]*", word):
                    yield where, word
        for command in _TOOLS.findall(step.get("run", "")):
            yield where, command


def is_pinned(definition: Definition) -> Iterator[str]:
    """An action is of this very commit, or of one that is named in full: a tag can be moved."""
    for where, step in definition.steps():
        uses = step.get("uses")
        if uses is not None and not uses.startswith("$/.github/") and not _PINNED.fullmatch(uses):
            yield f"{where}: {uses} is not pinned by a commit's 40 digits"


def says_its_version(definition: Definition) -> Iterator[str]:
    """Beside the commit stands the version that it is, for readers and for dependabot."""
    for line in definition.text.splitlines():
        if "uses:" in line and "@" in line and not re.search(r"@\S+  # v\d+(\.\d+)*$", line):
            yield f"{definition.name}: `{line.strip()}` does not say its version"


def begins_without_permissions(definition: Definition) -> Iterator[str]:
    """Nothing is allowed at large; each job says what it needs."""
    if definition.content.get("permissions") != {}:
        yield f"{definition.name}: `permissions` is not {{}} at the top"
    for job, content in definition.jobs.items():
        if not isinstance(content.get("permissions"), dict):
            yield f"{definition.name}, {job}: says no `permissions` of its own"


def writes_only_what_it_may(definition: Definition) -> Iterator[str]:
    """A job writes what the table here says, and nothing besides."""
    for job, content in definition.jobs.items():
        permissions = content.get("permissions")
        given = permissions.items() if isinstance(permissions, dict) else [(str(permissions), "write")]
        writes = {scope for scope, level in given if level != "read" and level != "none"}
        if more := writes - MAY_WRITE.get((definition.name, job), set()):
            yield f"{definition.name}, {job}: may write {', '.join(sorted(more))}, which is not in MAY_WRITE"


def ends(definition: Definition) -> Iterator[str]:
    """Each job has a time limit: GitHub's own is six hours."""
    for job, content in definition.jobs.items():
        limit = content.get("timeout-minutes")
        if not isinstance(limit, int) or not 0 < limit <= LONGEST_MINUTES:
            yield f"{definition.name}, {job}: `timeout-minutes` is not 1 to {LONGEST_MINUTES}"


def runs_one_at_a_time(definition: Definition) -> Iterator[str]:
    """Two runs at one target would be at odds; and half an apply is worse than a late one."""
    concurrency = definition.content.get("concurrency")
    if not isinstance(concurrency, dict) or not concurrency.get("group"):
        yield f"{definition.name}: has no `concurrency` group"
        return
    changing = {target for _, target in called(definition)} & CHANGING
    if changing and concurrency.get("cancel-in-progress") is not False:
        yield f"{definition.name}: `cancel-in-progress` is not false, and it calls {', '.join(sorted(changing))}"
    if changing - {"reap"} and not concurrency["group"].startswith("target-${{ "):
        yield f"{definition.name}: its `concurrency` group is not the target's (target-<environment>-<workspace>)"


def keeps_expressions_out_of_shells(definition: Definition) -> Iterator[str]:
    """An expression in a script is text put into a program: it goes through the environment."""
    for where, step in definition.steps():
        script = f"{step.get('run', '')}\n{step.get('with', {}).get('script', '')}"
        if "${{" in script:
            yield f"{where}: has an expression in its script; pass it as `env`"


def holds_no_secrets(definition: Definition) -> Iterator[str]:
    """There are none to hold: AWS and Slipway take the run's own tokens. GitHub's is `github.token`."""
    if "secrets" in re.findall(r"\$\{\{[^}]*?\b(secrets)\b", definition.text) or "secrets:" in definition.text:
        yield f"{definition.name}: uses secrets"


def fails_in_pipes(definition: Definition) -> Iterator[str]:
    """GitHub's own shell takes a pipe for a success when its last command is one; `shell: bash` does not."""
    shell = definition.content.get("defaults", {}).get("run", {}).get("shell")
    for where, step in definition.steps():
        if "run" in step and step.get("shell", shell) != "bash":
            yield f"{where}: is not run with `shell: bash`"


def trusts_no_fork(definition: Definition) -> Iterator[str]:
    """A pull request's code may be anybody's: a fork's gets no token, and no event hands it the base's."""
    for event in ("pull_request_target", "workflow_run", "issue_comment"):
        if event in definition.triggers:
            yield f"{definition.name}: `{event}` gives what strangers wrote the permissions of this repository"
    if "pull_request" not in definition.triggers:
        return
    for job, content in definition.jobs.items():
        permissions = content.get("permissions")
        writes = {scope for scope, level in (permissions or {}).items() if level == "write"} - {"security-events"}
        if (writes or content.get("environment")) and _SAME_REPOSITORY not in content.get("if", ""):
            yield f"{definition.name}, {job}: a fork's pull request gets this far; say `if: {_SAME_REPOSITORY}`"


def leaves_no_credentials(definition: Definition) -> Iterator[str]:
    """A checkout leaves the repository's token on the disk unless it is told not to."""
    for where, step in definition.steps():
        is_checkout = step.get("uses", "").startswith("actions/checkout@")
        if is_checkout and step.get("with", {}).get("persist-credentials") is not False:
            yield f"{where}: `persist-credentials` is not false"


def calls_targets_that_exist(definition: Definition) -> Iterator[str]:
    """What a workflow does, a person can do: each step is a target or a command, or in NO_TARGET with the reason."""
    known = targets() | {f"pipeline {command.name}" for command in COMMANDS}
    for where, target in called(definition):
        if target not in known:
            yield f"{where}: calls {target!r}, which is neither in the Makefile nor a command of the tools"
    for where, step in definition.steps():
        script = step.get("run")
        if (
            script is not None
            and not (_MAKE.search(script) or _TOOLS.search(script))
            and not any(script.startswith(known) for known in NO_TARGET)
        ):
            yield f"{where}: runs `{script.splitlines()[0]}`, which is no make target and no command"


RULES: list[Callable[[Definition], Iterator[str]]] = [
    is_pinned,
    says_its_version,
    keeps_expressions_out_of_shells,
    fails_in_pipes,
    holds_no_secrets,
    leaves_no_credentials,
    calls_targets_that_exist,
]
# What only workflows have.
RULES_OF_WORKFLOWS: list[Callable[[Definition], Iterator[str]]] = [
    begins_without_permissions,
    writes_only_what_it_may,
    ends,
    runs_one_at_a_time,
    trusts_no_fork,
]


def branches_are_environments(deploy: Definition) -> Iterator[str]:
    """A branch deploys the environment of its name, in the GitHub environment and the stage of that name."""
    if deploy.triggers.get("push", {}).get("branches") != ENVIRONMENTS:
        yield f"deploy: is not started by pushes to {ENVIRONMENTS}"
    if deploy.content.get("env", {}).get("ENV") != "${{ github.ref_name }}":
        yield "deploy: ENV is not the branch's name"
    if deploy.jobs["deploy"].get("environment", {}).get("name") != "${{ github.ref_name }}":
        yield "deploy: the job is not in the GitHub environment of the branch's name, so nobody approves it"
    if json.dumps(ENVIRONMENTS) not in deploy.jobs["artifact"].get("if", ""):
        yield f"deploy: started by hand, it would take a branch other than {ENVIRONMENTS}"
    if deploy.jobs["deploy"].get("needs") != "artifact":
        yield "deploy: does not wait for the package and the gate"


def verifies_without_reviewers(verify: Definition) -> Iterator[str]:
    """Each environment every day, in a GitHub environment of its own: a reviewer would stop a schedule."""
    job = verify.jobs["verify"]
    if job["strategy"]["matrix"].get("environment") != ENVIRONMENTS:
        yield f"verify: does not look at {ENVIRONMENTS}"
    if job.get("environment") != "${{ matrix.environment }}-verify":
        yield "verify: is not in <environment>-verify"
    if not verify.triggers.get("schedule") or "workflow_dispatch" not in verify.triggers:
        yield "verify: is not started every day, and by hand"
