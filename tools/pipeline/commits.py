"""Decide which commit a run may use: of a workspace, of a push that deploys, and of a daily verification."""

import re
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from tools.aws.target import Target
from tools.checkout import ENVIRONMENTS, ROOT, ToolError, UsageError, git
from tools.pipeline.github import Repository
from tools.slipway_client.runner import needed, note, put_out, say, summarize

Environ = Mapping[str, str]

# branch-protection.sh lets only the approvers create and push these branches.
DEBUG = "debug/"
_ONLY_APPROVERS = {"creation", "update"}
_PREVIEW = re.compile(r"pr-([1-9][0-9]{0,8})")
_COMMIT = re.compile("[0-9a-f]{40}|[0-9a-f]{64}")


def workspace_ref(environ: Environ, pause: Callable[[float], None] = time.sleep) -> None:
    """Set the output `commit` to the commit that a run for a workspace may check out, or raise ToolError.

    The job that checks it out has an AWS role, and nobody has reviewed the code. So the commit must be the head of a
    branch of this repository: only people who may write to the repository can push there. Tags and bare commits are
    refused, because GitHub also serves the commits of forks by their ids.
    """
    _require_fitting(environ)
    repository = Repository(environ, pause)
    if environ.get("ACTION") != "create":
        source = environ["ENV"]  # trusted code can extend and destroy every workspace
        commit = _head(repository, source)
    elif environ.get("PURPOSE") == "preview":
        source = f"pull request {_number(environ)}"
        commit = _head_of_pull_request(repository, _number(environ), environ.get("REF", ""))
    else:
        source = environ.get("REF") or environ["ENV"]
        if environ["ENV"] == ENVIRONMENTS[-1]:
            _require_protected(repository, source, environ["ENV"])
        commit = _head(repository, source)
    put_out(environ, commit=commit)
    purpose = f"{environ.get('PURPOSE')}, {environ.get('DATABASE') or 'empty'} data"
    url = f"{environ.get('GITHUB_SERVER_URL')}/{repository.name}/commit/{commit}"
    summarize(
        environ,
        f"{environ.get('ACTION')} `{environ['WORKSPACE']}` of `{environ['ENV']}` ({purpose}) from `{source}` at commit "
        f"[{commit}]({url})\n",
    )


def newest(environ: Environ, pause: Callable[[float], None] = time.sleep) -> None:
    """Set the output `newest`: false if the run may not deploy, because its branch has another head now.

    A run that a person starts deploys in any case. But a re-run has the event and the commit of its first attempt, so
    it must not bring back an old commit.
    """
    branch, commit = needed(environ, "GITHUB_REF_NAME", "development"), needed(environ, "GITHUB_SHA", "a commit")
    by_hand = environ.get("GITHUB_EVENT_NAME") != "push" and environ.get("GITHUB_RUN_ATTEMPT", "1") == "1"
    superseded = not by_hand and Repository(environ, pause).head(branch) != commit
    if superseded:
        note(
            environ,
            f"Nothing is deployed: {branch} has a newer commit than {commit}, and the run of the newer commit deploys. "
            "To go back to an older commit, run make rollback or revert the merge",
        )
    else:
        say(f"{commit} may be deployed to {branch}")
    put_out(environ, newest="false" if superseded else "true")


def reviewed_commit(environ: Environ, root: Path = ROOT) -> None:
    """Set the output `commit` to REVISION, or without REVISION to the newest commit of the environment's branch.

    Raise ToolError unless the commit is on this branch. REVISION is the registry's answer, and the job that checks it
    out has tokens. Data in the registry must not choose code that nobody reviewed.
    """
    environment = needed(environ, "ENV", "production")
    if environment not in ENVIRONMENTS:
        raise UsageError(f"{environment!r} is not an environment: set ENV={'|'.join(ENVIRONMENTS)}")
    branch = f"refs/remotes/origin/{environment}"
    newest = _git(root, "rev-parse", "--verify", "--quiet", f"{branch}^{{commit}}")
    if newest is None:
        raise ToolError(f"The checkout has no branch origin/{environment}: set fetch-depth: 0")
    commit = environ.get("REVISION") or newest
    if not _COMMIT.fullmatch(commit) or _git(root, "merge-base", "--is-ancestor", commit, newest) is None:
        raise ToolError(
            f"The registry says that {environment} runs {commit!r}, which is not a commit of the branch {environment}. "
            "So its tests get no token: deploy the branch again, which records a commit of the branch"
        )
    put_out(environ, commit=commit)


def _git(root: Path, *arguments: str) -> str | None:
    """Return the output of a git command, or None if the command fails."""
    done = git(root, *arguments)
    return done.stdout.strip() if done.returncode == 0 else None


def _require_fitting(environ: Environ) -> None:
    """Raise UsageError unless the name, the purpose and the database of the workspace fit together."""
    workspace = Target(environ["ENV"], needed(environ, "WORKSPACE", "fix-42")).workspace
    purpose, database = environ.get("PURPOSE"), environ.get("DATABASE") or "empty"
    if workspace == "default":
        raise UsageError(f"'default' is {environ['ENV']} itself, not a workspace: choose another name")
    if database != "empty" and purpose != "debug":
        raise UsageError(
            f"A {purpose} workspace always has an empty database, not {database!r}: choose the database `empty`, or "
            "the purpose `debug`"
        )
    if (purpose == "preview") is not (_PREVIEW.fullmatch(workspace) is not None):
        raise UsageError(
            f"{workspace!r} does not fit the purpose {purpose!r}: a preview is named pr-<number of the pull request>, "
            "and no other workspace may have such a name"
        )
    if purpose == "preview" and environ["ENV"] != ENVIRONMENTS[0]:
        raise UsageError(f"Previews copy {ENVIRONMENTS[0]}, not {environ['ENV']}: choose {ENVIRONMENTS[0]}")


def _head(repository: Repository, branch: str) -> str:
    commit = repository.head(branch)
    if commit is None:
        raise ToolError(
            f"{repository.name} has no branch {branch!r}: push the branch, and give its name without refs/heads/. A "
            "workspace can't be made from a tag or a commit"
        )
    return commit


def _number(environ: Environ) -> int:
    return int(environ["WORKSPACE"].removeprefix("pr-"))


def _head_of_pull_request(repository: Repository, number: int, ref: str) -> str:
    pull = repository.pull_request(number)
    if pull is None:
        raise ToolError(f"{repository.name} has no pull request {number}: correct the workspace's name")
    head, base = pull["head"], pull["base"]
    # GitHub has no head repository for a pull request whose fork was deleted.
    if not head["repo"] or head["repo"]["id"] != base["repo"]["id"]:
        raise ToolError(
            f"Pull request {number} comes from a fork, whose code gets no workspace: push the branch to "
            f"{repository.name} after a review"
        )
    if pull["state"] != "open":
        raise ToolError(f"Pull request {number} is {pull['state']}: open it again before you create its preview")
    if ref and ref != head["sha"]:
        raise ToolError(
            f"{ref} is not the newest commit of pull request {number}, which is {head['sha']}: start the workflow for "
            "the newest commit, unless a later run has done so"
        )
    return str(head["sha"])


def _require_protected(repository: Repository, branch: str, environment: str) -> None:
    """Require that only reviewed code or the approvers' own code gets a workspace of the last environment."""
    if branch == environment:
        return
    if not branch.startswith(DEBUG):
        raise ToolError(
            f"A workspace of {environment} can't be made from {branch!r}: use {environment}, or ask an approver to "
            f"push the commit to a branch {DEBUG}…"
        )
    if not repository.rules(branch) >= _ONLY_APPROVERS:
        raise ToolError(
            f"{branch!r} is not protected, so not only approvers can push it: run .github/branch-protection.sh as "
            "docs/branching.md says"
        )
