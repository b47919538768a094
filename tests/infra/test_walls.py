"""The rendered IAM policies allow what the table of questions allows, and nothing that it refuses."""

import pytest

from tests.support import modules
from tools.aws.terraform import missing
from tools.checks import npm
from tools.checks.walls import plans, rendered, report, sizes
from tools.checks.walls.rendered import Rendered
from tools.checks.walls.rows import WALLS

REASON = missing() or npm.missing()
pytestmark = pytest.mark.skipif(REASON is not None, reason=f"infrastructure: {REASON}")


@pytest.fixture(scope="module")
def policies() -> Rendered:
    """The policies of all accounts, environments and workspaces."""
    return rendered.collect(plans.plan_all(modules.initialised, modules.quickly))


def test_every_answer_is_as_the_table_expects(policies: Rendered) -> None:
    assert list(report.failures(report.judge(policies, WALLS))) == []


def test_every_policy_is_within_the_limits_of_aws(policies: Rendered) -> None:
    assert list(sizes.too_large(policies)) == []


def test_the_command_prints_the_table_and_what_is_wrong(
    policies: Rendered, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(report, "policies", lambda: policies)  # the policies that `checks walls` renders

    code = report.main({})

    said = capsys.readouterr()
    assert "No  arn:aws:" in said.out
    assert code == bool(said.err)
