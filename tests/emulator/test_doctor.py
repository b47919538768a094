"""`make doctor` checks an AWS account and this machine."""

import re

import pytest

from chalicelib import NAME
from tools.aws import doctor
from tools.aws.environment import Target

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


def test_missing_terraform_and_node_are_reported(monkeypatch, capsys):
    monkeypatch.setattr(doctor.terraform, "missing", lambda: "terraform is missing: install Terraform")
    monkeypatch.setattr(doctor.shutil, "which", lambda command: None)

    assert doctor.main({}) == 1

    wrong = set(re.findall(r"^MISSING  (.+?): ", capsys.readouterr().out, re.MULTILINE))
    assert wrong >= {"Terraform and the AWS provider", "node", "gh"}
