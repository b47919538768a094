"""branch-protection.sh sends the right requests to GitHub. The workflows and CODEOWNERS fit these requests."""

import itertools
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support.actions import Job
from tests.support.workflows import ENVIRONMENTS, GITHUB, ROOT, WORKFLOWS, workflow
from tools.pipeline import commits

# This stand-in for `gh` records the requests. Its answers have one team, no branch policy, the ruleset in RULESET, and
# BYPASS of each environment. It refuses a request of the path REFUSED, or environments with reviewers if REFUSED is
# `reviewers`.
GH = """
import json, os, sys
words = sys.argv[2:]
body = json.load(sys.stdin) if "--input" in words else None
method = words[words.index("--method") + 1] if "--method" in words else "GET"
[path] = [word for word in words if word.startswith(("repos/", "orgs/"))]
fields = [word for word in words if "=" in word]
with open(os.environ["ASKED"], "a") as file:
    file.write(json.dumps([method, path, body, fields]) + "\\n")
if path.startswith("orgs/"):
    print(12)
if path.partition("?")[0] == "repos/acme/service/rulesets" and method == "GET":
    print(os.environ["RULESET"])
if path.startswith("repos/acme/service/environments/") and method == "PUT":
    assert words[words.index("--jq") + 1] == ".can_admins_bypass"
    print(os.environ["BYPASS"])
reviewed = "/environments/" in path and method == "PUT" and body.get("reviewers")
if path == f"repos/acme/service/{os.environ['REFUSED']}" or (reviewed and os.environ["REFUSED"] == "reviewers"):
    sys.exit("gh: Validation Failed (HTTP 422)")
if path == f"repos/acme/service/branches/{os.environ['MISSING']}":
    sys.exit("gh: Branch not found (HTTP 404)")
"""


def protect(
    folder: Path, missing: str = "", ruleset: str = "", bypass: str = "false", refused: str = "", code: int = 0
) -> tuple[list[list[Any]], str]:
    """Run the script for a repository without the branch `missing`; return the requests and the error output.

    `ruleset` is the id of the ruleset, if the script ran before. `bypass` is GitHub's answer about each environment.
    GitHub refuses the path `refused`. The script must end with `code`.
    """
    (folder / "gh").write_text(f"#!{sys.executable} -IS\n{GH}")  # -S leaves out the module `site`, to start faster
    (folder / "gh").chmod(0o755)
    answer = subprocess.run(
        [GITHUB / "branch-protection.sh", "acme/service", "acme/approvers"],
        env={
            "PATH": f"{folder}:{os.environ['PATH']}",
            "ASKED": str(folder / "asked"),
            "MISSING": missing,
            "RULESET": ruleset,
            "BYPASS": bypass,
            "REFUSED": refused,
        },
        timeout=60,
        capture_output=True,
        text=True,
    )
    assert answer.returncode == code, answer.stderr
    return [json.loads(line) for line in (folder / "asked").read_text().splitlines()], answer.stderr


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> list[list[Any]]:
    return protect(tmp_path_factory.mktemp("gh"))[0]


def environments(asked: list[list[Any]]) -> dict[str, Any]:
    """Return the body of each environment that the script makes, by name."""
    found = {path.partition("/environments/")[2]: body for method, path, body, _ in asked if method == "PUT"}
    return {name: body for name, body in found.items() if name}


def test_every_branch_of_an_environment_is_protected(asked: list[list[Any]]) -> None:
    protected = {path: body for method, path, body, _ in asked if path.endswith("/protection")}

    assert list(protected) == [f"repos/acme/service/branches/{branch}/protection" for branch in ENVIRONMENTS]
    for body in protected.values():
        assert body["enforce_admins"] is True
        assert body["allow_force_pushes"] is body["allow_deletions"] is False
        assert body["required_pull_request_reviews"]["require_code_owner_reviews"] is True


def test_a_missing_branch_is_named_and_its_environments_are_made(asked: list[list[Any]], tmp_path: Path) -> None:
    without, said = protect(tmp_path, missing="production")

    assert "no branch production" in said
    assert [path for *_, path, _, _ in asked if path not in {path for *_, path, _, _ in without}] == [
        "repos/acme/service/branches/production/protection"
    ]
    assert environments(without) == environments(asked)


def test_only_development_requires_branches_to_be_up_to_date(asked: list[list[Any]]) -> None:
    strict = {
        path.split("/")[4]: body["required_status_checks"]["strict"]
        for _, path, body, _ in asked
        if body and "required_status_checks" in body
    }

    assert strict == {"development": True, "preproduction": False, "production": False}


def test_the_required_checks_depend_on_all_others(asked: list[list[Any]]) -> None:
    required = {
        context
        for _, path, body, _ in asked
        if path.endswith("/protection")
        for context in body["required_status_checks"]["contexts"]
    }
    jobs = workflow("pull-request").jobs
    [name] = [name for name, job in jobs.items() if job["name"] in required]
    assert required == {jobs[name]["name"], *(job["name"] for job in workflow("api").jobs.values())}

    assert jobs[name]["if"] == "always()"
    # The job `comment` checks nothing.
    assert set(jobs[name]["needs"]) == jobs.keys() - {name, "comment"}


@pytest.mark.parametrize(
    ("results", "passes"),
    [
        ("success success", True),
        ("success skipped", True),
        ("success failure", False),
        ("cancelled success", False),
        ("skipped failure success", False),
    ],
)
def test_the_required_check_passes_if_no_job_failed(results: str, *, passes: bool) -> None:
    [step] = workflow("pull-request").jobs["checked"]["steps"]

    answer = subprocess.run(["bash", "-ec", step["run"]], env={"RESULTS": results}, capture_output=True)

    assert (answer.returncode == 0) is passes


def test_only_production_and_its_workspaces_need_approval(asked: list[list[Any]]) -> None:
    reviewed = {name: body["reviewers"] for name, body in environments(asked).items() if body["reviewers"]}

    assert reviewed.keys() == {"production", "production-workspaces", "production-debug"}
    assert all(reviewers == [{"type": "Team", "id": 12}] for reviewers in reviewed.values())


def test_no_administrator_skips_the_rules_of_an_environment(asked: list[list[Any]], tmp_path: Path) -> None:
    again, said = protect(tmp_path, bypass="true", code=1)

    assert all(body["can_admins_bypass"] is False for body in environments(asked).values())
    assert all(body["prevent_self_review"] is True for body in environments(asked).values())
    assert "skip the rules of the environment production:" in said
    assert again == asked


FORKS = "actions/permissions/fork-pr-contributor-approval"


def test_each_run_of_a_forks_pull_request_needs_approval(asked: list[list[Any]], tmp_path: Path) -> None:
    again, said = protect(tmp_path, refused=FORKS, code=1)

    assert ["PUT", f"repos/acme/service/{FORKS}", {"approval_policy": "all_external_contributors"}, []] in asked
    assert "run no workflows of forks" in said
    assert again == asked


def test_nobody_but_the_approvers_bypasses_a_rule(asked: list[list[Any]]) -> None:
    bypassing = [body["bypass_actors"] for _, _, body, _ in asked if body and "bypass_actors" in body]
    reviews = [body["required_pull_request_reviews"] for _, path, body, _ in asked if path.endswith("/protection")]
    workflows = [body for _, path, body, _ in asked if path.endswith("actions/permissions/workflow")]

    # Only the team pushes branches for debugging. No app or bot bypasses anything.
    assert bypassing == [[{"actor_id": 12, "actor_type": "Team", "bypass_mode": "always"}]]
    assert [each["bypass_pull_request_allowances"] for each in reviews] == [{"users": [], "teams": [], "apps": []}] * 3
    assert [each["require_last_push_approval"] for each in reviews] == [True] * 3
    assert workflows == [{"default_workflow_permissions": "read", "can_approve_pull_request_reviews": False}]


def test_only_the_approvers_may_create_and_push_debug_branches(asked: list[list[Any]]) -> None:
    [(method, body)] = [(method, body) for method, path, body, _ in asked if path == "repos/acme/service/rulesets"]

    assert method == "POST"
    assert body["target"] == "branch"
    assert body["enforcement"] == "active"
    assert body["bypass_actors"] == [{"actor_id": 12, "actor_type": "Team", "bypass_mode": "always"}]
    # GitHub's `*` matches no slash.
    assert body["conditions"]["ref_name"]["include"] == ["refs/heads/debug/*", "refs/heads/debug/**/*"]
    assert all(
        pattern.startswith(f"refs/heads/{commits.DEBUG}") for pattern in body["conditions"]["ref_name"]["include"]
    )
    assert {rule["type"] for rule in body["rules"]} == {"creation", "update", "deletion"}


def test_a_second_run_changes_the_ruleset_of_the_first(asked: list[list[Any]], tmp_path: Path) -> None:
    again, _ = protect(tmp_path, ruleset="42")

    [made] = [body for method, path, body, _ in asked if path == "repos/acme/service/rulesets"]
    changed = [(method, body) for method, path, body, _ in again if path == "repos/acme/service/rulesets/42"]
    assert changed == [("PUT", made)]
    assert not [path for method, path, _, _ in again if method == "POST" and "/rulesets" in path]


def test_each_environment_accepts_jobs_of_its_own_branches_only(asked: list[list[Any]]) -> None:
    allowed: dict[str, list[str]] = {}
    for method, path, _, fields in asked:
        if method == "POST" and "/environments/" in path:
            name = path.removeprefix("repos/acme/service/environments/").partition("/")[0]
            allowed.setdefault(name, []).extend(field.removeprefix("name=") for field in fields)

    assert allowed["artifact"] == ENVIRONMENTS
    for environment in ENVIRONMENTS:
        assert allowed[environment] == [environment]
        for purpose in ("workspaces", "debug", "verify", "reap", "reap-debug"):
            assert allowed[f"{environment}-{purpose}"] == ["development"]
    assert all(body["deployment_branch_policy"]["custom_branch_policies"] for body in environments(asked).values())


def test_every_environment_of_a_workflow_is_made(asked: list[list[Any]]) -> None:
    used = set()
    for name in WORKFLOWS:
        for job in workflow(name).jobs.values():
            environment = job.get("environment", "")
            environment = environment["name"] if isinstance(environment, dict) else environment
            for each, purpose in itertools.product(ENVIRONMENTS, ("personal", "preview", "debug")):
                context = {
                    "github": {"ref_name": each},
                    "inputs": {"environment": each, "purpose": purpose},
                    "matrix": {"environment": each, "purpose": purpose},
                }
                used |= {Job({}, ROOT, context).fill(environment)} - {""}

    assert used == environments(asked).keys()


@pytest.mark.parametrize("arguments", [[], ["acme/service"]])
def test_missing_arguments_are_named(arguments: list[str]) -> None:
    answer = subprocess.run([GITHUB / "branch-protection.sh", *arguments], capture_output=True, text=True)

    assert answer.returncode != 0
    assert "OWNER/NAME OWNER/TEAM" in answer.stderr


def test_every_path_in_codeowners_exists_and_has_an_owner() -> None:
    lines = [line.split() for line in (GITHUB / "CODEOWNERS").read_text().splitlines() if line and line[0] != "#"]

    assert lines[0][0] == "*"
    for pattern, *owners in lines:
        assert owners
        assert pattern == "*" or list(ROOT.glob(pattern.strip("/"))), pattern


def test_a_plan_without_required_reviewers_still_gets_the_other_rules(tmp_path: Path) -> None:
    asked, said = protect(tmp_path, refused="reviewers", code=1)

    assert environments(asked)["production"] == {
        "deployment_branch_policy": {"protected_branches": False, "custom_branch_policies": True}
    }
    assert "this rule, so it does not hold: somebody approves jobs in the environment production." in said
    policies = [path for method, path, *_ in asked if method == "POST" and path.endswith("deployment-branch-policies")]
    assert "repos/acme/service/environments/production/deployment-branch-policies" in policies


@pytest.mark.parametrize(
    ("refused", "rule"),
    [
        ("branches/production/protection", "the branch production is protected"),
        ("rulesets", "only the team pushes debug/…"),
    ],
)
def test_a_rule_that_the_plan_lacks_does_not_stop_the_others(tmp_path: Path, refused: str, rule: str) -> None:
    asked, said = protect(tmp_path, refused=refused, code=1)

    assert f"it does not hold: {rule}." in said
    assert "production-reap-debug" in environments(asked)
