"""`make account [ACCOUNT=testing|production] [EMULATED=1]`: create an AWS account's own resources.

The environments of the account need these resources.
"""

import json
import os
import re
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from chalicelib import NAME
from tools.aws.target import port_of
from tools.aws.terminal import require_consent
from tools.aws.terraform import INIT, terraform
from tools.checkout import ROOT, ToolError, UsageError, locked
from tools.local import emulation

SOURCE = ROOT / "infra" / "account"
FOLDERS = ROOT / ".local" / "account"
STATE_KEY = "account.tfstate"
NAMES = ("testing", "production")
# RDS makes interfaces of databases with its role, and API Gateway its certificates.
SERVICES_WITH_ROLES = ("rds.amazonaws.com", "ops.apigateway.amazonaws.com")

_LOCAL_BACKEND = f"""\
terraform {{
  backend "local" {{
    path = "{STATE_KEY}"
  }}
}}
"""


@dataclass(frozen=True)
class Account:
    """An AWS account. Its settings are in infra/account, in files with its name. Terraform works in `folder`.

    If `emulated` is true, the emulated account stands for it, which has an id and a region of its own.
    """

    name: str
    folder: Path
    source: Path = SOURCE
    emulated: bool = False

    @property
    def id(self) -> str:
        if self.emulated:
            return emulation.ACCOUNT
        id_: str = json.loads((self.source / f"{self.name}.tfvars.json").read_text())["account_id"]
        return id_

    @property
    def state_bucket(self) -> str:
        return f"{NAME}-state-{self.id}"  # the same name as in infra/account/state.tf

    @property
    def backend(self) -> list[str]:
        """Terraform's options for the state in the account's bucket."""
        ours = {"bucket": self.state_bucket, "region": emulation.REGION} if self.emulated else {}
        file = f"-backend-config={self.name}.s3.tfbackend"
        return [file, *(f"-backend-config={name}={value}" for name, value in ours.items())]

    @property
    def variables(self) -> list[str]:
        """Terraform's options for the account's settings."""
        ours = {"account_id": self.id, "region": emulation.REGION} if self.emulated else {}
        return [f"-var-file={self.name}.tfvars.json", *(f"-var={name}={value}" for name, value in ours.items())]

    @property
    def kept_here(self) -> Path:
        """The path of the state file on this machine, until the state is in the bucket."""
        return self.folder / STATE_KEY

    def prepare(self, *, local: bool) -> None:
        """Copy the sources to `folder`. If `local` is true, configure Terraform to keep the state on this machine."""
        self.folder.mkdir(parents=True, exist_ok=True)
        for old in self.folder.glob("*.tf"):
            old.unlink()
        for pattern in ("*.tf", "*.tfvars.json", "*.s3.tfbackend"):
            for path in self.source.glob(pattern):
                shutil.copy(path, self.folder)
        shutil.copy(self.source / ".terraform.lock.hcl", self.folder)
        if local:
            (self.folder / "backend_override.tf").write_text(_LOCAL_BACKEND)

    def take_over_bucket(self) -> None:
        """Let the next plan import the bucket, which exists but is missing in the state."""
        block = f'import {{\n  to = aws_s3_bucket.state\n  id = "{self.state_bucket}"\n}}\n'
        (self.folder / "taken_over.tf").write_text(block)


def make(account: Account, *, approved: bool) -> None:
    """Apply the account's resources, and keep their state in the account's bucket, which is one of them.

    So the first run keeps the state on this machine until the bucket exists. After a failure, run the command again:
    Terraform creates only what is missing. Raise ToolError, for example if the credentials are for another account or
    the user does not agree.
    """
    _refuse_other_accounts(account)
    s3 = boto3.client("s3")
    bucket = account.state_bucket
    if _is_there(s3.head_object, Bucket=bucket, Key=STATE_KEY):
        _say(f"The state of the {account.name} account is in s3://{bucket}.")
        account.prepare(local=False)
        _run(account, "init", "-reconfigure", *account.backend)
        _apply(account, approved=approved)
        return
    _say(f"s3://{bucket} has no state yet. The state stays in {_shown(account.kept_here)} until the apply has ended.")
    account.prepare(local=True)
    _run(account, "init", "-reconfigure")
    if _is_there(s3.head_bucket, Bucket=bucket) and "aws_s3_bucket.state" not in _resources(account):
        _say(f"s3://{bucket} exists already, and is imported.")
        account.take_over_bucket()
    _apply(account, approved=approved)
    _say(f"The state moves into s3://{bucket}.")
    account.prepare(local=False)
    _run(account, "init", "-migrate-state", "-force-copy", *account.backend)
    if not _is_there(s3.head_object, Bucket=bucket, Key=STATE_KEY):
        raise ToolError(
            f"Terraform moved no state into s3://{bucket}: keep {_shown(account.kept_here)}, and run the command again"
        )
    for left in account.folder.glob(f"{STATE_KEY}*"):
        left.unlink()


def _refuse_other_accounts(account: Account) -> None:
    try:
        found = boto3.client("sts").get_caller_identity()["Account"]
    except (BotoCoreError, ClientError) as error:
        raise ToolError(
            f"AWS does not say whose credentials these are: {error}. Log in as an administrator of account {account.id}"
        ) from None
    if found != account.id:
        raise ToolError(
            f"These credentials are for account {found}, but infra/account/{account.name}.tfvars.json names "
            f"{account.id}: log in to account {account.id}, or correct the file"
        )


def _apply(account: Account, *, approved: bool) -> None:
    """Show the plan, then apply it. Unless `approved`, ask for consent before a change."""
    plan = ["plan", "-out=account.tfplan", "-detailed-exitcode", *account.variables]
    match terraform([*plan, "-input=false"], account.folder, capture=False).returncode:
        case 0:
            return
        case 2:  # the plan has changes
            if not approved:
                require_consent("yes", question="Apply this plan? ")
            _run(account, "apply", "account.tfplan")
        case _:
            raise ToolError("The plan failed, and nothing was changed: fix the error above, and run the command again")


def _make_roles_of_services() -> None:
    """Make the roles with which AWS's services act in this account, if they are missing.

    A service makes its role itself in a first request. But this request may fail, because the role does not work yet.
    """
    iam = boto3.client("iam")
    for service in SERVICES_WITH_ROLES:
        try:
            iam.create_service_linked_role(AWSServiceName=service)
        except ClientError as error:
            # AWS says that the name has been taken, and the emulated account that the role exists.
            if not re.search("has been taken|already exists", str(error)):
                raise ToolError(f"AWS refuses to make the role of {service}: {error}") from None


def _run(account: Account, command: str, *arguments: str) -> None:
    start = INIT if command == "init" else (command, "-input=false")
    if terraform([*start, *arguments], account.folder, capture=False).returncode != 0:
        raise ToolError(
            f"`terraform {command}` failed: fix the error above, and run the command again. Do not delete "
            f"{_shown(account.folder)}, because the state can be there"
        )


def _resources(account: Account) -> list[str]:
    return terraform(["state", "list"], account.folder).stdout.split()


def _is_there(head: Any, **named: str) -> bool:
    try:
        head(**named)
    except ClientError as error:
        if error.response["ResponseMetadata"]["HTTPStatusCode"] == 404:
            return False
        raise ToolError(
            f"s3://{named['Bucket']} can't be read ({error}): log in as an administrator, and check that the bucket "
            "does not belong to another account"
        ) from None
    return True


def _shown(path: Path) -> str:
    return str(path.relative_to(ROOT) if path.is_relative_to(ROOT) else path)


def _say(sentence: str) -> None:
    sys.stdout.write(f"{sentence}\n")
    sys.stdout.flush()


def main(environ: Mapping[str, str]) -> None:
    """Apply the resources of the account that ACCOUNT names."""
    name = environ["ACCOUNT"]
    port = port_of(environ["EMULATED"])
    folder = FOLDERS / name
    if port is not None:
        if name != "testing":
            raise UsageError(f"ACCOUNT={name} can't be emulated: the emulated account stands for the testing account")
        folder = FOLDERS / f"{name}-emulated-{port}"
        settings = emulation.environment(os.environ, port)
        os.environ.clear()
        os.environ.update(settings)
    with locked(folder.with_suffix(".lock")):
        make(Account(name, folder, emulated=port is not None), approved=port is not None or environ.get("YES") == "1")
    _make_roles_of_services()
    _say(f"The {name} account is ready: apply its environments next.")
