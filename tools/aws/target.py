"""A target of Terraform: an environment or one of its workspaces, on AWS or in an emulated account."""

import os
import re
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

from tools.aws.emulator.account import emulated_client
from tools.aws.states import States, settings_of
from tools.checkout import ENVIRONMENTS, ROOT, ToolError, UsageError, read_json
from tools.local import emulation

# The variables that choose how a workspace is created, and their names in the module infrastructure-main.
# Terraform's state keeps their values for later runs. DATABASE can't be changed, nor PURPOSE to or from `debug`.
CHOICES = {"PURPOSE": "workspace_purpose", "DATABASE": "database_source", "OWNER": "owner"}

# Terraform works here, in a copy of infra/ for each target. So two targets can be applied at once, each with the
# package of its stage.
_TARGETS = ROOT / ".local" / "targets"
# The name of a workspace.
WORKSPACE = re.compile(r"[a-z](?!.*--)[a-z0-9-]{0,15}(?<!-)")


@dataclass(frozen=True)
class Target:
    """An environment or one of its workspaces, on AWS or in an emulated account."""

    environment: str
    workspace: str = "default"
    # A debug workspace may have the environment's data. So it has names in AWS and roles of its own.
    debug: bool = False
    # Values of CHOICES, by Terraform's names. A missing choice stays as it was.
    choices: Mapping[str, str] = field(default_factory=dict)
    # A folder with deployment.zip and generated.tf.json, or None to package the checkout.
    package: Path | None = None
    # The port of an emulated account, or None for AWS.
    emulated: int | None = None

    def __post_init__(self) -> None:
        if self.environment not in ENVIRONMENTS:
            raise UsageError(f"{self.environment!r} is not an environment: set ENV={'|'.join(ENVIRONMENTS)}")
        # infrastructure-main refuses a wrong name too, but only after Terraform has made the workspace.
        if not WORKSPACE.fullmatch(self.workspace):
            raise UsageError(
                f"{self.workspace!r} can't name a workspace: use 1 to 16 lower-case letters, digits and single "
                "hyphens, with a letter first and no hyphen last"
            )
        if not self.debug and (source := self.choices.get("database_source", "empty")) != "empty":
            raise UsageError(
                f"DATABASE={source} is for debug workspaces only: set PURPOSE=debug and WORKSPACE, or DATABASE=empty"
            )

    @property
    def terraform_workspace(self) -> str:
        """Terraform's workspace: `default`, `w-ann` or, for a debug workspace, `d-fix-1`."""
        return "default" if self.workspace == "default" else f"{'d' if self.debug else 'w'}-{self.workspace}"

    @property
    def name(self) -> str:
        """The target's name, such as `development` or `development-w-ann`."""
        return self.environment if self.workspace == "default" else f"{self.environment}-{self.terraform_workspace}"

    @property
    def variables(self) -> dict[str, str]:
        """The values in the environment's terraform.tfvars.json, such as `region` and `account_id`."""
        found: dict[str, str] = read_json(ROOT / "infra" / self.environment / "terraform.tfvars.json")
        return found

    @property
    def folder(self) -> Path:
        """The folder with the target's copy of infra/."""
        account = "aws" if self.emulated is None else f"emulated-{self.emulated}"
        return _TARGETS / account / self.name

    @property
    def plan(self) -> Path:
        """The path of the saved plan, beside the sources that it was made from."""
        return self.folder / "saved.tfplan"

    @property
    def plan_as_json(self) -> Path:
        """The path of the saved plan as JSON. The file exists only if the plan may be applied."""
        return self.folder / "saved.json"

    @property
    def environ(self) -> dict[str, str]:
        """The environment variables for calling the target's account."""
        # Drop the variable with which Terraform would use another folder. Set the workspace, because without it
        # `terraform init` would read the state of the environment itself.
        ours = {name: value for name, value in os.environ.items() if name != "TF_DATA_DIR"}
        ours["TF_WORKSPACE"] = self.terraform_workspace
        return ours if self.emulated is None else emulation.environment(ours, self.emulated)

    def client(self, service: str, region: str, config: Config | None = None) -> Any:
        """Return a boto3 client for the target's account."""
        if self.emulated is None:
            return boto3.client(service, region_name=region, config=config)
        return emulated_client(service, self.emulated, region, config)

    @property
    def states(self) -> States:
        """The states of the environment and its workspaces."""
        backend = settings_of(self.environment, emulated=self.emulated is not None)
        return States(self.client("s3", backend["region"]), backend["bucket"], self.environment)


def port_of(emulated: str) -> int | None:
    """Return the port of the emulated account that EMULATED names, or None for AWS.

    EMULATED is a port, 1 for the usual port, or empty or 0 for AWS. Raise ToolError if no account answers there.
    """
    if emulated in ("", "0"):
        return None
    if not emulated.isdecimal():
        raise UsageError(f"EMULATED is {emulated!r}: set 1, or the port of an emulated account")
    port = emulation.PORT if emulated == "1" else int(emulated)
    try:
        socket.create_connection((emulation.HOST, port), timeout=5).close()
    except OSError:
        raise ToolError(f"No emulated account answers on port {port}: start one with `make emulator`") from None
    return port
