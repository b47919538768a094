"""All plans meet the policies. Each policy refuses a plan, or the plan of sources, that violates it on purpose."""

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from chalicelib import NAME
from tests.support import modules
from tools.aws.terraform import missing
from tools.checkout import ENVIRONMENTS, ToolError
from tools.checks.policy import compliance, facts, judge, sources
from tools.checks.policy.changes import Mutant
from tools.checks.policy.facts import Resource, default_tags
from tools.checks.policy.judge import Subject, Verdict
from tools.checks.policy.mutants import MUTANTS
from tools.checks.policy.plans import RUNS
from tools.checks.policy.sources import SOURCE_MUTANTS, SourceMutant

needs_terraform = pytest.mark.skipif(missing() is not None, reason=f"infrastructure: {missing()}")


@pytest.fixture
def shared_plans(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make `judge` use the plans that all tests of a run share."""
    monkeypatch.setattr(judge, "plan", lambda copies, run: modules.plan(run))


@needs_terraform
@pytest.mark.parametrize("environment", [*ENVIRONMENTS, "account"])
def test_an_environment_and_the_accounts_meet_every_policy(
    environment: str, shared_plans: None, capsys: pytest.CaptureFixture[str]
) -> None:
    code = judge.main({"ENV": environment})

    said = capsys.readouterr()
    assert (code, said.err) == (0, "")
    runs = [run.name for run in RUNS if run.environment == environment]
    assert [line.split()[0] for line in said.out.splitlines()] == runs


@needs_terraform
@pytest.mark.slow
def test_every_mutant_is_caught_by_its_scenario(shared_plans: None, capsys: pytest.CaptureFixture[str]) -> None:
    code = judge.main({"ENV": ""})

    said = capsys.readouterr()
    assert (code, said.err) == (0, "")
    mutants, of_sources = (sum(map(len, each.values())) for each in (MUTANTS, SOURCE_MUTANTS))
    assert said.out.splitlines()[-2:] == [
        f"{mutants} of {mutants} mutants of {len(MUTANTS)} policies are caught",
        f"{of_sources} of {of_sources} mutants of the sources are caught",
    ]


SCENARIOS = {
    "quick.feature": """\
Feature: A function

  @noskip
  Scenario: The function is quick
    Given I have aws_lambda_function defined
    Then it must have timeout
    And its value must be less than 30

  @noskip
  Scenario: The function has a timeout
    Given I have aws_lambda_function defined
    Then it must have timeout
""",
    "broken.feature": """\
Feature: Faulty scenarios

  @noskip
  Scenario: A step breaks the tool
    Given I have aws_lambda_function defined
    When I sum them

  @noskip
  Scenario: No table exists to judge
    Given I have aws_dynamodb_table defined
    Then it must have arn

  @noskip
  Scenario: The filter leaves nothing to judge
    Given I have aws_lambda_function defined
    When its function_name is another
    Then it must have arn

  @noskip @site
  Scenario: The distribution has a comment
    Given I have aws_cloudfront_distribution defined
    Then it must have comment
""",
}


@pytest.fixture
def features(tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("features")
    for name, text in SCENARIOS.items():
        (folder / name).write_text(text)
    return folder


def a_function(timeout: int) -> dict[str, Subject]:
    """Return a plan of production with one function. The plan is made without Terraform."""
    function = Resource("aws_lambda_function.this", "aws_lambda_function", {"function_name": "a", "timeout": timeout})
    return {"production": Subject("service-production", "production", "default", ("site",), [function])}


def test_a_violation_names_plan_scenario_and_resource(features: Any) -> None:
    [wrong] = judge.check(a_function(40), features)

    assert wrong.startswith("production violates policies")
    assert "Scenario: The function is quick" in wrong
    assert "aws_lambda_function.this" in wrong
    assert "The function has a timeout" not in wrong


def test_a_scenario_that_breaks_or_judges_nothing_fails_unless_its_subject_is_absent(
    features: Any,
) -> None:
    [wrong] = judge.check(a_function(20), features)

    for scenario in ("A step breaks the tool", "No table exists to judge", "The filter leaves nothing to judge"):
        assert f"Scenario: {scenario}" in wrong
    assert "The distribution has a comment" not in wrong


def test_a_run_prints_what_the_program_prints_whatever_ran_before(features: Any, tmp_path: Path) -> None:
    def arguments(timeout: int) -> list[str]:
        plan = tmp_path / f"{timeout}.json"
        plan.write_text(json.dumps(facts.readable(a_function(timeout)["production"].resources)))
        return ["-f", str(features), "-p", str(plan), "--no-ansi", "--tags=not site"]

    def without_last_line(exit_code: int, printed: str) -> Verdict:
        return Verdict(exit_code, re.sub("^Run .* finished within .*", "", printed, flags=re.MULTILINE))

    alone = subprocess.run([compliance.PROGRAM, *arguments(40)], capture_output=True, text=True)
    first, quick, last = (without_last_line(*compliance.run(arguments(each), tmp_path)) for each in (40, 20, 40))

    assert first == last == without_last_line(alone.returncode, alone.stdout)
    assert [bool(each.failures("The function is quick")) for each in (first, quick, last)] == [True, False, True]


def test_a_run_shares_its_cache_with_no_other_run(tmp_path: Path) -> None:
    _, printed = compliance.run([], tmp_path / "missing")

    assert f"No such file or directory: '{tmp_path}/missing/terraform-compliance" in printed


def test_a_mutant_must_fail_in_its_own_scenario(features: Any) -> None:
    slow = Mutant("a slow function", lambda found: found[0].values.update(timeout=40))
    names = (
        "The function is quick",
        "The function has a timeout",
        "A step breaks the tool",
        "The distribution has a comment",
        "The scenario is gone",
    )

    wrong = list(judge.prove(a_function(20), features, {name: [slow] for name in names}))

    uncaught = "does not catch a mutant of production (a slow function)"
    assert {each.partition(":")[0] for each in wrong} == {
        f"'The function has a timeout' {uncaught}",
        f"'A step breaks the tool' {uncaught}",
        f"'The distribution has a comment' {uncaught}",
        "'The scenario is gone' has mutants, but no feature has this scenario",
        "'The filter leaves nothing to judge' has no mutant, so nothing shows that it finds violations",
        "'No table exists to judge' has no mutant, so nothing shows that it finds violations",
    }


def test_a_scenario_must_name_every_culprit_in_the_plan_of_mutated_sources(
    features: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(sources, "mutated", lambda *_: {})
    monkeypatch.setattr(judge, "subject", lambda *_: a_function(40)["production"])

    def mutants(*culprits: str) -> list[SourceMutant]:
        return [SourceMutant("a slow function", "a.tf", "20", "40", culprits)]

    wrong = list(
        judge.prove_sources(
            tmp_path,
            features,
            {
                "The function is quick": mutants("aws_lambda_function.this", "aws_lambda_function.that"),
                "The function has a timeout": mutants("aws_lambda_function.this"),
                "The scenario is gone": mutants("aws_lambda_function.this"),
            },
        )
    )

    unnamed = "in a plan of mutated sources (production"
    assert {each.partition(":")[0] for each in wrong} == {
        f"'The function is quick' does not name 'aws_lambda_function.that' {unnamed}",
        f"'The function has a timeout' does not name 'aws_lambda_function.this' {unnamed}",
        "'The scenario is gone' has mutants, but no feature has this scenario",
    }
    assert all(mutant.culprits for mutants in SOURCE_MUTANTS.values() for mutant in mutants)


@pytest.mark.parametrize(("text", "times"), [("timeout = 30", 0), ("timeout = 20\ntimeout = 20", 2)])
def test_a_mutant_whose_text_is_not_in_the_sources_once_fails(
    text: str, times: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    folder = tmp_path / "production" / "production"
    folder.mkdir(parents=True)
    (folder / "main.tf").write_text(text)
    monkeypatch.setattr(sources.plans, "copied", lambda *_: folder)
    run = next(run for run in RUNS if run.name == "production")
    slow = SourceMutant("slow", "production/main.tf", "timeout = 20", "timeout = 40", ("timeout",))

    with pytest.raises(ToolError, match=f"production/main.tf has {times} times, not once"):
        sources.mutated(tmp_path, run, 1, [slow])


@pytest.mark.parametrize(
    ("role", "policy", "holds"),
    [
        ("account-administrator", "AdministratorAccess", True),
        ("account-apigateway", "service-role/AmazonAPIGatewayPushToCloudWatchLogs", True),
        ("account-administrator-2", "AdministratorAccess", False),
        ("account-apigateway", "AdministratorAccess", False),
        ("account-administrator", "AWSCloudFormationFullAccess", False),
    ],
)
def test_only_two_roles_have_a_policy_of_awss_own(role: str, policy: str, holds: bool, tmp_path: Path) -> None:
    values = {"role": f"{NAME}-{role}", "policy_arn": f"arn:aws:iam::aws:policy/{policy}"}
    attached = Resource("aws_iam_role_policy_attachment.a", "aws_iam_role_policy_attachment", values)
    text = (judge.FEATURES / "permissions.feature").read_text()
    [scenario] = [each for each in text.split("\n\n") if "No role has a policy of AWS's own" in each]
    (tmp_path / "one.feature").write_text(f"Feature: One\n\n{scenario}")

    wrong = list(judge.check({"a": Subject(f"{NAME}-account", "account", "default", (), [attached])}, tmp_path))

    assert (wrong == []) is holds


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("The function has a timeout", "The function is quick", "Two scenarios are called 'The function is quick'"),
        (
            "@noskip\n  Scenario: The function has",
            "@production\n  Scenario: The function has",
            "tag the scenario with @noskip",
        ),
        (
            "\n\n  @noskip\n  Scenario: The function has",
            "\n  @noskip\n  Scenario: The function has",
            "one empty line before each scenario",
        ),
    ],
)
def test_scenarios_that_the_tool_would_skip_are_refused(old: str, new: str, sentence: str, features: Any) -> None:
    (features / "quick.feature").write_text(SCENARIOS["quick.feature"].replace(old, new))

    with pytest.raises(ToolError, match=sentence):
        list(judge.check(a_function(20), features))


def test_mocks_invent_no_value_for_publicly_accessible() -> None:
    mocks = "".join(path.read_text() for path in (judge.ROOT / "infra" / "modules" / "mocks").iterdir())

    # If nobody sets `publicly_accessible`, its value must stay unknown. A mocked `false` would look like a setting.
    assert '"aws_rds_cluster_instance"' not in mocks


def a_plan(planned: dict[str, Any], unknown: dict[str, Any]) -> dict[str, Any]:
    change = {"after": planned, "after_unknown": unknown}
    return {"resource_changes": [{"address": "a.b", "mode": "managed", "type": "aws_subnet", "change": change}]}


def test_unknown_and_empty_values_are_dropped_but_lists_of_unknown_ids_are_kept() -> None:
    planned = {"name": "a", "kms_key_id": None, "tags": {}, "vpc_config": [{"subnet_ids": [None]}]}
    unknown = {"arn": True, "vpc_config": [{"subnet_ids": [True]}]}

    [found] = facts.resources(a_plan(planned, unknown), {})

    assert found.values == {
        "map_public_ip_on_launch": False,  # this is the real provider's default; a mocked provider has no defaults
        "name": "a",
        "vpc_config": [{"subnet_ids": [facts.UNKNOWN]}],
    }


def test_default_tags_are_added_and_a_resources_own_tags_win() -> None:
    own = {"tags": {"owner": "nobody"}}

    for unknown in ({"tags_all": True}, {}):
        planned = own if unknown else {**own, "tags_all": {}}
        [found] = facts.resources(a_plan(planned, unknown), {"owner": "ann", "system": "service"})
        tags = [
            each["change"]["after"] for each in facts.readable([found])["resource_changes"] if each["type"] == "tags"
        ]
        assert tags == [{"owner": "nobody", "system": "service"}]

    [found] = facts.resources(a_plan(own, {}), {"owner": "ann"})
    assert "tags_all" not in found.values


def test_default_tags_come_from_main_tf_and_count_only_if_every_provider_has_them() -> None:
    main = (judge.ROOT / "infra" / "production" / "main.tf").read_text()
    given = "  default_tags {\n    tags = local.tags\n  }\n"

    assert default_tags(main, "fix-1", "ann") == {
        "system": NAME,
        "environment": "production",
        "workspace": "fix-1",
        "owner": "ann",
    }
    assert main.count(given) == 2
    assert default_tags(main.replace(given, "", 1), "fix-1", "ann") == {}
    assert default_tags(main.replace("var.owner", "var.team"), "fix-1", "ann")["owner"] == "var.team"


def test_a_policy_invented_by_the_mock_is_ignored() -> None:
    made_up = Resource("aws_sns_topic.a", "aws_sns_topic", {"policy": "eq0e3k59"})
    given = Resource(
        "aws_sns_topic.b",
        "aws_sns_topic",
        {"policy": json.dumps({"Statement": [{"Effect": "Allow", "Principal": "*", "Action": "sns:Publish"}]})},
    )

    told = facts.readable([made_up, given])["resource_changes"]

    assert [each["address"] for each in told if each["type"] == "access"] == ["statement 1 of aws_sns_topic.b"]
