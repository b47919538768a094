"""Read Chalice's Terraform package strictly, and refuse anything unknown, so that nothing gets lost.

This module is written for Chalice 1.34. Each error message names the unknown part and the file to adapt.
"""

import json
import re
from dataclasses import dataclass
from typing import Any

from tools.checkout import ToolError

Json = dict[str, Any]

_HERE = "tools/package/package_shape.py"

# The function that serves all routes has the first name in Chalice's package and the second name in Terraform.
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
    # Chalice's one role for all functions is not used: in roles.tf each function has its own role.
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
    """The content of Chalice's package. `functions` and `schedules` have the form of infra/modules/api's locals."""

    functions: dict[str, Json]
    schedules: dict[str, Json]
    swagger: Json
    runtime: str
    architecture: str
    minimum_compression_size: int | None


def read(chalice: Json) -> Shape:
    """Return the content of chalice.tf.json, or raise ToolError."""
    _only(chalice, _SECTIONS, "sections")
    # Ignore Chalice's versions, which exclude Terraform 1.4 and later: versions.tf has our versions. Ignore the null
    # provider, which only has a data source with the stage's name.
    _only(_member(chalice, "terraform", "required_providers"), _PROVIDERS, "providers")
    _only(_member(chalice, "data"), _DATA, "data sources")
    resources = _member(chalice, "resource")
    _only(resources, _RESOURCES, "resources")
    functions = _member(resources, "aws_lambda_function")
    if _HANDLER not in functions:
        raise ToolError(f"Chalice's package has no function {_HANDLER} for the routes: adapt {_HERE}")
    if API in functions:
        raise ToolError(f"The name {API!r} is for the function of the routes: give your function another name")
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
    # Leave out the name, because each workspace needs another name. Leave out the role, because each function has its
    # own role. Leave out the tag with Chalice's version, because requirements-dev.txt has the version.
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
        raise ToolError(
            f"The API's endpoint is {types}, but must be REGIONAL for CloudFront: change .chalice/config.json"
        )
    if binary := _member(rest_api, "binary_media_types"):
        raise ToolError(f"The API has binary media types, {binary}: set app.api.binary_types = []")
    # Our Terraform has its own deployment. Chalice's deployment would also make a stage, without our settings.
    _only(_member(resources, "aws_api_gateway_deployment", "rest_api"), _DEPLOYMENT, "arguments of the deployment")
    return rest_api


def _schedules(resources: Json) -> dict[str, Json]:
    rules: Json = resources.get("aws_cloudwatch_event_rule", {})
    targets: Json = resources.get("aws_cloudwatch_event_target", {})
    if set(rules) != set(targets):
        unpaired = sorted(set(rules) ^ set(targets))
        raise ToolError(f"A rule and its target must have the same name. Unpaired: {unpaired}. Adapt {_HERE}")
    schedules = {}
    for name, rule in rules.items():
        target = targets[name]
        _only(rule, _RULE, f"arguments of the rule {name}")
        _only(target, _TARGET, f"arguments of the target {name}")
        function = _FUNCTION_ARN.fullmatch(_member(target, "arn"))
        of_rule = _RULE_NAME.fullmatch(_member(target, "rule"))
        if function is None or of_rule is None or of_rule[1] != name:
            raise ToolError(f"The target {name} does not link its rule to a function: {target}. Adapt {_HERE}")
        schedules[name] = {
            "function": _name(function[1]),
            "description": rule.get("description"),
            "schedule_expression": rule.get("schedule_expression"),
            "event_pattern": rule.get("event_pattern"),
        }
    return schedules


def _check_permissions(resources: Json, schedules: set[str]) -> None:
    """Raise ToolError for a permission that neither gateway.tf nor schedules.tf gives."""
    for name, permission in _member(resources, "aws_lambda_permission").items():
        _only(permission, _PERMISSION, f"arguments of the permission {name}")
        principal = _member(permission, "principal")
        known = principal == "apigateway.amazonaws.com" or (principal == "events.amazonaws.com" and name in schedules)
        if not known:
            raise ToolError(
                f"The permission {name} lets {principal} invoke a function, but infra/modules/api does not: add the "
                "permission there"
            )


def _swagger(chalice: Json) -> Json:
    text = _member(chalice, "locals", "chalice_api_swagger")
    _only(chalice["locals"], {"chalice_api_swagger"}, "locals")
    try:
        swagger: Json = json.loads(text)
    except ValueError as error:
        raise ToolError(f"Chalice's Swagger document is not JSON ({error}): adapt {_HERE}") from None
    return swagger


def _name(resource: str) -> str:
    return API if resource == _HANDLER else resource


def _same(functions: Json, argument: str) -> Any:
    values = [_member(function, argument) for function in functions.values()]
    if any(value != values[0] for value in values):
        raise ToolError(f"The functions share one package: give all functions the same {argument}, not {values}")
    return values[0]


def _member(of: Json, *path: str) -> Any:
    value: Any = of
    for index, step in enumerate(path):
        if not isinstance(value, dict) or step not in value:
            raise ToolError(f"Chalice's package has no {'.'.join(path[: index + 1])}: adapt {_HERE}")
        value = value[step]
    return value


def _only(value: Json, known: set[str], what: str) -> None:
    if unknown := sorted(set(value) - known):
        raise ToolError(
            f"Chalice's package has {what} that {_HERE} does not know: {', '.join(unknown)}. "
            "Add them there and in infra/modules/api, or remove them from the app"
        )
