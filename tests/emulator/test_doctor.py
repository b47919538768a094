"""`make doctor` checks an AWS account and this machine."""

import re

import pytest
from botocore.exceptions import ClientError

from chalicelib import NAME
from tools.aws import applying, doctor
from tools.aws.states import States
from tools.aws.target import Target
from tools.checkout import ToolError

REGION = "eu-west-1"  # no other test makes a VPC in this region


@pytest.fixture
def target(emulated_port):
    return Target("production", emulated=emulated_port)


@pytest.fixture
def vpcs(target):
    """`vpcs(4)` makes four VPCs in REGION, besides the default VPC."""
    ec2 = target.client("ec2", REGION)
    made = []

    def make(number, name="somebody-s"):
        for _ in range(number):
            vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
            ec2.create_tags(Resources=[vpc], Tags=[{"Key": "Name", "Value": name}])
            made.append(vpc)

    yield make
    for vpc in made:
        ec2.delete_vpc(VpcId=vpc)


@pytest.fixture
def wrong(target, monkeypatch):
    """`wrong(reserved=200)` returns the account's faults if production reserves 200 concurrent executions."""

    def ask(reserved=100):
        monkeypatch.setitem(doctor.RESERVED, "production", reserved)
        return [reason for _, reason in doctor.of_account(target, REGION) if reason]

    return ask


def test_an_account_with_room_passes(wrong):
    assert wrong() == []


def test_a_region_without_room_for_a_vpc_is_reported(wrong, vpcs):
    vpcs(4)

    assert ["room" in reason for reason in wrong()] == [True]


def test_an_environment_that_has_its_vpc_needs_no_room(wrong, vpcs):
    vpcs(3)
    vpcs(1, f"{NAME}-production")

    assert wrong() == []


def test_reserving_too_much_concurrency_is_reported(wrong):
    assert ["unreserved" in reason for reason in wrong(reserved=950)] == [True]
    assert wrong(reserved=900) == []


def test_an_account_without_the_bucket_of_states_is_reported(wrong, monkeypatch):
    monkeypatch.setattr(States, "has_bucket", lambda self: False)

    assert ["make account" in reason for reason in wrong()] == [True]


@pytest.mark.parametrize(
    ("refusal", "reported"),
    [
        ("Account 210987654321 is a linked account. To enable budgets, ask the payer account to enable them.", True),
        ("User is not authorized to perform: budgets:ViewBudget", False),
    ],
)
def test_an_account_whose_payer_has_enabled_no_budgets_is_reported(target, wrong, monkeypatch, refusal, reported):
    def client(self, service, region):
        made = of_target(self, service, region)
        if service == "budgets":
            made.describe_budgets = refuse
        return made

    def refuse(**_):
        raise ClientError({"Error": {"Code": "AccessDeniedException", "Message": refusal}}, "DescribeBudgets")

    of_target = Target.client
    monkeypatch.setattr(Target, "client", client)

    assert ["Cost Explorer" in reason for reason in wrong()] == [True] * reported


def test_a_site_needs_room_for_its_cache_policies(target, wrong, monkeypatch):
    monkeypatch.setattr(doctor, "_CACHE_POLICIES", ("cloudfront", "of the emulated account", 1))

    assert ["2 more" in reason for reason in wrong()] == [True]


def test_the_first_apply_of_a_target_stops_before_it_changes_anything(target, monkeypatch):
    applied = []
    monkeypatch.setattr(applying.environment, "apply", lambda target, **_: applied.append(target) or {})
    monkeypatch.setattr(doctor, "of_account", lambda *_: iter([("VPCs", "there is no room")]))
    monkeypatch.setattr(Target, "states", target.states)
    on_aws = Target("production")

    with pytest.raises(ToolError, match="VPCs: there is no room"):
        applying.apply(on_aws)
    assert applied == []

    monkeypatch.setattr(States, "exists", lambda self, workspace: True)
    applying.apply(on_aws)
    assert applied == [on_aws]


def test_a_role_that_may_not_read_quotas_can_apply(target, monkeypatch, capsys):
    def unreadable(*_):
        raise ToolError("The account's quotas can't be read")

    monkeypatch.setattr(doctor, "of_account", unreadable)

    doctor.before_first_apply(target)

    assert "can't be read" in capsys.readouterr().out


def test_a_new_account_is_told_that_aws_verifies_it_for_cloudfront(target, monkeypatch):
    class New:
        def list_distributions(self):
            return {"DistributionList": {"Quantity": 0}}

    monkeypatch.setattr(Target, "client", lambda self, *_: New())

    assert "Your account must be verified" in " ".join(doctor.notes_of_account(target, REGION))


@pytest.mark.parametrize(("plan", "refused"), [("FREE", True), ("PAID", False)])
def test_an_account_on_the_free_plan_can_have_no_aurora(monkeypatch, plan, refused):
    class Account:
        def get_account_plan_state(self):
            return {"accountPlanType": plan}

    monkeypatch.setattr(Target, "client", lambda self, *_: Account())

    assert ("paid plan" in (doctor._plan(Target("production")) or "")) is refused


def test_missing_terraform_and_node_are_reported(monkeypatch, capsys):
    monkeypatch.setattr(doctor.terraform, "missing", lambda: "terraform is missing: install Terraform")
    monkeypatch.setattr(doctor.shutil, "which", lambda command: None)

    assert doctor.main({}) == 1

    wrong = set(re.findall(r"^MISSING  (.+?): ", capsys.readouterr().out, re.MULTILINE))
    assert wrong >= {"Terraform and the AWS provider", "aws", "jq", "node", "gh"}


@pytest.mark.parametrize(("emulated", "code"), [("", 1), ("0", 1), ("1", 0)])
def test_programs_for_aws_and_github_are_notes_without_an_account(monkeypatch, capsys, emulated, code):
    monkeypatch.setattr(doctor, "of_machine", lambda: iter([("gh", "not on the PATH"), ("node", None)]))

    assert doctor.main({"EMULATED": emulated}) == code

    assert f"{'MISSING' if code else 'NOTE   '}  gh: not on the PATH" in capsys.readouterr().out
