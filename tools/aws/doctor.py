"""`make doctor [ENV=…]`: check the needed programs and, with ENV, the account's quotas."""

import json
import shutil
import sys
from collections.abc import Iterator, Mapping

from botocore.exceptions import BotoCoreError, ClientError

from chalicelib import NAME
from tools.aws import environment, terraform
from tools.checkout import ROOT, ToolError
from tools.package import compose

# The quota of VPCs: its service, its code and AWS's default. The default is used if Service Quotas does not answer.
_VPCS = ("vpc", "L-F678F1CE", 5)
# Lambda keeps at least this many of an account's concurrent executions for functions that reserve none.
_UNRESERVED = 100
# The concurrent executions that infra/<environment>/main.tf reserves. A test compares them with the plans.
RESERVED = {"development": 0, "preproduction": 0, "production": 100}


def of_machine() -> Iterator[tuple[str, str | None]]:
    """Yield each needed program's name and its fault, or None if the program has no fault."""
    running = ".".join(str(part) for part in sys.version_info[:2])
    wanted = ".".join(str(part) for part in compose.PYTHON)
    python = None if running == wanted else f"this is Python {running}: to package for AWS, set PYTHON=python{wanted}"
    yield f"Python {wanted}", python
    reason = terraform.missing()
    yield "Terraform and the AWS provider", reason
    for command, purpose in (("node", "test the viewer function and workflows"), ("gh", "change GitHub's settings")):
        yield command, None if shutil.which(command) else f"not on the PATH: install {command} to {purpose}"


def of_account(target: environment.Target, region: str) -> Iterator[tuple[str, str | None]]:
    """Yield each quota that could stop an apply of the target, and its fault or None, or raise ToolError."""
    ec2, functions = target.client("ec2", region), target.client("lambda", region)
    try:
        there = [each for page in ec2.get_paginator("describe_vpcs").paginate() for each in page["Vpcs"]]
        limit = functions.get_account_settings()["AccountLimit"]["ConcurrentExecutions"]
    except (BotoCoreError, ClientError) as error:
        raise ToolError(f"The account's quotas can't be read: {error}. Log in, or set EMULATED=1") from None
    quota = _quota(target, region)
    own = f"{NAME}-{target.name}"
    has_one = any(tag["Value"] == own for vpc in there for tag in vpc.get("Tags", []) if tag["Key"] == "Name")
    full = len(there) >= quota and not has_one
    yield (
        f"VPCs in {region}: {len(there)} of {quota}",
        "there is no room for another VPC: delete a VPC, or request a higher quota in Service Quotas" if full else None,
    )
    reserved = RESERVED[target.environment] if target.workspace == "default" else 0
    needed = reserved + _UNRESERVED
    short = reserved > 0 and limit < needed
    yield (
        f"Concurrent executions: {limit}; {target.name} reserves {reserved}",
        f"{_UNRESERVED} executions must stay unreserved: request a quota of {needed}, or reserve fewer executions"
        if short
        else None,
    )


def _quota(target: environment.Target, region: str) -> int:
    service, code, default = _VPCS
    try:
        asked = target.client("service-quotas", region).get_service_quota(ServiceCode=service, QuotaCode=code)
    except (BotoCoreError, ClientError):
        return default
    return int(asked["Quota"]["Value"])


def _region(target: environment.Target) -> str:
    variables = json.loads((ROOT / "infra" / target.environment / "terraform.tfvars.json").read_text())
    region: str = variables["region"]
    return region


def main(environ: Mapping[str, str]) -> int:
    """Print a line for each program and quota. Return 1 if a program is missing or a quota is too low, else 0."""
    checked = list(of_machine())
    if environ.get("ENV"):
        target = environment.target_of(environ)
        checked += of_account(target, _region(target))
    for what, wrong in checked:
        print(f"ok       {what}" if wrong is None else f"MISSING  {what}: {wrong}")
    return 1 if any(wrong for _, wrong in checked) else 0
