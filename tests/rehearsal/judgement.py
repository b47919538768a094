"""Judge the calls that an emulated account logged: would AWS have allowed them to the role that made them?

The account allows every call. Here, the simulator of `make walls` evaluates the policies as Terraform renders them.
Calls are judged with the resources and the condition keys that the request shows, and with the tags that the resources
had then. If a call that only reads names no resource, the role must have the action on some resource.

Not judged are:
- the policies of an environment's keys, and the key of a cluster that is cloned
- the time until the tags of a new key count
- actions, besides the operation's own, that the tables of operations.py leave out
- the own calls of the test, which have no role
"""

import fnmatch
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from chalicelib import NAME
from tests.rehearsal.calls import Call, Tags, values
from tests.rehearsal.needed import Needed, Unnamed, needed_by, resources
from tests.support.checkout import ROOT
from tools.checks.walls import reference, table
from tools.checks.walls.evaluator import Question, ask
from tools.checks.walls.places import DEVELOPMENT, PRODUCTION, hash_of
from tools.checks.walls.principals import EVERYTHING
from tools.checks.walls.reference import listed
from tools.checks.walls.rendered import Rendered
from tools.local.emulation import ACCOUNT

# Nobody is on call for an environment of the testing account. So judge as if the environment were production.
_ON_CALL, _ON_CALL_FOR = f"{NAME}-account-on-call", "development"
_ADMINISTRATOR = f"{NAME}-account-administrator"


@dataclass
class _Seen:
    """The tags, boundaries of roles and keys of aliases that the calls so far have set."""

    tags: dict[str, Tags] = field(default_factory=dict)
    boundaries: dict[str, str] = field(default_factory=dict)
    keys: dict[str, str] = field(default_factory=dict)

    def add(self, call: Call) -> None:
        self.tags.update(call.tags)
        if boundary := call.parameters.get("PermissionsBoundary"):
            self.boundaries[call.parameters["RoleName"]] = boundary
        if call.operation == "CreateAlias" and call.service == "kms":
            self.keys[call.parameters["AliasName"]] = call.parameters["TargetKeyId"]


def judge(calls: Iterable[Call], rendered: Rendered) -> list[str]:
    """Return a sentence for each action that a call needs and its role lacks, and for each unknown operation."""
    found: dict[tuple[str, ...], str] = {}
    asked: list[tuple[Call, Question]] = []
    seen = _Seen()
    for call in calls:
        seen.add(call)
        for needed in needed_by(call):
            known = reference.action(needed.action)
            key = call.role, needed.action
            if known is None:
                found[key] = (
                    f"{call.service} {call.operation} ({call.step}) has no action: AWS has no {needed.action}. "
                    "Add the right one to tests/rehearsal/operations.py"
                )
                continue
            try:
                arns = needed.resources or tuple(resources(call, known, needed, seen.keys))
            except Unnamed as type_:
                if known.changes:
                    found[key] = (
                        f"{call.service} {call.operation} ({call.step}) names no {type_}: add its parameter to NAMES "
                        f"in tests/rehearsal/operations.py. The parameters are {call.parameters}"
                    )
                elif not _naming(call.role, needed.action, rendered):
                    found[key] = _sentence(call, needed.action, "any resource", "no statement names the action")
            else:
                asked += ((call, _question(call, known, each, needed, seen, rendered)) for each in arns)
    answers = ask(table.policies(rendered), [question for _, question in asked])
    for (call, question), answer in zip(asked, answers, strict=True):
        key = call.role, question.action, answer.reason
        if not answer.allowed and key not in found:
            shown = {each: value for each, value in question.context.items() if "Principal" not in each}
            named = ", ".join(_naming(call.role, question.action, rendered)) or "none"
            why = f"{answer.reason}. Statements that name the action: {named}. AWS sees {shown}"
            found[key] = _sentence(call, question.action, question.resource, why)
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


def _naming(role: str, action: str, rendered: Rendered) -> list[str]:
    """Return the names of the role's statements that allow the action, on something and under some condition."""
    identity, _, _ = _principal(role, rendered)
    return [
        statement.get("Sid", id_)
        for id_ in identity
        for statement in listed(table.policies(rendered)[id_].document["Statement"])
        if statement["Effect"] == "Allow"
        and any(fnmatch.fnmatch(action.lower(), each.lower()) for each in listed(statement.get("Action", [])))
    ]


def _principal(role: str, rendered: Rendered) -> tuple[tuple[str, ...], str | None, str]:
    """Return the role's policies, its boundary and its ARN."""
    arn = f"arn:aws:iam::{_account_id(role)}:role/{role}"
    if role == _ADMINISTRATOR:
        return (EVERYTHING,), None, arn
    known = rendered.roles.get(arn)
    return (known.identity, known.boundary, arn) if known else ((), None, arn)


def _account_id(role: str) -> str:
    return (PRODUCTION if role == _ON_CALL else DEVELOPMENT).account_id


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
    # The emulated account stands for all accounts.
    account = _account_id(call.role)
    told = json.dumps([resource, context]).replace(ACCOUNT, account).replace(hash_of(ACCOUNT), hash_of(account))
    resource, context = json.loads(
        told.replace(_ON_CALL_FOR, PRODUCTION.environment) if call.role == _ON_CALL else told
    )
    always = {"aws:SecureTransport": "true", "aws:PrincipalArn": principal, "aws:PrincipalAccount": account}
    policy = table.policy_of(known.name, resource, account, rendered)
    return Question(principal, known.name, resource, account, {**always, **context}, identity, boundary, policy)


def _tags_of(resource: str, seen: _Seen) -> Tags:
    """Return the tags that a resource had. The parts of an API have the API's tags."""
    api = re.match(r"arn:aws:apigateway:[^/]*/restapis/\w+", resource)
    known = (seen.tags.get(each) for each in (resource, resource.rpartition("/")[2], api[0] if api else ""))
    return next((tags for tags in known if tags), {})


# Condition keys that have the value of a parameter.
_SHOWN = {
    "cloudwatch:AlarmActions": "AlarmActions",
    "cloudwatch:namespace": "Namespace",
    "iam:AWSServiceName": "AWSServiceName",
    "s3:if-none-match": "IfNoneMatch",
}


def _conditions(call: Call, seen: _Seen) -> Iterator[tuple[str, str | list[str]]]:
    """Yield the condition keys that the request shows, except those of tags."""
    parameters = call.parameters
    if keys := [*call.new_tags, *values(parameters, "TagKeys|tagKeys")]:
        yield "aws:TagKeys", keys
    if call.service == "s3":
        yield "s3:ObjectCreationOperation", str(call.operation not in ("CreateMultipartUpload", "UploadPart")).lower()
    for key, parameter in _SHOWN.items():
        if shown := parameters.get(parameter):
            yield key, shown
    if boundary := parameters.get("PermissionsBoundary") or seen.boundaries.get(parameters.get("RoleName", "")):
        yield "iam:PermissionsBoundary", boundary
    if call.operation == "PutTargets":
        yield "events:TargetArn", [each["Arn"] for each in parameters["Targets"]]
    for change in parameters.get("patchOperations", ()):
        if change["path"] == "/accessLogSettings/destinationArn" and "value" in change:
            yield "apigateway:Request/AccessLoggingDestination", change["value"]
