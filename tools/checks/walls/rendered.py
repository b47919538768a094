"""Collect the policies of planned accounts and environments: roles with their policies, boundaries and trust."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from tools.checkout import ToolError
from tools.checks.policy.plans import Plan
from tools.checks.walls.plans import Subject, Values, arns_elsewhere, planned

Document = dict[str, Any]
Kind = Literal["identity", "resource", "trust"]


@dataclass(frozen=True)
class Policy:
    """A policy document. A resource policy or a trust policy also says who gets access."""

    kind: Kind
    document: Document
    managed: bool = False


@dataclass(frozen=True)
class Role:
    """A role, with the ids of its policies."""

    arn: str
    trust: str
    identity: tuple[str, ...]
    boundary: str | None

    @property
    def name(self) -> str:
        return self.arn.rpartition("/")[2]

    @property
    def account_id(self) -> str:
        return self.arn.split(":")[4]


@dataclass
class Rendered:
    """All policies by id. The id of a policy is its ARN, or it names the resource and the kind of policy."""

    policies: dict[str, Policy] = field(default_factory=dict)
    roles: dict[str, Role] = field(default_factory=dict)
    # The ids of resources' policies, by the resource's ARN.
    resources: dict[str, str] = field(default_factory=dict)
    functions: set[str] = field(default_factory=set)
    # The resources that environments have outside of their own region: the environment's name, and the ARN.
    elsewhere: set[tuple[str, str]] = field(default_factory=set)

    def role(self, arn: str) -> Role:
        """Return a role, or raise KeyError."""
        return self.roles[arn]


def collect(plans: Mapping[Subject, Plan]) -> Rendered:
    """Return the policies of plans. Policies that AWS manages are left out: their documents are in no plan."""
    found = Rendered()
    for subject, plan in plans.items():
        _collect(found, subject.account_id, plan)
        if subject.folder != "account" and subject.workspace == "default":
            found.elsewhere.update((subject.folder, arn) for arn in arns_elsewhere(plan))
    for id_, policy in found.policies.items():
        if re.search("[:/]mocked", json.dumps(policy.document)):
            raise ToolError(f"{id_} names a mocked ARN: give its type an ARN in tools/checks/walls/plans.py")
    return found


def _collect(found: Rendered, account_id: str, plan: Plan) -> None:
    for values in planned(plan, "aws_iam_policy"):
        found.policies[values["arn"]] = Policy("identity", json.loads(values["policy"]), managed=True)
    identity: dict[str, list[str]] = {}
    for values in planned(plan, "aws_iam_role_policy_attachment"):
        if not values["policy_arn"].startswith("arn:aws:iam::aws:"):
            identity.setdefault(values["role"], []).append(values["policy_arn"])
    for values in planned(plan, "aws_iam_role_policy"):
        id_ = f"{values['name']} of {_role_arn(account_id, values['role'])}"
        found.policies[id_] = Policy("identity", json.loads(values["policy"]))
        identity.setdefault(values["role"], []).append(id_)
    for values in planned(plan, "aws_iam_role"):
        arn = _role_arn(account_id, values["name"])
        trust = f"trust of {arn}"
        found.policies[trust] = Policy("trust", json.loads(values["assume_role_policy"]))
        boundary = values.get("permissions_boundary")
        found.roles[arn] = Role(arn, trust, tuple(identity.get(values["name"], ())), boundary)
    found.functions.update(values["function_name"] for values in planned(plan, "aws_lambda_function"))
    for arn, document in _of_resources(account_id, plan):
        id_ = f"policy of {arn}"
        found.policies[id_] = Policy("resource", document)
        found.resources[arn] = id_


def _of_resources(account_id: str, plan: Plan) -> Iterator[tuple[str, Document]]:
    for values in planned(plan, "aws_s3_bucket_policy"):
        yield f"arn:aws:s3:::{values['bucket']}", json.loads(values["policy"])
    for type_ in ("aws_kms_key", "aws_sns_topic"):
        for values in planned(plan, type_):
            if (values.get("policy") or "").startswith("{"):  # the mocked provider makes up a policy if there is none
                yield values["arn"], json.loads(values["policy"])
    permissions: dict[str, list[Values]] = {}
    for values in planned(plan, "aws_lambda_permission"):
        permissions.setdefault(values["function_name"], []).append(values)
    for name, listed in permissions.items():
        arn = f"arn:aws:lambda:eu-central-1:{account_id}:function:{name}"
        yield arn, {"Version": "2012-10-17", "Statement": [_permission(arn, values) for values in listed]}


def _permission(arn: str, values: Values) -> Document:
    """Return the statement that Lambda makes of a permission."""
    qualifier = f":{values['qualifier']}" if values.get("qualifier") else ""
    condition = {"ArnLike": {"aws:SourceArn": values["source_arn"]}} if values.get("source_arn") else {}
    return {
        "Sid": values["statement_id"],
        "Effect": "Allow",
        "Principal": {"Service": values["principal"]},
        "Action": values["action"],
        "Resource": f"{arn}{qualifier}",
        **({"Condition": condition} if condition else {}),
    }


def _role_arn(account_id: str, name: str) -> str:
    return f"arn:aws:iam::{account_id}:role/{name}"
