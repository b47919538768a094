"""The policies hold for the plans of all environments, and each catches what it is for."""

import json
import os
import pickle
import re
from pathlib import Path

import pytest

from tools.aws.terraform import missing
from tools.checkout import ToolError, locked
from tools.checks import policy, policy_plans
from tools.checks.mutants import MUTANTS, Mutant
from tools.checks.policy_plans import ALL, Planned, plans
from tools.checks.readable import Resource, Target, readable, resources
from tools.local.emulation import ACCOUNT, REGION

needs_terraform = pytest.mark.skipif(missing() is not None, reason=str(missing()))

PRODUCTION = Target("slipway-production", "production", "default", True)


@pytest.fixture(scope="module")
def folder():
    """Where the plans are made, once for all workers: to make them takes most of a minute."""
    return Path(os.environ["SLIPWAY_TEST_RUN"]) / "policy"


@pytest.fixture(scope="module")
def planned(folder):
    with locked(folder.with_suffix(".lock")):
        kept = folder / "planned"
        if not kept.is_file():
            made = plans(ALL, folder)
            kept.write_bytes(pickle.dumps(made))
        return pickle.loads(kept.read_bytes())  # noqa: S301 (our own)


SCENARIOS = """\
Feature: A function, of which the plan says that it may take 20 seconds
  @noskip
  Scenario: It is quick
    Given I have aws_lambda_function defined
    Then it must have timeout
    And its value must be less than 30

  @noskip
  Scenario: It has a timeout
    Given I have aws_lambda_function defined
    Then it must have timeout

  @noskip
  Scenario: It breaks the tool
    Given I have aws_lambda_function defined
    When I sum them

  Scenario: Nothing is given
    Given I have aws_dynamodb_table defined
    Then it must have arn

  Scenario: Nothing is left of what is given
    Given I have aws_lambda_function defined
    When its function_name is another
    Then it must have arn

  @noskip
  Scenario: Nothing is given and noskip says so
    Given I have aws_dynamodb_table defined
    Then it must have arn
"""


@pytest.fixture(scope="module")
def features(tmp_path_factory):
    folder = tmp_path_factory.mktemp("features")
    (folder / "function.feature").write_text(SCENARIOS)
    return folder


def a_plan(timeout):
    """A plan of a function alone, which needs no Terraform."""
    values = {"function_name": "slipway-production-api", "timeout": timeout}
    return {"production": Planned(PRODUCTION, [Resource("aws_lambda_function.this", "aws_lambda_function", values)])}


def slow(scenario):
    return Mutant(scenario, "a slow function", lambda found: found[0].values.update(timeout=40))


@pytest.fixture(scope="module")
def told(features):
    """What is wrong with the plan of a slow function."""
    return policy.check(a_plan(40), features).wrong


@pytest.fixture(scope="module")
def proven(features):
    """What the scenarios make of slow functions."""
    names = ("It is quick", "It has a timeout", "It breaks the tool", "Nothing is given", "It was there once")
    return policy.prove(a_plan(20), features, [slow(name) for name in names])


def of(scenario, wrong):
    """The only message that is about a scenario."""
    (message,) = [each for each in wrong if scenario in each]
    return message


@pytest.fixture
def judged(planned, monkeypatch, capsys):
    """The plans that `make policy` judges: all keep every policy. They are those that were made already."""
    monkeypatch.setattr(policy, "plans", lambda wanted, folder: {each.name: planned[each.name] for each in wanted})

    def judged(**variables):
        code = policy.main(variables)
        said = capsys.readouterr()
        assert (code, said.err) == (0, "")
        return [line.split()[0] for line in said.out.splitlines()]

    return judged


@needs_terraform
def test_every_plan_keeps_every_policy_and_every_mutant_is_caught_by_its_scenario(judged):
    assert judged() == ["development", "preproduction", "production", "production-incident", "mutants"]


@needs_terraform
def test_one_environment_is_judged_alone(judged):
    assert judged(ENV="production") == ["production", "production-incident"]


@needs_terraform
def test_a_plan_that_is_there_is_checked_for_what_it_is(judged, folder):
    plan = folder / "production-incident" / "production" / "plan.json"

    assert judged(PLAN=str(plan)) == ["slipway-production-incident"]


def test_a_violation_is_told_with_plan_scenario_feature_and_resource(told):
    message = of("It is quick", told)

    assert message.startswith("production: It is quick (function.feature): the plan violates it")
    assert "aws_lambda_function.this" in message
    assert not any("It has a timeout" in each for each in told)


@pytest.mark.parametrize("scenario", ["Nothing is given (", "Nothing is left of what is given"])
def test_a_scenario_that_finds_nothing_to_judge_fails_the_run(told, scenario):
    assert "found nothing to judge" in of(scenario, told)


def test_a_scenario_that_finds_nothing_to_judge_fails_by_itself_with_noskip(told):
    assert "Can not find aws_dynamodb_table" in of("Nothing is given and noskip says so", told)


def test_a_scenario_that_breaks_the_tool_fails_the_run(told):
    assert "terraform-compliance failed in it" in of("It breaks the tool", told)


def test_a_mutant_is_caught(proven):
    assert not any("It is quick" in each for each in proven.wrong)
    assert "1 of   4 are caught" in proven.lines[0]


def test_a_mutant_that_another_scenario_catches_fails_the_run(proven):
    message = of("It has a timeout", proven.wrong)

    assert "(function.feature) lets a violation of production through (it passed): a slow function" in message


def test_a_mutant_at_which_the_tool_breaks_is_not_caught(proven):
    assert "(it broke)" in of("It breaks the tool", proven.wrong)


def test_a_mutant_at_which_the_scenario_is_skipped_is_not_caught(proven):
    assert "(it was skipped)" in of("Nothing is given (", proven.wrong)


def test_a_scenario_without_a_mutant_fails_the_run(proven):
    assert of("'Nothing is left of what is given'", proven.wrong).startswith("No mutant violates ")


def test_a_mutant_of_no_scenario_fails_the_run(proven):
    assert of("'It was there once'", proven.wrong).startswith("No feature has the scenario ")


def test_two_scenarios_of_one_name_are_refused(tmp_path):
    for name in ("one", "two"):
        (tmp_path / f"{name}.feature").write_text(SCENARIOS)

    with pytest.raises(ToolError, match="'It is quick'"):
        policy.prove(a_plan(20), tmp_path, [])


def test_every_mutant_is_of_a_plan_that_is_made():
    assert {mutant.plan for mutant in MUTANTS} <= {wanted.name for wanted in ALL}


@pytest.mark.parametrize(
    ("workspace", "production", "variables", "without"),
    [
        ("default", True, {}, []),
        ("default", False, {}, ["production"]),
        ("ann", True, {"workspace_purpose": "personal"}, ["environment", "production", "site"]),
        ("pr-7", False, {"workspace_purpose": "preview"}, ["environment", "production"]),
        (
            "incident",
            True,
            {"workspace_purpose": "debug", "database_source": "live"},
            ["environment", "production", "database", "site", "people"],
        ),
    ],
)
def test_scenarios_are_left_out_for_what_a_target_has_not_and_for_nothing_else(
    workspace, production, variables, without
):
    assert Target("slipway-x", "x", workspace, production, variables).without == without


def a_change(after, unknown, configured=(), made_up=None, made_up_unknown=None):
    """A plan of one queue, and the one with made-up ids."""
    plan = {
        "resource_changes": [
            {
                "address": "module.main.aws_sqs_queue.this[0]",
                "mode": "managed",
                "type": "aws_sqs_queue",
                "change": {"after": after, "after_unknown": unknown},
            }
        ],
        "configuration": {
            "root_module": {
                "module_calls": {
                    "main": {
                        "module": {
                            "resources": [
                                {
                                    "type": "aws_sqs_queue",
                                    "name": "this",
                                    "expressions": {name: {} for name in configured},
                                }
                            ]
                        }
                    }
                }
            }
        },
    }
    made = {"after": made_up or {}, "after_unknown": made_up_unknown or {}}
    return plan, {"module.main.aws_sqs_queue.this[0]": made}


def test_what_only_the_apply_tells_is_taken_from_the_plan_with_made_up_ids():
    (queue,) = resources(
        *a_change(
            {"name": "a"}, {"kms_key_id": True}, ["name", "kms_key_id"], {"name": "b", "kms_key_id": "arn:made-up"}
        )
    )

    assert queue.values == {"name": "a", "kms_key_id": "arn:made-up"}


def test_what_the_sources_leave_to_aws_counts_as_not_there():
    (queue,) = resources(*a_change({}, {"kms_key_id": True}, [], {"kms_key_id": "something"}))

    assert queue.values == {}


def test_so_does_what_aws_has_told_of_a_resource_that_is_there_already():
    (queue,) = resources(*a_change({"name": "default", "policy": "{}"}, {}, ["name"]))

    assert queue.values == {"name": "default"}


def test_defaults_are_judged_though_the_sources_do_not_say_them():
    (queue,) = resources(*a_change({"fifo_queue": False}, {}))

    assert queue.values == {"fifo_queue": False}


def test_arns_are_made_up_whether_or_not_they_are_known_already():
    plan, _ = a_change({"arn": "arn:aws:sqs:1:2:real", "role_arn": "arn:said", "url": None}, {}, ["role_arn"])
    fresh, _ = a_change({}, {"arn": True}, [])

    assert made_up_by(plan) == made_up_by(fresh) == {"arn": f"arn:aws:sqs:{REGION}:{ACCOUNT}:aws_sqs_queue/made-up"}


def made_up_by(plan):
    text = policy_plans._test({**plan, "variables": {}})
    return json.loads(re.search(r"^defaults = (.*)$", text, re.M)[1])


def test_what_neither_plan_knows_is_not_passed_over():
    with pytest.raises(ToolError, match="policy"):
        resources(*a_change({}, {"policy": True}, ["policy"], {}, {"policy": True}))


def test_a_plan_of_other_sources_is_not_judged():
    plan, _ = a_change({"name": "a"}, {})

    with pytest.raises(ToolError, match="check out what the plan was made of"):
        resources(plan, {})


def test_what_is_destroyed_is_not_judged():
    assert resources(*a_change(None, {})) == []


def test_tags_that_could_be_there_and_are_not_are_judged_as_none():
    told = readable(resources(*a_change({"name": "a", "tags_all": None}, {})))["resource_changes"]

    assert [each["change"]["after"] for each in told if each["type"] == "tags"] == [{}]


@pytest.mark.parametrize(
    ("environ", "sentence"),
    [
        ({"ENV": "staging"}, r"no environment 'staging': ENV=development\|preproduction\|production"),
        ({"PLAN": "/nowhere.json"}, "terraform show -json"),
    ],
)
def test_what_cannot_be_checked_is_refused_in_a_sentence(environ, sentence):
    with pytest.raises(ToolError, match=sentence):
        policy.main(environ)


def test_a_plan_of_anything_else_is_refused(tmp_path):
    plan = tmp_path / "plan.json"
    plan.write_text('{"configuration": {"root_module": {}}}')

    with pytest.raises(ToolError, match="no plan of infra/development"):
        policy.main({"PLAN": str(plan)})
