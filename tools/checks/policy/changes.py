"""Change a plan so that it violates a scenario. `mutants.py` lists the changes."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tools.checkout import ToolError
from tools.checks.policy.facts import Resource

Change = Callable[[list[Resource]], None]

PRODUCTION, DEBUG, ACCOUNT = "production", "production-clone", "account-testing"


@dataclass(frozen=True)
class Mutant:
    """A change of a plan that a scenario must catch. `plan` is a name from plans.py."""

    what: str
    change: Change
    plan: str = PRODUCTION


def assign(path: str, to: Any, only: str = "") -> Change:
    """Return a change that sets an argument. `path` is, for example, `aws_kms_key.tags_all.owner`.

    The change applies to the first resource of this type whose address ends with `only`.
    """

    def change(resources: list[Resource]) -> None:
        values, last = _parent(resources, path, only)
        values[last] = to

    return change


def unset(path: str, only: str = "") -> Change:
    def change(resources: list[Resource]) -> None:
        values, last = _parent(resources, path, only)
        del values[last]

    return change


def remove(kind: str) -> Change:
    return lambda resources: resources.remove(_first(resources, kind))


def add(kind: str, **values: Any) -> Change:
    return lambda resources: resources.append(Resource(f"{kind}.mutant", kind, values))


def allow(path: str, only: str = "", **statement: Any) -> Change:
    """Return a change that adds a statement with the effect Allow to a policy."""

    def change(resources: list[Resource]) -> None:
        values, last = _parent(resources, path, only)
        document = json.loads(values[last])
        document["Statement"].append({"Effect": "Allow", **statement})
        values[last] = json.dumps(document)

    return change


def origin_of_api(**settings: Any) -> Change:
    """Return a change of the settings with which CloudFront calls the API."""

    def change(resources: list[Resource]) -> None:
        origins = _first(resources, "aws_cloudfront_distribution").values["origin"]
        next(each for each in origins if "custom_origin_config" in each)["custom_origin_config"][0].update(settings)

    return change


def _first(resources: list[Resource], kind: str, only: str = "") -> Resource:
    for each in resources:
        if each.type == kind and each.address.endswith(only):
            return each
    raise ToolError(f"A mutant changes {kind} ...{only}, which the mutant's plan does not have: correct mutants.py")


def _parent(resources: list[Resource], path: str, only: str) -> tuple[Any, str]:
    kind, *keys, last = path.split(".")
    values: Any = _first(resources, kind, only).values
    for key in keys:
        values = values[int(key) if key.isdigit() else key]
    return values, last
