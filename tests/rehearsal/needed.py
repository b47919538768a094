"""Which IAM actions a call needs, and on which resources."""

import itertools
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from tests.rehearsal.calls import Call, leaves, values
from tests.rehearsal.operations import (
    ACTIONS,
    BESIDES,
    FREE,
    GROUPS,
    IDS,
    NAMES,
    ON_ALL,
    OPTIONAL,
    PASSED_TO,
    SERVICE_ROLES,
    TAGGING,
)
from tools.checks.walls import reference
from tools.checks.walls.reference import listed
from tools.local.emulation import ACCOUNT


@dataclass(frozen=True)
class Needed:
    """An action that a call needs. Without `resources`, the call's parameters name them.

    `made` is a type of resource that the call makes and AWS names, if the action is not the operation's own.
    """

    action: str
    resources: tuple[str, ...] = ()
    made: str | None = None
    context: Mapping[str, str | list[str]] = field(default_factory=dict, hash=False)


class Unnamed(Exception):
    """No parameter names a resource of a type for which AWS asks."""


def needed_by(call: Call) -> Iterator[Needed]:
    """Yield the actions that a call needs."""
    name = f"{call.prefix}:{call.operation}"
    if name in FREE:
        return
    if service := SERVICE_ROLES.get(name):
        role = f"arn:aws:iam::{ACCOUNT}:role/aws-service-role/{service}/{service}"
        yield Needed("iam:CreateServiceLinkedRole", (role,), context={"iam:AWSServiceName": service})
    if call.service == "apigateway":
        yield from _of_api_gateway(call)
        return
    on_all = (f"arn:aws:{call.prefix}:{call.region}:{ACCOUNT}:{ON_ALL[name]}",) if name in ON_ALL else ()
    yield Needed(_renamed(call, name), on_all)
    yield from (Needed(each, ("*",)) for each in BESIDES.get(name, ()))
    if call.new_tags and call.service in TAGGING and not re.search("Tag(?!s$)|^CreateTags", call.operation):
        action, type_ = TAGGING[call.service]
        created = {"ec2:CreateAction": call.operation} if call.service == "ec2" else {}
        yield Needed(f"{call.prefix}:{action}", made=type_, context=created)
    for role in values(call.parameters, "Role|DeliverLogsPermissionArn"):
        if call.service in PASSED_TO and role.startswith("arn:"):
            yield Needed("iam:PassRole", (role,), context={"iam:PassedToService": PASSED_TO[call.service]})
    yield from _of_rds(call) if call.service == "rds" else _of_firewalls(call)


def _renamed(call: Call, name: str) -> str:
    action = ACTIONS.get(name, name)
    if action == "s3:DeleteObject" and list(values(call.parameters, "VersionId")):
        return "s3:DeleteObjectVersion"
    return action


def _of_api_gateway(call: Call) -> Iterator[Needed]:
    """API Gateway's actions are HTTP methods, and its resources are paths. Tags are resources of their own."""
    method, path = call.http
    arn = f"arn:aws:apigateway:{call.region}::"
    yield Needed(f"apigateway:{method}", (f"{arn}{path}",))
    if call.new_tags and call.operation != "TagResource":
        yield Needed("apigateway:PUT", (f"{arn}/tags/{quote(f'{arn}{path}/', safe='')}*",))


def _of_rds(call: Call) -> Iterator[Needed]:
    """RDS clones a cluster, makes the master's secret, and uses keys, with the permissions of the caller."""
    place = f"{call.region}:{ACCOUNT}"
    if source := call.parameters.get("SourceDBClusterIdentifier"):
        yield Needed(f"rds:{call.operation}", (f"arn:aws:rds:{place}:cluster:{source}",))
    if call.parameters.get("ManageMasterUserPassword"):
        for action in ("CreateSecret", "TagResource"):
            yield Needed(f"secretsmanager:{action}", (f"arn:aws:secretsmanager:{place}:secret:rds!cluster-1",))
    for parameter in ("KmsKeyId", "PerformanceInsightsKMSKeyId", "MasterUserSecretKmsKeyId"):
        service = "secretsmanager" if "Secret" in parameter else "rds"
        via = {"kms:ViaService": f"{service}.{call.region}.amazonaws.com"}
        for key in values(call.parameters, parameter):
            for action in ("CreateGrant", "Decrypt", "GenerateDataKey"):
                yield Needed(f"kms:{action}", (key,), context=via)


def _of_firewalls(call: Call) -> Iterator[Needed]:
    """A firewall needs AWS's rules, and what it protects needs the firewall."""
    if call.operation == "AssociateWebACL":
        yield Needed("apigateway:SetWebACL", (call.parameters["ResourceArn"],))
    if "ManagedRuleGroupStatement" in json.dumps(call.parameters):
        scope = "regional" if call.parameters["Scope"] == "REGIONAL" else "global"
        rules = f"arn:aws:wafv2:{call.region}:{ACCOUNT}:{scope}/managedruleset/AWS/*"
        yield Needed(f"wafv2:{call.operation}", (rules,))
    for firewall in filter(None, values(call.parameters, "WebACLId")):
        yield Needed("wafv2:GetWebACL", (firewall,))


def resources(call: Call, known: reference.Action, needed: Needed, keys: Mapping[str, str]) -> Iterator[str]:
    """Yield the ARNs of the resources on which AWS asks for the action. `keys` has the keys of aliases.

    Raise Unnamed if the parameters name no resource of a type that AWS needs.
    """
    found = set() if known.types else {"*"}
    is_own = needed.made is None
    texts = set(leaves(call.parameters))
    made = {needed.made, *(values(call.parameters, "ResourceType") if call.service == "ec2" else ())}
    creates = is_own and call.operation.startswith(("Allocate", "Create"))
    for type_ in known.types:
        if needed.made and needed.made != type_.name:
            continue
        arns = {each for each in texts if each.startswith("arn:") and type_.may_be(each)}
        arns |= {_arn(call, type_.arns[0], names) for names in _named(call, type_.name, texts, keys)}
        if is_own and known.changes and call.service == "rds" and type_.name in GROUPS:
            arns.add(_arn(call, type_.arns[0], (GROUPS[type_.name],)))
        if type_.name in made or (not arns and creates and type_.required):
            arns.add(_arn(call, type_.arns[0], ("*",)))
        if is_own and type_.required and not arns and OPTIONAL.get(known.name) != type_.name:
            raise Unnamed(type_.name)
        found |= arns
    if not found:
        raise Unnamed(" or ".join(each.name for each in known.types))
    yield from sorted(found)


def _named(call: Call, type_: str, texts: set[str], keys: Mapping[str, str]) -> Iterator[tuple[str, ...]]:
    """Yield the variables of ARNs of a type, as the call's parameters name them."""
    if call.service == "ec2" and type_ in IDS:
        yield from ((each,) for each in texts if re.fullmatch(f"{IDS[type_]}[0-9a-f]+", each))
    names = NAMES.get(call.service, {}).get(type_, ())
    found = [[text for name in each.split("|") for text in _top(call.parameters.get(name))] for each in names]
    if call.service == "wafv2" and found:
        found[0] = ["regional" if each == "REGIONAL" else "global" for each in found[0]]
        found[2] = found[2] or ["*"]
    yield from itertools.product(*found) if names else ()
    if type_ == "key" and (key := keys.get(call.parameters.get("AliasName", ""))):
        yield (key,)


def _top(value: Any) -> list[str]:
    """Return the names in a parameter: a text, a list of texts, the keys of S3's objects, or the name of a budget."""
    return [each for each in listed(value) if isinstance(each, str)] or list(values(value, "Key|BudgetName"))


def _arn(call: Call, pattern: str, names: tuple[str, ...]) -> str:
    """Return an ARN of a type, or the name if it is an ARN."""
    if names[0].startswith("arn:"):
        return names[0]
    parts = pattern.split(":", 5)
    given = {1: "aws", 3: call.region, 4: ACCOUNT}
    beginning = ":".join(given.get(index, part) if part == "*" else part for index, part in enumerate(parts[:5]))
    rest = parts[5]
    for name in names:
        rest = rest.replace("*", name.removeprefix("alias/").replace("*", "\0"), 1)
    rest = rest.replace("\0", "*")
    return f"{beginning}:{rest}{'-AbCdEf' if ':secret:' in pattern else ''}"
