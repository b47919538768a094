"""`make doctor [ENV=…]`: check the needed programs and, with ENV, the account and its quotas.

`make apply` does the second part itself before it creates a target. New accounts have small quotas, and an apply would
stop at them only after a quarter of an hour.
"""

import shutil
import sys
from collections.abc import Iterator, Mapping

from botocore.exceptions import BotoCoreError, ClientError

from chalicelib import NAME
from tools.aws import environment, terraform
from tools.aws.target import Target
from tools.checkout import ToolError
from tools.package import compose

# Quotas: the service, the name in Service Quotas and AWS's default. The default is used if Service Quotas does not
# answer. https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/cloudfront-limits.html#limits-policies
_VPCS = ("vpc", "VPCs per Region", 5)
_CACHE_POLICIES = ("cloudfront", "Cache policies per AWS account", 20)
# Programs that only AWS and GitHub need. Without an account, a missing one is a note.
_FOR_AWS_AND_GITHUB = ("aws", "jq", "gh")
# The cache policies of a site.
_OF_A_SITE = 2
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
    for command, purpose in (
        ("aws", "invite people"),
        ("jq", "get a token"),
        ("node", "test the viewer function and workflows"),
        ("gh", "change GitHub's settings"),
    ):
        yield command, None if shutil.which(command) else f"not on the PATH: install {command} to {purpose}"


def of_account(target: Target, region: str) -> Iterator[tuple[str, str | None]]:
    """Yield each thing that could stop an apply of the target, and its fault or None, or raise ToolError."""
    ec2, functions, cdn = (target.client(service, region) for service in ("ec2", "lambda", "cloudfront"))
    own = f"{NAME}-{target.name}"
    try:
        is_ready = target.states.has_bucket()
        there = [each for page in ec2.get_paginator("describe_vpcs").paginate() for each in page["Vpcs"]]
        limit = functions.get_account_settings()["AccountLimit"]["ConcurrentExecutions"]
        listed = cdn.list_cache_policies(Type="custom")["CachePolicyList"].get("Items", [])
    except (BotoCoreError, ClientError) as error:
        raise ToolError(
            f"The account's quotas can't be read: {error}. Log in to account {target.variables['account_id']}, or set "
            "EMULATED=1"
        ) from None
    yield "Plan of the account", _plan(target)
    if target.workspace == "default":
        yield "Budgets", _budgets(target)
    yield "Bucket of Terraform's states", None if is_ready else "it does not exist: run make account first"
    quota = _quota(target, region, *_VPCS)
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
        f"{_UNRESERVED} executions must stay unreserved: request a quota of {needed} for Lambda in Service Quotas, or "
        f"set `reserved_concurrency = null` in infra/{target.environment}/main.tf until you have it"
        if short
        else None,
    )
    policies = {each["CachePolicy"]["CachePolicyConfig"]["Name"] for each in listed}
    # CloudFront's quotas are in us-east-1.
    quota = _quota(target, "us-east-1", *_CACHE_POLICIES)
    full = f"{own}-site" not in policies and len(policies) + _OF_A_SITE > quota
    yield (
        f"CloudFront's cache policies: {len(policies)} of {quota}",
        f"there is no room for {_OF_A_SITE} more: delete some, or request a higher quota in Service Quotas"
        if full
        else None,
    )


def notes_of_account(target: Target, region: str) -> Iterator[str]:
    """Yield what only AWS can know before the first apply."""
    try:
        is_new = target.client("cloudfront", region).list_distributions()["DistributionList"]["Quantity"] == 0
    except (BotoCoreError, ClientError):
        is_new = True
    if is_new:
        yield (
            "the account has no CloudFront distribution. AWS verifies new accounts first. If the apply says `Your "
            "account must be verified`, open a case with AWS Support (account and billing), and apply again afterwards"
        )


def before_first_apply(target: Target) -> None:
    """Print what could stop the first apply of the target, or raise ToolError if something will."""
    region = target.variables["region"]
    try:
        faults = [f"{what}: {wrong}" for what, wrong in of_account(target, region) if wrong]
    except ToolError as unreadable:
        # A pipeline's role may not read quotas. A person has run `make doctor` before.
        print(f"NOTE     {unreadable}")
        return
    for note in notes_of_account(target, region):
        print(f"NOTE     {note}")
    if faults:
        raise ToolError("\n".join(["Nothing was changed, because the apply would fail:", *faults]))


def _plan(target: Target) -> str | None:
    """Return why the account's plan does not suffice, or None if it does or can't be read."""
    if target.emulated is not None:
        return None
    try:
        # This API is in us-east-1. Accounts that are older than the plans have none.
        plan = target.client("freetier", "us-east-1").get_account_plan_state()["accountPlanType"]
    except (BotoCoreError, ClientError):
        return None
    return "on the Free plan, AWS refuses Aurora in a VPC: upgrade to the paid plan" if plan == "FREE" else None


def _budgets(target: Target) -> str | None:
    """Return why the account can have no budget, or None if it can or does not say. A workspace has no budget."""
    try:
        target.client("budgets", "us-east-1").describe_budgets(AccountId=target.variables["account_id"], MaxResults=1)
    except (BotoCoreError, ClientError) as error:
        # The roles of pipelines may not list budgets, which is no fault.
        if "linked account" in str(error):
            return "AWS refuses a budget until the account that pays has opened Cost Explorer once: open it, and wait"
    return None


def _quota(target: Target, region: str, service: str, name: str, default: int) -> int:
    if target.emulated is not None:
        return default
    quotas = target.client("service-quotas", region).get_paginator("list_service_quotas")
    try:
        found = [each for page in quotas.paginate(ServiceCode=service) for each in page["Quotas"]]
    except (BotoCoreError, ClientError):
        return default
    return next((int(each["Value"]) for each in found if each["QuotaName"] == name), default)


def main(environ: Mapping[str, str]) -> int:
    """Print a line for each program and quota. Return 1 if a program is missing or a quota is too low, else 0."""
    checked = list(of_machine())
    notes: list[str] = []
    if environ.get("EMULATED", "0") not in ("", "0"):
        notes += [f"{what}: {wrong}" for what, wrong in checked if wrong and what in _FOR_AWS_AND_GITHUB]
        checked = [each for each in checked if not each[1] or each[0] not in _FOR_AWS_AND_GITHUB]
    if environ.get("ENV"):
        target = environment.target_of(environ)
        region = target.variables["region"]
        checked += of_account(target, region)
        notes += notes_of_account(target, region)
    for what, wrong in checked:
        print(f"ok       {what}" if wrong is None else f"MISSING  {what}: {wrong}")
    for note in notes:
        print(f"NOTE     {note}")
    return 1 if any(wrong for _, wrong in checked) else 0
