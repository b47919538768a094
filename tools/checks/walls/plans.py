"""Plan the accounts, environments and workspaces with a mocked provider whose ids and ARNs name the resources.

A mocked provider gives all resources of a type the same ARN. So a first plan finds the names of all resources, and a
second plan gets an ARN for each name. All environments and workspaces use the names of one first plan.
"""

import json
import os
import re
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cache, partial
from pathlib import Path
from typing import Any

from chalicelib import NAME
from tools.checkout import ENVIRONMENTS, ROOT, ToolError, write_atomically
from tools.checks.policy import plans as mocked
from tools.checks.policy.plans import Plan
from tools.checks.walls.places import hash_of

Values = dict[str, Any]

ACCOUNTS = ("testing", "production")
_FIRST = ENVIRONMENTS[0]
# infra/modules/mocks has this account.
_MOCKED_ACCOUNT = "210987654321"
_MOCKS = """\
mock_provider "aws" {{{alias}
  source          = "../modules/mocks"
  override_during = plan

  mock_data "aws_caller_identity" {{
    defaults = {{ account_id = "{account_id}" }}
  }}

  mock_data "aws_rds_cluster" {{
    defaults = {{ cluster_resource_id = "cluster-{live}", endpoint = "db.example", database_name = "db", port = 5432 }}
  }}
}}
"""
# The members of the roles of people. Their users are in an account of their own.
MEMBERS = {each: f"arn:aws:iam::333333333333:user/{each}" for each in ("developer", "on_call", "administrator")}


@dataclass(frozen=True)
class Subject:
    """A folder of infra/ to plan: an account, an environment, or a workspace of an environment."""

    name: str
    folder: str
    stage: str
    workspace: str = "default"
    variables: Mapping[str, Any] = field(default_factory=dict, hash=False)

    @property
    def account_id(self) -> str:
        file = ROOT / "infra" / self.folder / "terraform.tfvars.json"
        id_: str = (json.loads(file.read_text()) if self.folder != "account" else self.variables)["account_id"]
        return id_


def account(name: str) -> Subject:
    """Return the subject of an account, with the variables of the repository's own file."""
    variables = json.loads((ROOT / "infra" / "account" / f"{name}.tfvars.json").read_text())
    del variables["//"]
    variables["people"] = {role: [arn] for role, arn in MEMBERS.items()}
    # The name of the stage only chooses the copy of infra/ in which Terraform works.
    return Subject(
        f"account-{name}", "account", "production" if name == "production" else "development", "default", variables
    )


def workspace(environment: str, name: str, purpose: str, database: str) -> Subject:
    """Return the subject of a workspace."""
    variables = {"workspace_purpose": purpose, "database_source": database}
    return Subject(f"{environment}-{name}", environment, environment, name, variables)


SUBJECTS = (
    *map(account, ACCOUNTS),
    *(Subject(each, each, each) for each in ENVIRONMENTS),
    workspace("development", "w-ann", "preview", "empty"),
    workspace("development", "d-fix-1", "debug", "clone"),
    workspace("development", "d-live", "debug", "live"),
    workspace("production", "d-live", "debug", "live"),
)


def plan_all(
    copied: Callable[[str, str], Path], environ: Callable[[Path], Mapping[str, str]] = lambda _: {}
) -> dict[Subject, Plan]:
    """Return the plans of all subjects. `copied` returns a folder of a copy of infra/."""

    def planned_(subject: Subject, names: Plan | None) -> Plan:
        folder = copied(subject.folder, subject.stage)
        if names is None:
            names = _plan(folder, subject, "names", {"resource_changes": []}, environ)
        return _plan(folder, subject, "arns", names, environ)

    environment = json.dumps(mocked.plan(copied(_FIRST, _FIRST), mocked.Run(_FIRST), environ))

    def names(subject: Subject) -> Plan | None:
        if subject.folder == "account":
            return None
        workspace = "" if subject.workspace == "default" else f"-{subject.workspace}"
        renamed = environment.replace(f"{NAME}-{_FIRST}", f"{NAME}-{subject.folder}{workspace}")
        renamed = renamed.replace(hash_of(_MOCKED_ACCOUNT), hash_of(subject.account_id))
        found: Plan = json.loads(renamed)
        return found

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return dict(zip(SUBJECTS, pool.map(lambda each: planned_(each, names(each)), SUBJECTS), strict=True))


def _plan(
    folder: Path, subject: Subject, pass_: str, names: Plan, environ: Callable[[Path], Mapping[str, str]]
) -> Plan:
    file = f"tests/walls-{subject.name}-{pass_}.tftest.hcl"
    write_atomically(folder / file, _test(subject, names))
    return mocked.plan(folder, mocked.Run(subject.folder, file, "rendered", subject.workspace), environ)


def _test(subject: Subject, names: Plan) -> str:
    """Return the text of a Terraform test that plans a subject. `names` is the plan of the first pass, or empty."""
    variables = "".join(f"  {name} = {json.dumps(value)}\n" for name, value in subject.variables.items())
    mocks = partial(_MOCKS.format, account_id=subject.account_id, live=f"{NAME}-{subject.folder}")
    parts = [mocks(alias=""), f"variables {{\n{variables}}}\n"]
    if subject.folder != "account":
        parts.append(mocks(alias='\n  alias           = "us_east_1"'))
    for each in names["resource_changes"]:
        told = _TELLING.get(each["type"])
        if told and each["mode"] == "managed" and each["change"]["after"]:
            values = told(
                each["change"]["after"], f"{_region(each['address'])}:{subject.account_id}", subject.account_id
            )
            parts.append(_override(each["address"], values))
    return "\n".join([*parts, 'run "rendered" {\n  command = plan\n}\n'])


def _override(address: str, values: Values) -> str:
    return (
        f"override_resource {{\n  target          = {address}\n  override_during = plan\n"
        f"  values          = {json.dumps(values)}\n}}\n"
    )


def _key(values: Values, place: str, account_id: str) -> Values:
    name = values["description"]
    return {"arn": f"arn:aws:kms:{place}:key/{name}", "key_id": name}


def _cluster(values: Values, place: str, account_id: str) -> Values:
    name = values["cluster_identifier"]
    secret = {
        "kms_key_id": "",
        "secret_arn": f"arn:aws:secretsmanager:{place}:secret:rds!cluster-{name}",
        "secret_status": "active",
    }
    return {
        "arn": f"arn:aws:rds:{place}:cluster:{name}",
        "cluster_resource_id": f"cluster-{name}",
        "master_user_secret": [secret],
    }


_SCOPES = {"CLOUDFRONT": "global", "REGIONAL": "regional"}
# The values that AWS would make for a resource, by its type. An argument's third value is the account's id.
_TELLING: dict[str, Callable[[Values, str, str], Values]] = {
    "aws_api_gateway_rest_api": lambda values, place, _: {
        "id": values["name"],
        "execution_arn": f"arn:aws:execute-api:{place}:{values['name']}",
    },
    "aws_cloudfront_distribution": lambda values, _, account_id: {
        "arn": f"arn:aws:cloudfront::{account_id}:distribution/{values['comment']}"
    },
    "aws_cloudwatch_event_rule": lambda values, place, _: {"arn": f"arn:aws:events:{place}:rule/{values['name']}"},
    "aws_cloudwatch_log_group": lambda values, place, _: {"arn": f"arn:aws:logs:{place}:log-group:{values['name']}"},
    "aws_iam_policy": lambda values, _, account_id: {"arn": f"arn:aws:iam::{account_id}:policy/{values['name']}"},
    "aws_iam_role": lambda values, _, account_id: {
        "arn": f"arn:aws:iam::{account_id}:role/{values['name']}",
        "id": values["name"],
    },
    "aws_iam_openid_connect_provider": lambda values, _, account_id: {
        "arn": f"arn:aws:iam::{account_id}:oidc-provider/{values['url'].removeprefix('https://')}"
    },
    "aws_kms_alias": lambda values, place, _: {"arn": f"arn:aws:kms:{place}:{values['name']}"},
    "aws_kms_key": _key,
    "aws_rds_cluster": _cluster,
    "aws_s3_bucket": lambda values, _, account_id: {"arn": f"arn:aws:s3:::{values['bucket']}", "id": values["bucket"]},
    "aws_secretsmanager_secret": lambda values, place, _: {
        "arn": f"arn:aws:secretsmanager:{place}:secret:{values['name']}-AbCdEf"
    },
    "aws_cloudwatch_composite_alarm": lambda values, place, _: {
        "arn": f"arn:aws:cloudwatch:{place}:alarm:{values['alarm_name']}"
    },
    "aws_cloudwatch_metric_alarm": lambda values, place, _: {
        "arn": f"arn:aws:cloudwatch:{place}:alarm:{values['alarm_name']}"
    },
    "aws_sns_topic": lambda values, place, _: {"arn": f"arn:aws:sns:{place}:{values['name']}"},
    "aws_wafv2_web_acl": lambda values, place, _: {
        "arn": f"arn:aws:wafv2:{place}:{_SCOPES[values['scope']]}/webacl/{values['name']}/1"
    },
}
# These resources belong to another one, whose ARN says where they are.
_PARTS = ("aws_sns_topic_subscription", "aws_wafv2_web_acl_logging_configuration")


def _region(address: str) -> str:
    """Return the region of a resource of an environment."""
    return "us-east-1" if any(each in f".{address}" for each in _elsewhere()) else "eu-central-1"


@cache
def _elsewhere() -> frozenset[str]:
    """Return parts of addresses: the resources and modules with the provider of us-east-1 only."""
    sources = "".join(file.read_text() for file in (ROOT / "infra" / "modules").glob("*/*.tf"))
    blocks = re.findall(r'^(module|resource) "(\w+)"(?: "(\w+)")? \{\n((?:(?!\}).*\n)*)', sources, re.MULTILINE)
    return frozenset(
        f".module.{first}" if kind == "module" else f".{first}.{second}"
        for kind, first, second, body in blocks
        if re.search(r"^  (provider += |providers += \{ aws = )aws\.us_east_1", body, re.MULTILINE)
    )


def arns_elsewhere(plan: Plan) -> Iterator[str]:
    """Yield the ARNs of an environment's resources in us-east-1. Raise ToolError for a type without an ARN here."""
    for each in plan["resource_changes"]:
        if each["mode"] != "managed" or _region(each["address"]) == "eu-central-1" or each["type"] in _PARTS:
            continue
        if each["type"] not in _TELLING:
            raise ToolError(f"{each['address']} is in us-east-1: give its type an ARN in tools/checks/walls/plans.py")
        yield each["change"]["after"]["arn"]


def planned(plan: Plan, type_: str) -> Iterator[Values]:
    """Yield the planned values of each resource of a type."""
    for each in plan["resource_changes"]:
        if each["type"] == type_ and each["mode"] == "managed" and each["change"]["after"]:
            yield each["change"]["after"]
