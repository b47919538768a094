"""Run the job that deploys step by step. Check the order of its calls, and the calls after a failure."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support.actions import Job, Step
from tests.support.workflows import workflow

# This stand-in for `make` and `python -m tools`, which have tests of their own, records words and variables. It writes
# the outputs in `puts`, and fails for the names in `fails`.
MAKE = """#!/usr/bin/env python3
import json, os, sys
words = sys.argv[1:]
if words[0] == "-m":  # python -m tools pipeline TARGET --option value
    target, options = words[3], words[4:]
    given = {option[2:].upper(): value for option, value in zip(options[::2], options[1::2])}
else:  # make TARGET VARIABLE=value
    given = dict(word.split("=", 1) for word in words if "=" in word)
    [target] = [word for word in words if "=" not in word]
variables = {**os.environ, **given}
what = " ".join([target, variables.get("KIND", "")]).strip()
here = os.path.dirname(os.path.abspath(__file__))
told = json.load(open(os.path.join(here, "told.json")))
with open(os.path.join(here, "called.jsonl"), "a") as file:
    file.write(json.dumps([what, variables]) + "\\n")
for name, value in told["puts"].get(what, {}).items():
    with open(os.environ["GITHUB_OUTPUT"], "a") as file:
        file.write(f"{name}={value}\\n")
print("ey-token" if target == "oidc-token" else what)
sys.exit(what in told["fails"])
"""

OPENED = {"deployment": "7", "previous-artifact": "tree:before", "previous-revision": "b" * 40}
NEWEST = {"newest": {"newest": "true"}}
# The report of the acceptance tests says that a check failed. Only tests in which the acceptance tests fail use it.
PUTS = {
    **NEWEST,
    "deployment-open": OPENED,
    "deployment-open rollback": {"deployment": "8"},
    "acceptance": {"outcome": "failure"},
}

PROLOGUE = ["artifact", "artifact-attested", "plan", "policy", "plan-comment", "newest"]
BACK = ["deployment-open rollback", "rollback", "deployment-status"]


class Deployment:
    """A finished run of the job: its steps and its calls."""

    def __init__(self, steps: list[Step], folder: Path) -> None:
        self.steps = steps
        self._lines = [json.loads(line) for line in (folder / "called.jsonl").read_text().splitlines()]
        self.calls = [what for what, _ in self._lines if what != "oidc-token"]

    def variables(self, what: str, number: int = 0) -> dict[str, str]:
        found = [variables for called, variables in self._lines if called == what]
        return dict(found[number])

    @property
    def failed(self) -> bool:
        return any(step.outcome == "failure" for step in self.steps)


@pytest.fixture
def deploy(tmp_path: Path) -> Callable[..., Deployment]:
    def run(
        *fails: str,
        branch: str = "preproduction",
        cancelled_after: str | None = None,
        puts: dict[str, Any] = PUTS,
        **inputs: str,
    ) -> Deployment:
        definition = workflow("deploy")
        make = tmp_path / "bin" / "make"
        make.parent.mkdir()
        make.write_text(MAKE)
        make.chmod(0o755)
        shutil.copy(make, make.with_name("python"))
        (make.parent / "told.json").write_text(json.dumps({"puts": puts, "fails": fails}))
        called = make.parent / "called.jsonl"
        job = Job(
            definition.jobs["deploy"],
            tmp_path,
            {
                "github": {"ref_name": branch, "token": "t"},
                "inputs": inputs,
                "vars": {"URL": "https://service.example.org", "AUDIENCE": "service-preproduction"},
                "needs": {"artifact": {"outputs": {"artifact": "tree:new", "digest": "sha256:1"}}},
            },
            {"PATH": f"{make.parent}:/usr/bin:/bin"},
            definition.content["env"],
            lambda: bool(cancelled_after) and called.exists() and f'["{cancelled_after}",' in called.read_text(),
        )
        return Deployment(job.run(), make.parent)

    return run


def test_a_successful_deployment_calls_everything_in_order(deploy: Callable[..., Deployment]) -> None:
    done = deploy()

    assert not done.failed
    assert done.calls == [
        *PROLOGUE,
        "bindings",
        "deployment-open",
        "apply",
        "deployment-status",
        "acceptance",
        "verification",
        "load",
        "verification",
        "note-verified",
        "count-verification",
        "bindings",
    ]
    assert [done.variables("bindings", time).get("DRY_RUN") for time in (0, 1)] == ["1", None]


def test_the_job_deploys_the_package_that_was_built(deploy: Callable[..., Deployment]) -> None:
    done = deploy()

    assert done.variables("artifact")["DIGEST"] == "sha256:1"
    assert done.variables("plan")["PACKAGE"] == ".local/artifact/preproduction"
    assert done.variables("apply")["PLAN"] == "1"
    assert {done.variables(call)["ENV"] for call in done.calls} == {"preproduction"}


def test_the_records_say_what_happened(deploy: Callable[..., Deployment]) -> None:
    done = deploy()

    assert done.variables("deployment-open")["ARTIFACT"] == "tree:new"
    ended = done.variables("deployment-status")
    assert (ended["DEPLOYMENT"], ended["STATE"], ended["DETAIL"]) == ("7", "success", "package sha256:1")
    verified = done.variables("verification")
    assert (verified["TRIGGER"], verified["ARTIFACT"]) == ("deployment", "tree:new")
    assert verified["REPORT"] == done.variables("acceptance")["REPORT"]


def test_the_environments_own_service_is_tested_with_a_token_for_it(deploy: Callable[..., Deployment]) -> None:
    done = deploy()

    acceptance = done.variables("acceptance")
    assert (acceptance["TOKEN"], acceptance["URL"]) == ("ey-token", "https://service.example.org")
    assert done.variables("oidc-token")["SLIPWAY_AUDIENCE"] == "service-preproduction"


def test_a_push_that_another_push_followed_during_the_approval_changes_nothing(
    deploy: Callable[..., Deployment],
) -> None:
    done = deploy(puts={"newest": {"newest": "false"}})

    assert not done.failed
    assert done.calls == PROLOGUE


@pytest.mark.parametrize("step", ["artifact", "artifact-attested", "plan", "policy", "newest"])
def test_a_failure_before_the_deployment_changes_nothing(deploy: Callable[..., Deployment], step: str) -> None:
    done = deploy(step)

    assert done.failed
    assert done.calls == PROLOGUE[: PROLOGUE.index(step) + 1]


def test_a_denied_promotion_is_not_applied(deploy: Callable[..., Deployment]) -> None:
    done = deploy("deployment-open")

    assert done.failed
    assert done.calls == [*PROLOGUE, "bindings", "deployment-open"]


def test_refused_bindings_are_found_before_the_deployment_is_opened(deploy: Callable[..., Deployment]) -> None:
    done = deploy("bindings")

    assert done.failed
    assert done.calls == [*PROLOGUE, "bindings"]


def test_a_failed_apply_is_recorded_and_not_tested(deploy: Callable[..., Deployment]) -> None:
    done = deploy("apply")

    assert done.failed
    assert done.calls[len(PROLOGUE) :] == ["bindings", "deployment-open", "apply", "deployment-status"]
    assert done.variables("deployment-status")["STATE"] == "failure"


@pytest.mark.parametrize(
    ("cancelled_after", "outcome"),
    [("deployment-open", "skipped"), ("apply", "success")],  # after the apply, the new artifact runs
)
def test_a_cancelled_run_records_what_became_of_the_apply_and_leaves_no_lease(
    deploy: Callable[..., Deployment], cancelled_after: str, outcome: str
) -> None:
    done = deploy(cancelled_after=cancelled_after)

    assert done.calls[-1] == "deployment-status"
    assert done.variables("deployment-status")["STATE"] == outcome


def test_a_plan_that_cannot_be_summarized_is_deployed(deploy: Callable[..., Deployment]) -> None:
    done = deploy("plan-comment")

    assert not done.failed
    assert "deployment-status" in done.calls


def test_failed_acceptance_tests_roll_back(deploy: Callable[..., Deployment]) -> None:
    done = deploy("acceptance")

    assert done.failed
    assert done.calls[-5:] == ["acceptance", "verification", *BACK]
    opened = done.variables("deployment-open rollback")
    assert (opened["ARTIFACT"], opened["REVISION"], opened["DEPLOYMENT"]) == ("tree:before", "b" * 40, "")
    ended = done.variables("deployment-status", 1)
    assert (ended["DEPLOYMENT"], ended["STATE"]) == ("8", "success")


@pytest.mark.parametrize("outcome", [{"outcome": "error"}, {"outcome": "cancelled"}, {}])
def test_acceptance_tests_that_could_not_run_roll_nothing_back(
    deploy: Callable[..., Deployment], outcome: dict[str, str]
) -> None:
    done = deploy("acceptance", puts={**PUTS, "acceptance": outcome})

    assert done.failed
    assert done.calls[-3:] == ["acceptance", "verification", "bindings"]


def test_without_a_token_nothing_is_tested_or_rolled_back(deploy: Callable[..., Deployment]) -> None:
    done = deploy("oidc-token", puts={**PUTS, "acceptance": {}})

    assert done.failed
    assert done.calls[-3:] == ["deployment-status", "verification", "bindings"]


def test_a_hotfix_takes_over_its_deployment_and_a_rollback_does_not(deploy: Callable[..., Deployment]) -> None:
    done = deploy("acceptance", **{"deployment": "7", "override-reason": "The login is broken"})

    opened, back = done.variables("deployment-open"), done.variables("deployment-open rollback")
    assert (opened["DEPLOYMENT"], opened["OVERRIDE_REASON"]) == ("7", "The login is broken")
    assert (back["DEPLOYMENT"], back["OVERRIDE_REASON"]) == ("", "")


def test_a_failed_first_deployment_rolls_back_without_a_record(deploy: Callable[..., Deployment]) -> None:
    done = deploy("acceptance", puts={**PUTS, "deployment-open": {**OPENED, "previous-artifact": ""}})

    assert done.calls[-3:] == ["acceptance", "verification", "rollback"]


def test_a_rollback_that_cannot_be_recorded_still_runs(deploy: Callable[..., Deployment]) -> None:
    done = deploy("acceptance", "deployment-open rollback", puts={**PUTS, "deployment-open rollback": {}})

    assert done.calls[-2:] == ["deployment-open rollback", "rollback"]


def test_a_failed_rollback_is_recorded_as_failed(deploy: Callable[..., Deployment]) -> None:
    done = deploy("acceptance", "rollback")

    assert done.variables("deployment-status", 1)["STATE"] == "failure"


def test_preproduction_is_loaded_after_its_acceptance_tests_with_tokens_for_its_service(
    deploy: Callable[..., Deployment],
) -> None:
    done = deploy()

    load, recorded = done.variables("load"), done.variables("verification", 1)
    assert (load["URL"], load["PROFILE"]) == ("https://service.example.org", "load")
    # GitHub's tokens end before the load does, so the load gets its own.
    assert (load["SLIPWAY_AUDIENCE"], load.get("TOKEN")) == ("service-preproduction", None)
    assert (recorded["SUITE"], recorded["TRIGGER"], recorded["DEPLOYMENT"]) == ("load", "deployment", "7")
    assert load["REPORT"] == recorded["REPORT"] != done.variables("verification")["REPORT"]


@pytest.mark.parametrize("branch", ["development", "production"])
def test_no_other_environment_is_loaded(deploy: Callable[..., Deployment], branch: str) -> None:
    assert "load" not in deploy(branch=branch).calls


def test_a_failed_load_is_recorded_and_stops_the_promotion_without_a_rollback(
    deploy: Callable[..., Deployment],
) -> None:
    done = deploy("load", puts={**PUTS, "acceptance": {"outcome": "success"}})

    assert done.failed
    assert done.calls[-4:] == ["load", "verification", "count-verification", "bindings"]


def test_an_unrecorded_verification_leaves_no_note(deploy: Callable[..., Deployment]) -> None:
    done = deploy("verification", puts={**PUTS, "acceptance": {"outcome": "success"}})

    assert done.failed
    assert done.calls[-3:] == ["verification", "count-verification", "bindings"]
