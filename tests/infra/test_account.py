"""infra/account passes its own tests. `make account` refuses unsafe calls."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import boto3
import pytest

from chalicelib import NAME
from tests.support import modules
from tools.aws.account import NAMES, SERVICES_WITH_ROLES, Account, _make_roles_of_services, make
from tools.aws.terraform import missing
from tools.checkout import ROOT, ToolError

ACCOUNT = ROOT / "infra" / "account"

pytestmark = pytest.mark.skipif(missing() is not None, reason=f"infrastructure: {missing()}")


@pytest.mark.parametrize("file", modules.tests_of(ACCOUNT))
def test_an_account_passes_its_own_terraform_tests(file: str) -> None:
    modules.passes(modules.copied("account", "account"), file)


@pytest.mark.parametrize("name", NAMES)
def test_an_account_and_its_environments_name_the_same_bucket_and_account(name: str) -> None:
    account = Account(name, ROOT)

    environments = json.loads((ACCOUNT / f"{name}.tfvars.json").read_text())["environments"]
    backends = [ACCOUNT / f"{name}.s3.tfbackend"]
    for environment_of in environments:
        folder = ROOT / "infra" / environment_of
        assert json.loads((folder / "terraform.tfvars.json").read_text())["account_id"] == account.id
        backends.append(folder / "state.s3.tfbackend")
    for backend in backends:
        assert f'bucket = "{account.state_bucket}"' in backend.read_text()


@pytest.fixture
def tools_speak_to_it(emulated: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Send the tools' calls to the emulated account, as if this account were in AWS."""
    for name, value in {**emulated, "TF_CLI_ARGS": "-no-color"}.items():
        monkeypatch.setenv(name, value)


@pytest.mark.slow
def test_an_existing_bucket_is_imported_and_nothing_is_applied_without_a_yes(
    tools_speak_to_it: None, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(ToolError, match="YES=1"):
        make(Account("testing", tmp_path), approved=False)

    assert "1 to import" in capfd.readouterr().out
    assert boto3.client("iam").list_roles()["Roles"] == []


def test_a_plan_that_fails_changes_nothing(
    tools_speak_to_it: None, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    source = tmp_path / "source"
    shutil.copytree(ACCOUNT, source)
    tfvars = source / "testing.tfvars.json"
    tfvars.write_text(tfvars.read_text().replace(f'"acme/{NAME}"', '"acme/*"'))

    with pytest.raises(ToolError, match="nothing was changed"):
        make(Account("testing", tmp_path / "work", source), approved=True)

    assert "without wildcards" in capfd.readouterr().err
    assert boto3.client("iam").list_roles()["Roles"] == []


def make_account(**variables: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "tools", "aws", "account"],
        cwd=ROOT,
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_credentials_of_another_account_are_refused(tools_speak_to_it: None, tmp_path: Path) -> None:
    with pytest.raises(ToolError, match=r"for account 123456789012.*production\.tfvars\.json names 210987654321"):
        make(Account("production", tmp_path), approved=True)

    assert list(tmp_path.iterdir()) == []


def test_the_emulated_account_stands_for_one_account_whatever_its_id(tmp_path: Path) -> None:
    (tmp_path / "testing.tfvars.json").write_text('{"account_id": "111122223333", "region": "eu-west-1"}')
    account = Account("testing", tmp_path, tmp_path, emulated=True)

    assert account.backend[-2:] == [
        "-backend-config=bucket=service-state-123456789012".replace("service", NAME),
        "-backend-config=region=eu-central-1",
    ]
    assert account.variables[-2:] == ["-var=account_id=123456789012", "-var=region=eu-central-1"]


def test_production_is_not_emulated(emulated_port: int) -> None:
    assert "can't be emulated" in make_account(ACCOUNT="production", EMULATED=str(emulated_port)).stderr


def test_an_unknown_account_is_refused() -> None:
    answer = make_account(ACCOUNT="staging")

    assert (
        answer.stderr
        == "ACCOUNT is 'staging': set ACCOUNT=testing|production or pass --account testing|production (the account)\n"
    )


def test_the_roles_of_aws_services_are_made_once(emulated: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in emulated.items():
        monkeypatch.setenv(name, value)

    _make_roles_of_services()
    _make_roles_of_services()

    made = [role["RoleName"] for role in boto3.client("iam").list_roles(PathPrefix="/aws-service-role/")["Roles"]]
    assert len(set(made)) == len(made) == len(SERVICES_WITH_ROLES)
