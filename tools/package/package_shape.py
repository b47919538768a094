"""What Chalice's Terraform package says, read strictly: what we don't know how to carry over must not get lost.

Written for Chalice 1.34. Each refusal is a sentence that names what is new, and where to see to it.
"""

import json
import re
from dataclasses import dataclass
from typing import Any

from tools.checkout import ToolError

Json = dict[str, Any]

# Chalice calls the function of all routes so; in our names it is what it serves.
_HANDLER = "api_handler"
API = "api"

_SECTIONS = {"resource", "locals", "terraform", "data", "output"}
_PROVIDERS = {"aws", "null"}
_DATA = {"aws_caller_identity", "aws_partition", "aws_region", "null_data_source"}
_RESOURCES = {
    "aws_lambda_function",
    "aws_lambda_permission",
    "aws_api_gateway_rest_api",
    "aws_api_gateway_deployment",
    "aws_cloudwatch_event_rule",
    "aws_cloudwatch_event_target",
    # One role for all functions, which may write logs: each gets its own instead, in roles.tf.
    "aws_iam_role",
    "aws_iam_role_policy",
}
_FUNCTION = {
    "function_name",
    "runtime",
    "handler",
    "memory_size",
    "architectures",
    "tags",
    "timeout",
    "source_code_hash",
    "filename",
    "environment",
    "role",
}
_REST_API = {"body", "name", "binary_media_types", "endpoint_configuration", "minimum_compression_size"}
_DEPLOYMENT = {"stage_name", "stage_description", "rest_api_id", "lifecycle"}
_RULE = {"name", "schedule_expression", "event_pattern", "description"}
_PERMISSION = {"function_name", "action", "principal", "source_arn"}
_TARGET = {"rule", "target_id", "arn"}
_FUNCTION_ARN = re.compile(r"\$\{aws_lambda_function\.([\w-]+)\.arn\}")
_RULE_NAME = re.compile(r"\$\{aws_cloudwatch_event_rule\.([\w-]+)\.name\}")


@dataclass(frozen=True)
class Shape:
    """What there is to be made. `functions` and `schedules` are by name, as locals of infra/modules/api."""

    functions: dict[str, Json]
    schedules: dict[str, Json]
    swagger: Json
    runtime: str
    architecture: str
    minimum_compression_size: int | None


def read(chalice: Json) -> Shape:
    """What chalice.tf.json says. Raises ToolError."""
    _only(chalice, _SECTIONS, "sections")
    # Their versions are pinned in versions.tf. Chalice's own pins shut out Terraform 1.4 and later, and of the null
    # provider it uses a data source that says what the stage is called.
    _only(_member(chalice, "terraform", "required_providers"), _PROVIDERS, "providers")
    _only(_member(chalice, "data"), _DATA, "data sources")
    resources = _member(chalice, "resource")
    _only(resources, _RESOURCES, "resources")
    functions = _member(resources, "aws_lambda_function")
    if _HANDLER not in functions:
        raise ToolError(f"Chalice's package has no function {_HANDLER}, which serves the routes")
    if API in functions:
        raise ToolError(f"A function is called {API!r}, as the one that serves the routes is: call it otherwise")
    for name, function in functions.items():
        _only(function, _FUNCTION, f"arguments of the function {name} (VPC, layers and concurrency: see functions.tf)")
    rest_api = _rest_api(resources)
    schedules = _schedules(resources)
    _check_permissions(resources, set(schedules))
    return Shape(
        functions={_name(name): _function(function) for name, function in functions.items()},
        schedules=schedules,
        swagger=_swagger(chalice),
        runtime=_same(functions, "runtime"),
        architecture=_same(functions, "architectures")[0],
        minimum_compression_size=rest_api.get("minimum_compression_size"),
    )


def _function(function: Json) -> Json:
    # Without its name, which would be the same in each workspace of an environment; its role, which would be one for
    # all; and the tag of Chalice, whose version is in requirements-dev.txt.
    return {
        "handler": _member(function, "handler"),
        "memory_size": _member(function, "memory_size"),
        "timeout": _member(function, "timeout"),
        "environment": function.get("environment", {}).get("variables", {}),
    }


def _rest_api(resources: Json) -> Json:
    rest_api: Json = _member(resources, "aws_api_gateway_rest_api", "rest_api")
    _only(rest_api, _REST_API, "arguments of the REST API")
    if (types := _member(rest_api, "endpoint_configuration", "types")) != ["REGIONAL"]:
        raise ToolError(f"The API's endpoint is {types}, and CloudFront wants a regional one")
    if binary := _member(rest_api, "binary_media_types"):
        raise ToolError(f"The API has binary media types, {binary}: set app.api.binary_types = []")
    # The deployment is Terraform's own, since Chalice's makes the stage too, on which nothing could be set then.
    _only(_member(resources, "aws_api_gateway_deployment", "rest_api"), _DEPLOYMENT, "arguments of the deployment")
    return rest_api


def _schedules(resources: Json) -> dict[str, Json]:
    rules: Json = resources.get("aws_cloudwatch_event_rule", {})
    targets: Json = resources.get("aws_cloudwatch_event_target", {})
    if set(rules) != set(targets):
        raise ToolError(f"Rules and their targets are not called the same: {sorted(set(rules) ^ set(targets))}")
    schedules = {}
    for name, rule in rules.items():
        target = targets[name]
        _only(rule, _RULE, f"arguments of the rule {name}")
        _only(target, _TARGET, f"arguments of the target {name}")
        function = _FUNCTION_ARN.fullmatch(_member(target, "arn"))
        of_rule = _RULE_NAME.fullmatch(_member(target, "rule"))
        if function is None or of_rule is None or of_rule[1] != name:
            raise ToolError(f"The target {name} does not lead from the rule {name} to a function: {target}")
        schedules[name] = {
            "function": _name(function[1]),
            "description": rule.get("description"),
            "schedule_expression": rule.get("schedule_expression"),
            "event_pattern": rule.get("event_pattern"),
        }
    return schedules


def _check_permissions(resources: Json, schedules: set[str]) -> None:
    """Who may invoke functions is written in gateway.tf and schedules.tf; nobody else may be meant to."""
    for name, permission in _member(resources, "aws_lambda_permission").items():
        _only(permission, _PERMISSION, f"arguments of the permission {name}")
        principal = _member(permission, "principal")
        known = principal == "apigateway.amazonaws.com" or (principal == "events.amazonaws.com" and name in schedules)
        if not known:
            raise ToolError(f"The permission {name} lets {principal} invoke a function, and modules/api does not")


def _swagger(chalice: Json) -> Json:
    text = _member(chalice, "locals", "chalice_api_swagger")
    _only(chalice["locals"], {"chalice_api_swagger"}, "locals")
    try:
        swagger: Json = json.loads(text)
    except ValueError as error:
        raise ToolError(f"The API's description is not JSON: {error}") from None
    return swagger


def _name(resource: str) -> str:
    return API if resource == _HANDLER else resource


def _same(functions: Json, argument: str) -> Any:
    values = [_member(function, argument) for function in functions.values()]
    if any(value != values[0] for value in values):
        raise ToolError(f"All functions share one package, so they need one value of {argument}: {values}")
    return values[0]


def _member(of: Json, *path: str) -> Any:
    value: Any = of
    for index, step in enumerate(path):
        if not isinstance(value, dict) or step not in value:
            raise ToolError(f"Chalice's package lacks {'.'.join(path[: index + 1])}")
        value = value[step]
    return value


def _only(value: Json, known: set[str], what: str) -> None:
    if unknown := sorted(set(value) - known):
        raise ToolError(
            f"Chalice's package has {what} that tools/package/package_shape.py does not know: {', '.join(unknown)}. "
            "Carry them over there and in infra/modules/api, or do without"
        )
