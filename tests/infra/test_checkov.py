"""What checkov finds in the source and in a plan of production is mended, or suppressed where it is, with a reason."""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support import modules
from tools.aws.terraform import missing, terraform
from tools.checkout import ROOT, ToolError
from tools.checks import checkov
from tools.checks.checkov import Fault
from tools.local.emulation import ACCOUNT

needs_terraform = pytest.mark.skipif(missing() is not None, reason=f"infrastructure: {missing()}")


@pytest.fixture(scope="module")
def installed() -> None:
    if (reason := checkov.missing()) is not None:
        pytest.skip(f"Not tested: checkov ({reason})")


@pytest.fixture
def plan(emulated: dict[str, str], tmp_path: Path) -> dict[str, Any]:
    """Production's, in an account where nothing is yet."""
    made = modules.initialised("production", "production").parent
    shutil.copytree(made, tmp_path / "infra", ignore=shutil.ignore_patterns(".terraform", "tests"))
    folder = tmp_path / "infra" / "production"
    (folder / "emulated_override.tf").write_text('terraform {\n  backend "local" {}\n}\n')
    variables = [f"-var=account_id={ACCOUNT}", '-var=testing_account_ids=["000000000000"]']
    for step in (["init", "-input=false"], ["plan", "-input=false", "-out=plan", *variables]):
        answer = terraform(step, folder, emulated)
        assert answer.returncode == 0, answer.stderr
    found: dict[str, Any] = json.loads(terraform(["show", "-json", "plan"], folder, emulated).stdout)
    return found


@needs_terraform
def test_nothing_fails_without_a_reason_and_no_reason_is_left_over(installed: None, plan: dict[str, Any]) -> None:
    in_source = checkov.faults_of_source()
    in_plan = checkov.faults_of_plan(plan, "production")

    assert in_source
    assert in_plan
    assert checkov.complaints(in_source | in_plan, checkov.suppressions(), all_known=True) == []


def test_an_open_bucket_in_the_source_is_found_in_spite_of_a_suppression(installed: None, tmp_path: Path) -> None:
    (tmp_path / "modules" / "site").mkdir(parents=True)
    (tmp_path / "modules" / "site" / "main.tf").write_text(
        """
resource "aws_s3_bucket_public_access_block" "this" {
  #checkov:skip=CKV_AWS_53: because it is only a test
  bucket            = "a"
  block_public_acls = false
}

resource "aws_kms_key" "this" {
  enable_key_rotation = true
}
"""
    )

    found = checkov.faults_of_source(tmp_path)

    assert Fault("modules/site", "aws_s3_bucket_public_access_block.this", "CKV_AWS_53") in found
    assert Fault("modules/site", "aws_kms_key.this", "CKV_AWS_7") not in found


def test_source_that_checkov_can_t_read_is_no_source_without_faults(installed: None, tmp_path: Path) -> None:
    (tmp_path / "main.tf").write_text('resource "aws_kms_key" "this" {\n  enable_key_rotation = true\n')

    with pytest.raises(ToolError, match=r"can't read main\.tf"):
        checkov.faults_of_source(tmp_path)


def test_a_suppression_is_of_the_resource_whose_block_it_is_in(tmp_path: Path) -> None:
    (tmp_path / "modules" / "api").mkdir(parents=True)
    (tmp_path / "modules" / "api" / "main.tf").write_text(
        """
resource "aws_lambda_function" "this" {
  #checkov:skip=CKV_AWS_116: who invokes it waits for the answer
  function_name = "a"
}

# checkov:skip=CKV_AWS_117: outside of a block it is nobody's

data "aws_vpc" "this" {
  # checkov:skip=CKV_AWS_2
  id = "vpc-1"
}
"""
    )

    assert checkov.suppressions(tmp_path) == {
        Fault("modules/api", "aws_lambda_function.this", "CKV_AWS_116"): "who invokes it waits for the answer",
        Fault("modules/api", "aws_vpc.this", "CKV_AWS_2"): "",
    }


BUCKET = Fault("modules/site", "aws_s3_bucket.this", "CKV_AWS_18")
KEY = Fault("modules/site", "aws_kms_key.this", "CKV_AWS_7")


@pytest.mark.parametrize(
    ("found", "suppressed", "says"),
    [
        ({BUCKET: "logs"}, {BUCKET: "CloudFront alone reads it"}, []),
        ({BUCKET: "logs"}, {}, ["aws_s3_bucket.this fails CKV_AWS_18"]),
        ({BUCKET: "logs"}, {KEY: "it is only a test"}, ["fails CKV_AWS_18", "CKV_AWS_7, which does not fail"]),
        ({BUCKET: "logs"}, {BUCKET: ""}, ["does not say why"]),
        ({BUCKET: "logs"}, {BUCKET: "likewise"}, ["does not say why"]),
    ],
)
def test_what_is_complained_of(found: dict[Fault, str], suppressed: dict[Fault, str], says: list[str]) -> None:
    complaints = checkov.complaints(found, suppressed, all_known=True)

    assert len(complaints) == len(says)
    assert all(words in complaint for words, complaint in zip(says, complaints, strict=True))


def test_without_a_plan_a_suppression_may_be_for_plans() -> None:
    assert checkov.complaints({}, {BUCKET: "CloudFront alone reads it"}, all_known=False) == []


def test_what_is_referred_to_is_there_in_a_plan_and_what_is_left_out_is_not() -> None:
    log = {"address": "module.main.module.api.aws_cloudwatch_log_group.this[0]", "values": {"name": "a"}}
    plan = {
        "resource_changes": [
            {"address": log["address"], "change": {"after_unknown": {"kms_key_id": True, "arn": True, "name": False}}}
        ],
        "planned_values": {"root_module": {"child_modules": [{"child_modules": [{"resources": [log]}]}]}},
        "configuration": {
            "root_module": {
                "module_calls": {
                    "main": {
                        "module": {
                            "module_calls": {
                                "api": {
                                    "module": {
                                        "resources": [
                                            {
                                                "address": "aws_cloudwatch_log_group.this",
                                                "expressions": {
                                                    "name": {"references": ["var.name"]},
                                                    "kms_key_id": {"references": ["var.kms_key_arn"]},
                                                    "skip_destroy": {"constant_value": False},
                                                },
                                            }
                                        ]
                                    }
                                }
                            }
                        }
                    }
                }
            }
        },
    }

    [main] = checkov.with_what_is_referred_to(plan)["planned_values"]["root_module"]["child_modules"]

    assert main["child_modules"][0]["resources"][0]["values"] == {"name": "a", "kms_key_id": "known-after-apply"}
    assert log["values"] == {"name": "a"}


def test_checkov_is_installed_once_and_then_silently(installed: None) -> None:
    program = [sys.executable, "-c", "from tools.checks.checkov import command; print(command())"]

    again = subprocess.run(program, cwd=ROOT, capture_output=True, text=True, timeout=60)

    assert (again.stdout.strip(), again.stderr) == (str(checkov.FOLDER / "bin" / "checkov"), "")
