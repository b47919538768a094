"""The API as API Gateway is told of it: OpenAPI 3, made of what Chalice says of its routes (Swagger 2).

What the gateway answers by itself is as much a problem (RFC 9457) as what the functions answer. Its texts are fixed:
its own messages quote the request, in one case with the token.
"""

import json
import re
from http import HTTPStatus
from typing import Any

from chalicelib.rest import problems
from chalicelib.rest.problems import ProblemType
from tools.checkout import ToolError
from tools.package.package_shape import API, Json

PROBLEM_JSON = "application/problem+json"
METHODS = ("get", "put", "post", "delete", "options", "head", "patch")

# Not declared with the service's own: no function ever answers so.
throttled = ProblemType(
    slug="throttled", status=429, title="Too many requests", meaning="Send fewer at a time, and this one again later."
)
timed_out = ProblemType(
    slug="timed-out", status=504, title="Took too long", meaning="What was written is unknown: read, then try again."
)

RETRY_SECONDS = "5"

# What API Gateway answers by itself, by its own names ("Gateway response types for API Gateway"), and as what.
GATEWAY_RESPONSES: dict[str, tuple[ProblemType, str]] = {
    "ACCESS_DENIED": (problems.forbidden, "The authorizer does not allow this address"),
    "API_CONFIGURATION_ERROR": (problems.internal_error, "The API is not set up as it should be"),
    "AUTHORIZER_CONFIGURATION_ERROR": (problems.internal_error, "The authorizer gave no usable answer"),
    "AUTHORIZER_FAILURE": (problems.internal_error, "The authorizer gave no usable answer"),
    "BAD_REQUEST_BODY": (problems.malformed, "The body can't be read"),
    "BAD_REQUEST_PARAMETERS": (problems.malformed, "The parameters can't be read"),
    "DEFAULT_4XX": (problems.malformed, "The request can't be taken as it is"),
    "DEFAULT_5XX": (problems.internal_error, "An unexpected error"),
    # What the gateway says to an unknown path too. Signatures of AWS are none of ours: whoever sends one has no token.
    "EXPIRED_TOKEN": (problems.unauthenticated, "The header Authorization is not 'Bearer <token>'"),
    "INTEGRATION_FAILURE": (problems.unavailable, "The function gave no usable answer"),
    "INTEGRATION_TIMEOUT": (timed_out, "The function has not answered in time"),
    "INVALID_SIGNATURE": (problems.unauthenticated, "The header Authorization is not 'Bearer <token>'"),
    "MISSING_AUTHENTICATION_TOKEN": (problems.not_found, "Nothing is at this address"),
    "QUOTA_EXCEEDED": (throttled, "There are too many requests"),
    "REQUEST_TOO_LARGE": (problems.too_large, "The body has more than 10 MB"),
    "RESOURCE_NOT_FOUND": (problems.not_found, "Nothing is at this address"),
    "THROTTLED": (throttled, "There are too many requests"),
    "UNAUTHORIZED": (problems.unauthenticated, "The token is missing, or not one to trust"),
    "UNSUPPORTED_MEDIA_TYPE": (problems.unsupported_media_type, "The body is not application/json"),
    "WAF_FILTERED": (problems.forbidden, "The firewall refuses this request"),
}
_HEADERS_OF_STATUS = {
    401: {"WWW-Authenticate": "Bearer"},
    429: {"Retry-After": RETRY_SECONDS},
    503: {"Retry-After": RETRY_SECONDS},
}
# Of every problem, as the service's own have them.
_HEADERS = {"Content-Type": PROBLEM_JSON, "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}

# A mock integration answers a body of a type that has no template with 415. These are what browsers and clients send.
_BODY_TYPES = (
    "application/json",
    "application/octet-stream",
    "application/x-www-form-urlencoded",
    "multipart/form-data",
    "text/plain",
)
_SECTIONS = {
    "swagger",
    "info",
    "schemes",
    "paths",
    "definitions",
    "x-amazon-apigateway-binary-media-types",
    "securityDefinitions",
}
_OPERATION = {
    "consumes",
    "produces",
    "responses",
    "x-amazon-apigateway-integration",
    "summary",
    "description",
    "security",
    "parameters",
}
_INVOKE_ARN = re.compile(r"\$\{aws_lambda_function\.([\w-]+)\.invoke_arn\}")


def document(swagger: Json) -> Json:
    """The OpenAPI document, an object of Terraform's: what has to be known of other resources it refers to."""
    if swagger.get("swagger") != "2.0":
        raise ToolError(f"Chalice describes the API in Swagger {swagger.get('swagger')}, not in 2.0")
    _only(swagger, _SECTIONS, "the API's description")
    paths = {path: _path(path, methods) for path, methods in swagger["paths"].items()}
    # The gateway would answer 403 to a path that is not there.
    nothing = _refusing(problems.not_found, "Nothing is at this address")
    paths.setdefault("/", {"x-amazon-apigateway-any-method": nothing})
    proxy = {"name": "proxy", "in": "path", "required": True, "schema": {"type": "string"}}
    paths.setdefault("/{proxy+}", {"x-amazon-apigateway-any-method": {**nothing, "parameters": [proxy]}})
    return {
        # With the dialect of 3.0: API Gateway reads no 3.1, and an emulator no Swagger 2.
        "openapi": "3.0.1",
        "info": _literal(swagger["info"]),
        "paths": paths,
        "components": {
            "securitySchemes": {
                name: _authorizer(name, scheme) for name, scheme in swagger.get("securityDefinitions", {}).items()
            }
        },
        "x-amazon-apigateway-gateway-responses": {
            name: _gateway_response(type_, detail) for name, (type_, detail) in GATEWAY_RESPONSES.items()
        },
    }


def problem(type_: ProblemType, detail: str) -> str:
    """A problem document as a template of the gateway's, which fills in the request's id."""
    return json.dumps(
        {
            "type": type_.uri,
            "title": type_.title,
            "status": type_.status,
            "detail": detail,
            "instance": "$context.requestId",
        }
    )


def _path(path: str, methods: Json) -> Json:
    _only(methods, set(METHODS), f"the methods of {path}")
    made = {method: _operation(f"{method} {path}", operation) for method, operation in methods.items()}
    allowed = ", ".join(sorted(method.upper() for method in methods))
    refusing = _refusing(problems.method_not_allowed, f"This address takes {allowed}", Allow=allowed)
    if "parameters" in (first := next(iter(made.values()))):
        refusing["parameters"] = first["parameters"]
    # The gateway would answer 403 to a method that is not there.
    made["x-amazon-apigateway-any-method"] = refusing
    return made


def _operation(name: str, operation: Json) -> Json:
    _only(operation, _OPERATION, name)
    integration = operation["x-amazon-apigateway-integration"]
    if integration.get("type") != "aws_proxy":
        raise ToolError(f"The integration of {name} is of type {integration.get('type')}, not aws_proxy")
    if _function(integration.get("uri", ""), name) != "api_handler":
        raise ToolError(f"The integration of {name} is not the function of the routes: {integration.get('uri')}")
    made: Json = {
        # What answers mean is in openapi.json. This document is the gateway's alone.
        "responses": {"200": {"description": "200 response"}},
        "x-amazon-apigateway-integration": {
            "type": "aws_proxy",
            "httpMethod": "POST",
            "uri": _invoke_arn(API),
            "passthroughBehavior": integration["passthroughBehavior"],
            "contentHandling": integration["contentHandling"],
        },
    }
    if "security" in operation:
        made["security"] = _literal(operation["security"])
    if "parameters" in operation:
        made["parameters"] = [_parameter(name, each) for each in operation["parameters"]]
    return made


def _parameter(name: str, parameter: Json) -> Json:
    if set(parameter) != {"name", "in", "required", "type"} or parameter["in"] != "path":
        raise ToolError(f"A parameter of {name} is not one of the path, with a type: {parameter}")
    described = {key: value for key, value in parameter.items() if key != "type"}
    made: Json = _literal({**described, "schema": {"type": parameter["type"]}})
    return made


def _authorizer(name: str, scheme: Json) -> Json:
    known = {"in": "header", "type": "apiKey", "name": "Authorization", "x-amazon-apigateway-authtype": "custom"}
    authorizer = scheme.get("x-amazon-apigateway-authorizer", {})
    rest = {key: value for key, value in scheme.items() if key != "x-amazon-apigateway-authorizer"}
    if rest != known or authorizer.get("type") != "token":
        raise ToolError(f"The authorizer {name} is not a function that takes the header Authorization: {scheme}")
    # Without a lifetime of its own, API Gateway would keep answers for 300 s: that has to be said, not to happen.
    _only(authorizer, {"type", "authorizerUri", "authorizerResultTtlInSeconds"}, f"the authorizer {name}")
    if "authorizerResultTtlInSeconds" not in authorizer:
        raise ToolError(f"The authorizer {name} does not say how long its answers are kept: name ttl_seconds")
    return {
        **known,
        "x-amazon-apigateway-authorizer": {
            "type": "token",
            "authorizerUri": _invoke_arn(_function(authorizer.get("authorizerUri", ""), name)),
            "authorizerResultTtlInSeconds": authorizer["authorizerResultTtlInSeconds"],
        },
    }


def _function(uri: str, name: str) -> str:
    found = _INVOKE_ARN.fullmatch(uri)
    if found is None:
        raise ToolError(f"{name} does not lead to a function: {uri!r}")
    return found[1]


def _invoke_arn(function: str) -> str:
    # The alias, which the deployment moves, and not the function, which changes at once.
    return f'${{aws_lambda_alias.live["{function}"].invoke_arn}}'


def _refusing(type_: ProblemType, detail: str, **headers: str) -> Json:
    """An operation that the gateway answers with a problem, without asking a function."""
    status = str(type_.status)
    values = {name: f"'{value}'" for name, value in {**_HEADERS, **headers}.items()}
    values["X-Request-Id"] = "context.requestId"
    return {
        "responses": {
            status: {
                "description": HTTPStatus(type_.status).phrase,
                "headers": {name: {"schema": {"type": "string"}} for name in values},
            }
        },
        "x-amazon-apigateway-integration": {
            "type": "mock",
            "passthroughBehavior": "never",
            "requestTemplates": {each: json.dumps({"statusCode": type_.status}) for each in _BODY_TYPES},
            "responses": {
                "default": {
                    "statusCode": status,
                    "responseParameters": {f"method.response.header.{name}": value for name, value in values.items()},
                    "responseTemplates": {PROBLEM_JSON: problem(type_, detail)},
                }
            },
        },
    }


def _gateway_response(type_: ProblemType, detail: str) -> Json:
    headers = {**_HEADERS, **_HEADERS_OF_STATUS.get(type_.status, {})}
    values = {f"gatewayresponse.header.{name}": f"'{value}'" for name, value in headers.items()}
    values["gatewayresponse.header.X-Request-Id"] = "context.requestId"
    return {
        "statusCode": type_.status,
        "responseParameters": values,
        "responseTemplates": {"application/json": problem(type_, detail)},
    }


def _literal(value: Any) -> Any:
    """A value with nothing in it that Terraform would take for a template."""
    if isinstance(value, str):
        return value.replace("${", "$${").replace("%{", "%%{")
    if isinstance(value, dict):
        return {key: _literal(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_literal(each) for each in value]
    return value


def _only(value: Json, known: set[str], what: str) -> None:
    if unknown := sorted(set(value) - known):
        raise ToolError(f"Of {what}, tools/package/api_body.py does not know {', '.join(unknown)}")
