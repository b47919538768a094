"""A run for a workspace may check out only certain commits, and only the newest push deploys."""

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.pipeline.stub import Stub
from tools.checkout import ToolError, UsageError
from tools.pipeline import commits

HEAD, OTHER = "1" * 40, "2" * 40
PROTECTED = [{"type": "creation"}, {"type": "deletion"}, {"type": "update"}]
NOT_FOUND = (404, {"message": "Not Found"})


def branch(name: str, commit: str = HEAD) -> tuple[int, Any]:
    return 200, {"ref": f"refs/heads/{name}", "object": {"type": "commit", "sha": commit}}


def pull_request(state: str = "open", repository: dict[str, int] | None = {"id": 74}) -> tuple[int, Any]:  # noqa: B006
    return 200, {"state": state, "head": {"sha": HEAD, "repo": repository}, "base": {"repo": {"id": 74}}}


Run = Callable[..., dict[str, str]]


@pytest.fixture
def workspace_ref(stub: Stub, tmp_path: Path) -> Run:
    """Run the command with answers of GitHub; return the outputs of the step."""

    def run(*answers: Any, **variables: str) -> dict[str, str]:
        stub.answers = [*answers] or [NOT_FOUND]
        return outputs(commits.workspace_ref, stub, tmp_path, variables)

    return run


@pytest.fixture
def newest(stub: Stub, tmp_path: Path) -> Run:
    def run(*answers: Any, **variables: str) -> dict[str, str]:
        stub.answers = [*answers] or [NOT_FOUND]
        return outputs(commits.newest, stub, tmp_path, {"GITHUB_REF_NAME": "production", **variables})

    return run


def outputs(command: Callable[..., None], stub: Stub, folder: Path, variables: dict[str, str]) -> dict[str, str]:
    environ = {
        "ACTION": "create",
        "ENV": "development",
        "WORKSPACE": "ann",
        "PURPOSE": "personal",
        "GH_TOKEN": "ghs",
        "GITHUB_API_URL": stub.url,
        "GITHUB_REPOSITORY": "acme/azul",
        "GITHUB_SERVER_URL": "https://github.com",
        "GITHUB_SHA": HEAD,
        "GITHUB_ACTIONS": "true",
        "GITHUB_OUTPUT": str(folder / "output"),
        "GITHUB_STEP_SUMMARY": str(folder / "summary"),
        **variables,
    }
    command(environ, lambda seconds: None)
    return dict(line.split("=", 1) for line in (folder / "output").read_text().splitlines())


PREVIEW = {"WORKSPACE": "pr-12", "PURPOSE": "preview"}
FIX = {"ENV": "production", "WORKSPACE": "fix-1", "PURPOSE": "debug", "DATABASE": "live", "REF": "debug/fix-1"}


@pytest.mark.parametrize("environment", ["development", "preproduction"])
@pytest.mark.parametrize("purpose", ["personal", "debug"])
def test_a_workspace_can_be_made_from_a_branch_of_this_repository(
    workspace_ref: Run, stub: Stub, environment: str, purpose: str
) -> None:
    assert workspace_ref(branch("ann/try"), ENV=environment, PURPOSE=purpose, REF="ann/try") == {"commit": HEAD}

    [(path, headers)] = stub.asked
    assert path == "/repos/acme/azul/git/ref/heads/ann%2Ftry"
    assert headers["Authorization"] == "Bearer ghs"


@pytest.mark.parametrize("environment", ["development", "preproduction", "production"])
def test_without_a_ref_the_branch_of_the_environment_is_used(workspace_ref: Run, environment: str) -> None:
    assert workspace_ref(branch(environment), ENV=environment) == {"commit": HEAD}


@pytest.mark.parametrize("ref", ["v1.2.0", HEAD, "refs/heads/ann", "../pulls/1"])
def test_tags_and_commits_are_refused(workspace_ref: Run, stub: Stub, ref: str) -> None:
    with pytest.raises(ToolError, match="no branch"):
        workspace_ref(NOT_FOUND, REF=ref)

    assert all("/" not in path.removeprefix("/repos/acme/azul/git/ref/heads/") for path, _ in stub.asked)


def test_a_branch_that_only_begins_with_the_name_is_another_branch(workspace_ref: Run) -> None:
    with pytest.raises(ToolError, match="no branch"):
        workspace_ref(branch("ann/try"), REF="ann")


@pytest.mark.parametrize("ref", ["", HEAD])
def test_a_preview_has_the_newest_commit_of_its_pull_request(workspace_ref: Run, stub: Stub, ref: str) -> None:
    assert workspace_ref(pull_request(), **PREVIEW, REF=ref) == {"commit": HEAD}
    assert [path for path, _ in stub.asked] == ["/repos/acme/azul/pulls/12"]


@pytest.mark.parametrize(
    ("answer", "ref", "reason"),
    [
        (pull_request(repository={"id": 75}), HEAD, "from a fork"),
        (pull_request(repository=None), HEAD, "from a fork"),
        (pull_request(state="closed"), HEAD, "is closed"),
        (pull_request(), OTHER, "not the newest commit"),
        (pull_request(), "development", "not the newest commit"),
        (NOT_FOUND, HEAD, "no pull request 12"),
    ],
)
def test_other_commits_get_no_preview(workspace_ref: Run, answer: Any, ref: str, reason: str) -> None:
    with pytest.raises(ToolError, match=reason):
        workspace_ref(answer, **PREVIEW, REF=ref)


def test_production_is_debugged_from_a_protected_branch(workspace_ref: Run, stub: Stub) -> None:
    assert workspace_ref((200, PROTECTED), branch("debug/fix-1"), **FIX) == {"commit": HEAD}
    assert stub.asked[0][0] == "/repos/acme/azul/rules/branches/debug%2Ffix-1?per_page=100"


@pytest.mark.parametrize("rules", [[], PROTECTED[:1], PROTECTED[1:]])
def test_production_is_not_debugged_from_a_branch_that_others_may_push(workspace_ref: Run, rules: Any) -> None:
    with pytest.raises(ToolError, match="not protected"):
        workspace_ref((200, rules), branch("debug/fix-1"), **FIX)


@pytest.mark.parametrize("ref", ["development", "debug", "ann/debug/fix-1", "Debug/fix-1"])
def test_production_is_not_copied_with_code_of_other_branches(workspace_ref: Run, ref: str) -> None:
    with pytest.raises(ToolError, match="ask an approver"):
        workspace_ref((200, PROTECTED), branch(ref), **{**FIX, "REF": ref})


@pytest.mark.parametrize("action", ["extend", "destroy"])
@pytest.mark.parametrize("purpose", [PREVIEW, FIX, {"REF": "ann/try"}])
def test_the_code_of_the_environment_extends_and_destroys(
    workspace_ref: Run, stub: Stub, action: str, purpose: dict[str, str]
) -> None:
    environment = purpose.get("ENV", "development")

    assert workspace_ref(branch(environment), **purpose, ACTION=action) == {"commit": HEAD}
    assert [path for path, _ in stub.asked] == [f"/repos/acme/azul/git/ref/heads/{environment}"]


@pytest.mark.parametrize(
    ("variables", "reason"),
    [
        ({"WORKSPACE": "default"}, "not a workspace"),
        ({"WORKSPACE": "Default"}, "can't name a workspace"),
        ({"WORKSPACE": "ann of development (personal, empty data)"}, "can't name a workspace"),
        ({"DATABASE": "clone"}, "always has an empty database"),
        ({"DATABASE": "live", "ENV": "production"}, "always has an empty database"),
        ({**PREVIEW, "DATABASE": "clone"}, "always has an empty database"),
        ({**PREVIEW, "WORKSPACE": "ann"}, "does not fit the purpose 'preview'"),
        ({**PREVIEW, "WORKSPACE": "pr-0"}, "does not fit the purpose 'preview'"),
        ({"WORKSPACE": "pr-12"}, "does not fit the purpose 'personal'"),
        ({**PREVIEW, "ENV": "production"}, "Previews copy development"),
    ],
)
def test_choices_that_do_not_fit_are_refused_before_github_is_asked(
    workspace_ref: Run, stub: Stub, variables: dict[str, str], reason: str
) -> None:
    with pytest.raises(UsageError, match=reason):
        workspace_ref(**variables)

    assert stub.asked == []


def test_the_summary_shows_what_an_approver_approves(workspace_ref: Run, tmp_path: Path) -> None:
    workspace_ref((200, PROTECTED), branch("debug/fix-1"), **FIX)

    summary = (tmp_path / "summary").read_text()
    assert "create `fix-1` of `production` (debug, live data) from `debug/fix-1`" in summary
    assert f"https://github.com/acme/azul/commit/{HEAD}" in summary


def test_a_refusal_of_github_names_the_permissions(workspace_ref: Run) -> None:
    with pytest.raises(ToolError, match=r"403: Resource not accessible.*permissions"):
        workspace_ref((403, {"message": "Resource not accessible by integration"}))


def test_the_newest_push_deploys(newest: Run) -> None:
    assert newest(branch("production"), GITHUB_EVENT_NAME="push") == {"newest": "true"}


@pytest.mark.parametrize("answer", [branch("production", OTHER), NOT_FOUND])
def test_a_push_that_was_followed_by_another_ends_with_a_notice(
    newest: Run, answer: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    assert newest(answer, GITHUB_EVENT_NAME="push") == {"newest": "false"}
    assert "::notice::" in capsys.readouterr().out


def test_a_run_that_a_person_started_always_deploys(newest: Run, stub: Stub) -> None:
    assert newest(branch("production", OTHER), GITHUB_EVENT_NAME="workflow_dispatch") == {"newest": "true"}
    assert stub.asked == []


def test_a_run_again_of_a_run_that_a_person_started_brings_back_no_old_commit(newest: Run) -> None:
    again = {"GITHUB_EVENT_NAME": "workflow_dispatch", "GITHUB_RUN_ATTEMPT": "2"}

    assert newest(branch("production", OTHER), **again) == {"newest": "false"}


class Branch:
    """A checkout with the branch origin/production of two commits, and a commit of another branch."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._git("init", "-q")
        self.first, self.newest = self._commit("First"), self._commit("Second")
        self._git("update-ref", "refs/remotes/origin/production", self.newest)
        self.unreviewed = self._commit("Nobody has reviewed this")
        self._git("tag", "v1")

    def _commit(self, message: str) -> str:
        self._git("commit", "-q", "--allow-empty", "-m", message)
        return self._git("rev-parse", "HEAD")

    def _git(self, *arguments: str) -> str:
        who = ("-c", "user.name=Jane", "-c", "user.email=jane@example.org", "-c", "commit.gpgsign=false")
        done = subprocess.run(["git", *who, *arguments], cwd=self.root, capture_output=True, text=True, check=True)
        return done.stdout.strip()


@pytest.mark.parametrize(("revision", "chosen"), [("", "newest"), ("first", "first"), ("newest", "newest")])
def test_a_verification_runs_the_code_of_the_environments_branch(tmp_path: Path, revision: str, chosen: str) -> None:
    (tmp_path / "checkout").mkdir()
    branch = Branch(tmp_path / "checkout")
    environ = {
        "ENV": "production",
        "REVISION": getattr(branch, revision, ""),
        "GITHUB_OUTPUT": str(tmp_path / "output"),
    }

    commits.reviewed_commit(environ, branch.root)

    assert (tmp_path / "output").read_text() == f"commit={getattr(branch, chosen)}\n"


@pytest.mark.parametrize("revision", ["unreviewed", "f" * 40, "v1", "HEAD", "--help", "refs/pull/1/head", "{short}"])
def test_the_registry_chooses_no_code_outside_the_branch(tmp_path: Path, revision: str) -> None:
    branch = Branch(tmp_path)
    said = getattr(branch, revision, revision).format(short=branch.first[:12])

    with pytest.raises(ToolError, match="not a commit of the branch production"):
        commits.reviewed_commit({"ENV": "production", "REVISION": said}, branch.root)


def test_a_shallow_checkout_is_an_error(tmp_path: Path) -> None:
    branch = Branch(tmp_path)

    with pytest.raises(ToolError, match="fetch-depth: 0"):
        commits.reviewed_commit({"ENV": "development", "REVISION": branch.first}, branch.root)
