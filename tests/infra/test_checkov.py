"""Each fault that checkov finds in infra/ is fixed, or suppressed with a reason."""

import subprocess
import sys
from pathlib import Path

import pytest

from tools.checkout import ROOT, ToolError
from tools.checks import checkov


@pytest.fixture(scope="module")
def installed() -> None:
    if (reason := checkov.missing()) is not None:
        pytest.skip(f"checkov: {reason}")


@pytest.mark.slow  # it takes a minute; `make checkov` shows the same
def test_each_suppression_in_infra_has_a_reason_and_nothing_else_fails(
    installed: None, capsys: pytest.CaptureFixture[str]
) -> None:
    assert checkov.main({}) == 0, capsys.readouterr().out


@pytest.mark.slow
def test_faults_unexplained_suppressions_and_unreadable_files_fail(installed: None, tmp_path: Path) -> None:
    (tmp_path / "block.tf").write_text(
        """
resource "aws_s3_bucket_public_access_block" "this" {
  #checkov:skip=CKV_AWS_53: because it is only a test
  #checkov:skip=CKV_AWS_54
  #checkov:skip=CKV_AWS_55: likewise
  bucket                  = "a"
  block_public_acls       = false
  block_public_policy     = false
  ignore_public_acls      = false
  restrict_public_buckets = false
}

resource "aws_kms_key" "this" {
  enable_key_rotation = true
}
"""
    )
    (tmp_path / "open.tf").write_text('resource "aws_kms_key" "this" {\n')

    complaints = list(checkov.complaints(checkov.scan(tmp_path)))

    block = "/block.tf: aws_s3_bucket_public_access_block.this"
    assert [each for each in complaints if "open.tf: checkov can't read this file" in each]
    assert {each.partition(" (")[0] for each in complaints if "public_access_block" in each} == {
        f"{block} suppresses CKV_AWS_54 without a reason: write at least 10 characters after the check's id",
        f"{block} suppresses CKV_AWS_55 without a reason: write at least 10 characters after the check's id",
        f"{block} fails CKV_AWS_56",
    }
    assert not [each for each in complaints if "CKV_AWS_7 " in each]


def test_a_run_that_checked_nothing_fails() -> None:
    assert list(checkov.complaints({"passed": 0, "failed": 0})) == [
        "checkov reports no check that passed: make sure that infra/ has Terraform files"
    ]


@pytest.mark.slow
def test_checkov_is_installed_once_and_a_later_run_prints_nothing(installed: None) -> None:
    program = [sys.executable, "-c", "from tools.checks.checkov import command; print(command())"]

    again = subprocess.run(program, cwd=ROOT, capture_output=True, text=True, timeout=60)

    assert (again.stdout.strip(), again.stderr) == (str(checkov.FOLDER / "bin" / "checkov"), "")


def test_output_that_is_no_report_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(checkov, "command", lambda: Path("/bin/echo"))

    with pytest.raises(ToolError, match="checkov gave no report"):
        checkov.scan(tmp_path)
