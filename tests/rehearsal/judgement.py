"""Judge the calls that an emulated account logged: would AWS have allowed them to the role that made them?

The account allows every call. Here, the simulator of `make walls` evaluates the policies as Terraform renders them.
Calls are judged with the resources and the condition keys that the request shows, and with the tags that the resources
had then. If a call that only reads names no resource, the role must have the action on some resource.

Not judged are the policies of keys that the account made, that the tags of a new key may not count for minutes, the key
of a cluster that is cloned, and what the tables of operations.py leave out. Calls without a role are the test's own.
"""

import fnmatch
import itertools
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, quote

from chalicelib import NAME
from tests.rehearsal.operations import (
    ACTIONS,
    BESIDES,
    FREE,
    GROUPS,
    IDS,
    NAMES,
    OPTIONAL,
    PASSED_TO,
    PREFIXES,
    SERVICE_ROLES,
    TAGGING,
)
from tests.support.checkout import ROOT
from tools.checks.walls import reference, table
from tools.checks.walls.evaluator import Question, ask
from tools.checks.walls.places import PRODUCTION
from tools.checks.walls.principals import EVERYTHING
from tools.checks.walls.reference import listed
from tools.checks.walls.rendered import Rendered
from tools.local.emulation import ACCOUNT

Tags = Mapping[str, str]
_TAGS = re.compile("(userpool)?tags|tagset|tagging|tagspecifications")
# Nobody is on call for an environment of the testing account. So judge as if the environment were production.
_ON_CALL, _ON_CALL_FOR = f"{NAME}-account-on-call", "development"
_ADMINISTRATOR = f"{NAME}-account-administrator"


@dataclass(frozen=True)
class Call:
    """A line of the log."""

    caller: str
    service: str
    region: str
    http: tuple[str, str]
    operation: str
    parameters: Mapping[str, Any]
    tags: Mapping[str, Tags]

    @property
    def role(self) -> str:
        """The role's name; empty for calls of the test itself."""
        return self.caller.partition(".")[2].partition(".")[0]

    @property
    def step(self) -> str:
        return self.caller.rpartition(".")[2]

    @property
    def prefix(self) -> str:
        return PREFIXES.get(self.service, self.service)

    @property
    def new_tags(self) -> dict[str, str]:
        """The tags that the request sets."""
        return dict(_tags(self.parameters))


@dataclass(frozen=True)
class Needed:
    """An action that a call needs. Without `resources`, the call's parameters name them.

    `made` is a type of resource that the call makes and AWS names, if the action is not the operation's own.
    """

    action: str
    resources: tuple[str, ...] = ()
    made: str | None = None
    context: Mapping[str, str | list[str]] = field(default_factory=dict, hash=False)


class _Unnamed(Exception):
    """No parameter names a resource of a type for which AWS asks."""


@dataclass
class _Seen:
    """What calls said about resources until now: their tags, the boundaries of roles, and the keys of aliases."""

    tags: dict[str, Tags] = field(default_factory=dict)
    boundaries: dict[str, str] = field(default_factory=dict)
    keys: dict[str, str] = field(default_factory=dict)

    def add(self, call: Call) -> None:
        self.tags.update(call.tags)
        if boundary := call.parameters.get("PermissionsBoundary"):
            self.boundaries[call.parameters["RoleName"]] = boundary
        if call.operation == "CreateAlias" and call.service == "kms":
            self.keys[call.parameters["AliasName"]] = call.parameters["TargetKeyId"]


def read(log: Path) -> list[Call]:
    """Return the calls of roles. Calls without a role are the test's own."""
    calls = [Call(**json.loads(line)) for line in log.read_text().splitlines()]
    return [each for each in calls if each.role]


def judge(calls: Iterable[Call], rendered: Rendered) -> list[str]:
    """Return a sentence for each action that a call needs and its role lacks, and for each unknown operation."""
    found: dict[tuple[str, ...], str] = {}
    asked: list[tuple[Call, Question]] = []
    seen = _Seen()
    for call in calls:
        seen.add(call)
        for needed in _needed(call):
            known = reference.action(needed.action)
            key = call.role, needed.action
            if known is None:
                found[key] = (
                    f"{call.service} {call.operation} ({call.step}) has no action: AWS has no {needed.action}. "
                    "Add the right one to tests/rehearsal/operations.py"
                )
                continue
            try:
                resources = needed.resources or tuple(_resources(call, known, needed, seen))
            except _Unnamed as type_:
                if known.changes:
                    found[key] = (
                        f"{call.service} {call.operation} ({call.step}) names no {type_}: add its parameter to NAMES "
                        f"in tests/rehearsal/operations.py. The parameters are {call.parameters}"
                    )
                elif not _has(call.role, needed.action, rendered):
                    found[key] = _sentence(call, needed.action, "any resource", "no statement names the action")
            else:
                asked += ((call, _question(call, known, each, needed, seen, rendered)) for each in resources)
    answers = ask(table.policies(rendered), [question for _, question in asked])
    for (call, question), answer in zip(asked, answers, strict=True):
        key = call.role, question.action, answer.reason
        if not answer.allowed and key not in found:
            shown = {each: value for each, value in question.context.items() if "Principal" not in each}
            found[key] = _sentence(call, question.action, question.resource, f"{answer.reason}. AWS sees {shown}")
    return list(found.values())


def _sentence(call: Call, action: str, resource: str, why: str) -> str:
    return (
        f"{call.role} called {call.service} {call.operation} in the step {call.step!r}, and AWS would refuse {action} "
        f"on {resource}: {why}. See {_file(action)}"
    )


def _file(action: str) -> str:
    """Return the files of infra/account that name an action, or else its service."""
    texts = {each: each.read_text() for each in sorted((ROOT / "infra" / "account").glob("*.tf"))}
    for wanted in (f'"{action}"', f'"{action.partition(":")[2]}"', f'"{action.partition(":")[0]}:'):
        if found := [f"infra/account/{each.name}" for each, text in texts.items() if wanted in text]:
            return " and ".join(found)
    return "infra/account/applying.tf"


def _has(role: str, action: str, rendered: Rendered) -> bool:
    """True if some statement of the role allows the action on something."""
    identity, _, _ = _principal(role, rendered)
    documents = [table.policies(rendered)[each].document for each in identity]
    return any(
        fnmatch.fnmatch(action.lower(), pattern.lower())
        for document in documents
        for statement in listed(document["Statement"])
        if statement["Effect"] == "Allow"
        for pattern in listed(statement.get("Action", []))
    )


def _principal(role: str, rendered: Rendered) -> tuple[tuple[str, ...], str | None, str]:
    """Return the role's policies, its boundary and its ARN."""
    account = PRODUCTION.account_id if role == _ON_CALL else ACCOUNT
    arn = f"arn:aws:iam::{account}:role/{role}"
    if role == _ADMINISTRATOR:
        return (EVERYTHING,), None, arn
    known = rendered.roles.get(arn)
    return (known.identity, known.boundary, arn) if known else ((), None, arn)


def _needed(call: Call) -> Iterator[Needed]:
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
    yield Needed(_renamed(call, name))
    yield from (Needed(each, ("*",)) for each in BESIDES.get(name, ()))
    if call.new_tags and call.service in TAGGING and not re.search("Tag(?!s$)|^CreateTags", call.operation):
        action, type_ = TAGGING[call.service]
        created = {"ec2:CreateAction": call.operation} if call.service == "ec2" else {}
        yield Needed(f"{call.prefix}:{action}", made=type_, context=created)
    for role in _values(call.parameters, "Role|DeliverLogsPermissionArn"):
        if call.service in PASSED_TO and role.startswith("arn:"):
            yield Needed("iam:PassRole", (role,), context={"iam:PassedToService": PASSED_TO[call.service]})
    yield from _of_rds(call) if call.service == "rds" else _of_firewalls(call)


def _renamed(call: Call, name: str) -> str:
    action = ACTIONS.get(name, name)
    if action == "s3:DeleteObject" and list(_values(call.parameters, "VersionId")):
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
        for key in _values(call.parameters, parameter):
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
    for firewall in filter(None, _values(call.parameters, "WebACLId")):
        yield Needed("wafv2:GetWebACL", (firewall,))


def _resources(call: Call, known: reference.Action, needed: Needed, seen: _Seen) -> Iterator[str]:
    """Yield the ARNs of the resources on which AWS asks for the action."""
    found = set() if known.types else {"*"}
    is_own = needed.made is None
    leaves = set(_leaves(call.parameters))
    made = {needed.made, *(_values(call.parameters, "ResourceType") if call.service == "ec2" else ())}
    creates = is_own and call.operation.startswith(("Allocate", "Create"))
    for type_ in known.types:
        if needed.made and needed.made != type_.name:
            continue
        arns = {each for each in leaves if each.startswith("arn:") and type_.may_be(each)}
        arns |= {_arn(call, type_.arns[0], names) for names in _named(call, type_.name, leaves, seen)}
        if is_own and known.changes and call.service == "rds" and type_.name in GROUPS:
            arns.add(_arn(call, type_.arns[0], (GROUPS[type_.name],)))
        if type_.name in made or (not arns and creates and type_.required):
            arns.add(_arn(call, type_.arns[0], ("*",)))
        if is_own and type_.required and not arns and OPTIONAL.get(known.name) != type_.name:
            raise _Unnamed(type_.name)
        found |= arns
    if not found:
        raise _Unnamed(" or ".join(each.name for each in known.types))
    yield from sorted(found)


def _named(call: Call, type_: str, leaves: set[str], seen: _Seen) -> Iterator[tuple[str, ...]]:
    """Yield the variables of ARNs of a type, as the call's parameters name them."""
    if call.service == "ec2" and type_ in IDS:
        yield from ((each,) for each in leaves if re.fullmatch(f"{IDS[type_]}[0-9a-f]+", each))
    names = NAMES.get(call.service, {}).get(type_, ())
    found = [[text for name in each.split("|") for text in _top(call.parameters.get(name))] for each in names]
    if call.service == "wafv2" and found:
        found[0] = ["regional" if each == "REGIONAL" else "global" for each in found[0]]
        found[2] = found[2] or ["*"]
    yield from itertools.product(*found) if names else ()
    if type_ == "key" and (key := seen.keys.get(call.parameters.get("AliasName", ""))):
        yield (key,)


def _top(value: Any) -> list[str]:
    """Return the names in a parameter: a text, a list of texts, or the keys of S3's objects."""
    return [each for each in listed(value) if isinstance(each, str)] or list(_values(value, "Key"))


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


def _question(
    call: Call, known: reference.Action, resource: str, needed: Needed, seen: _Seen, rendered: Rendered
) -> Question:
    identity, boundary, principal = _principal(call.role, rendered)
    shown = {
        **{f"aws:RequestTag/{key}": value for key, value in call.new_tags.items()},
        **{f"aws:ResourceTag/{key}": value for key, value in _tags_of(resource, seen).items()},
        **dict(_conditions(call, seen)),
        **needed.context,
    }
    context = {key: value for key, value in shown.items() if known.supports(key, resource)}
    account = ACCOUNT
    if call.role == _ON_CALL:
        account = PRODUCTION.account_id
        told = json.dumps([resource, context]).replace(_ON_CALL_FOR, PRODUCTION.environment)
        resource, context = json.loads(told.replace(ACCOUNT, account))
    always = {"aws:SecureTransport": "true", "aws:PrincipalArn": principal, "aws:PrincipalAccount": account}
    policy = table.policy_of(known.name, resource, account, rendered)
    return Question(principal, known.name, resource, account, {**always, **context}, identity, boundary, policy)


def _tags_of(resource: str, seen: _Seen) -> Tags:
    """Return the tags that a resource had. The parts of an API have the API's tags."""
    api = re.match(r"arn:aws:apigateway:[^/]*/restapis/\w+", resource)
    known = (seen.tags.get(each) for each in (resource, resource.rpartition("/")[2], api[0] if api else ""))
    return next((tags for tags in known if tags), {})


def _conditions(call: Call, seen: _Seen) -> Iterator[tuple[str, str | list[str]]]:
    """Yield the condition keys that the request shows, except those of tags."""
    parameters = call.parameters
    if keys := [*call.new_tags, *_values(parameters, "TagKeys|tagKeys")]:
        yield "aws:TagKeys", keys
    if call.service == "s3":
        yield "s3:ObjectCreationOperation", str(call.operation not in ("CreateMultipartUpload", "UploadPart")).lower()
    if match := parameters.get("IfNoneMatch"):
        yield "s3:if-none-match", match
    if boundary := parameters.get("PermissionsBoundary") or seen.boundaries.get(parameters.get("RoleName", "")):
        yield "iam:PermissionsBoundary", boundary
    if service := parameters.get("AWSServiceName"):
        yield "iam:AWSServiceName", service
    if call.operation == "PutTargets":
        yield "events:TargetArn", [each["Arn"] for each in parameters["Targets"]]
    if actions := parameters.get("AlarmActions"):
        yield "cloudwatch:AlarmActions", actions
    for change in parameters.get("patchOperations", ()):
        if change["path"] == "/accessLogSettings/destinationArn" and "value" in change:
            yield "apigateway:Request/AccessLoggingDestination", change["value"]


def _tags(value: Any, *, inside: bool = False) -> Iterator[tuple[str, str]]:
    """Yield the tags in parameters: pairs, maps and, for objects of S3, a query."""
    if isinstance(value, list):
        for each in value:
            yield from _tags(each, inside=inside)
    elif isinstance(value, dict):
        pair = {key.lower().removeprefix("tag"): each for key, each in value.items()}
        if inside and "key" in pair:
            yield pair["key"], pair.get("value", "")
        elif inside and "ResourceType" not in value and all(isinstance(each, str) for each in value.values()):
            yield from value.items()
        else:
            for key, each in value.items():
                yield from _tags(each, inside=inside or bool(_TAGS.fullmatch(key.lower())))
    elif inside and isinstance(value, str):
        yield from parse_qsl(value)


def _values(value: Any, names: str) -> Iterator[str]:
    """Yield the texts of all parameters with one of the names, which `|` separates."""
    if isinstance(value, list):
        for each in value:
            yield from _values(each, names)
    elif isinstance(value, dict):
        for key, each in value.items():
            if key in names.split("|"):
                yield from (text for text in listed(each) if isinstance(text, str))
            else:
                yield from _values(each, names)


def _leaves(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list | dict):
        for each in value.values() if isinstance(value, dict) else value:
            yield from _leaves(each)
