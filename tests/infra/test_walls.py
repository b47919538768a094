"""The rendered IAM policies allow what the table of questions allows, and nothing that it refuses."""

import copy
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from chalicelib import NAME
from tests.support import rendered
from tools.aws.terraform import missing
from tools.checks import npm
from tools.checks.walls import exceptions, mutations, report, sizes, table
from tools.checks.walls.complete import gaps
from tools.checks.walls.rendered import Policy, Rendered
from tools.checks.walls.rows import WALLS
from tools.checks.walls.table import Verdict

REASON = missing() or npm.missing()
# Planning all environments takes two minutes; `make walls` asks the same questions.
pytestmark = [pytest.mark.slow, pytest.mark.skipif(REASON is not None, reason=f"infrastructure: {REASON}")]
SEED, MUTATIONS = 7, 40
LIMITS = f"{NAME}-account-boundary-"


@pytest.fixture(scope="module")
def policies() -> Rendered:
    return rendered.policies()


@pytest.fixture(scope="module")
def verdicts(policies: Rendered) -> list[Verdict]:
    """The answers to all questions of the table."""
    return report.judge(policies, WALLS)


def test_every_answer_is_as_the_table_expects(verdicts: list[Verdict]) -> None:
    assert list(report.failures(verdicts)) == []


def test_every_action_role_function_and_denial_has_a_row_and_no_statement_contradicts_aws(
    policies: Rendered, verdicts: list[Verdict]
) -> None:
    assert list(exceptions.unaccepted([*gaps(policies, verdicts), *exceptions.faults(policies)])) == []


def test_every_policy_is_within_the_limits_of_aws(policies: Rendered) -> None:
    assert list(sizes.too_large(policies)) == []


def test_the_table_has_at_least_80_rows() -> None:
    assert len(set(WALLS)) >= 80


def test_the_command_prints_the_table_and_what_is_wrong(
    policies: Rendered,
    verdicts: list[Verdict],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    # The command would render the same policies, and ask the same questions.
    monkeypatch.setattr(report, "policies", lambda: policies)
    monkeypatch.setattr(report, "judge", lambda *_: verdicts)

    code = report.main({"WHO": "^workspaces-development$"})
    said = capsys.readouterr()
    report.main({"WHO": ""})
    names = capsys.readouterr().out

    assert "\nworkspaces-development\n" in said.out
    assert "    No  no statement allows it" in said.out
    assert "\nworkspaces-preproduction\n" not in said.out
    assert code == bool(said.err)
    assert re.search(r"^workspaces-development +\d+ allowed +\d+ refused$", names, re.MULTILINE)


@pytest.mark.slow
def test_the_table_catches_faults_of_each_kind(policies: Rendered) -> None:
    asked = table.asked(WALLS, policies)
    drawn = mutations.draw(policies.policies, SEED, MUTATIONS)

    left = mutations.survivors(table.policies(policies), asked, drawn)

    assert [(each.policy, each.what) for each in left] == []


def _reading_any_password(statements: dict[str, dict[str, Any]]) -> None:
    """Let each function read the password of each master user."""
    del statements["ReadMasterPassword"]["Condition"]["StringLike"]


def _joining_any_network(statements: dict[str, dict[str, Any]]) -> None:
    """Let functions have interfaces in the subnets of other environments."""
    for sid in ("NoInterfaceInOtherEnvironments", "NoInterfaceInOtherKinds"):
        del statements[sid]


@pytest.mark.parametrize(
    ("weaken", "does"),
    [
        (_reading_any_password, "reads the master's password"),
        (_joining_any_network, "gets interfaces in subnets"),
    ],
)
def test_the_table_notices_a_way_in_that_once_existed(
    policies: Rendered, weaken: Callable[[dict[str, dict[str, Any]]], None], does: str
) -> None:
    weak = dict(policies.policies)
    for id_ in (each for each in weak if LIMITS in each):
        document = copy.deepcopy(weak[id_].document)
        statements = {each["Sid"]: each for each in document["Statement"]}
        weaken(statements)
        weak[id_] = Policy("identity", {**document, "Statement": list(statements.values())}, managed=True)
    rows = [each for each in WALLS if each.does == does]

    found = report.judge(replace(policies, policies=weak), rows)

    entered = {each.asked.wall.who.name for each in found if each.answer.allowed and not each.asked.expected}
    previews = {name for name in (each.who.name for each in rows) if "-w-" in name and "all permissions" in name}
    assert previews
    assert previews <= entered
