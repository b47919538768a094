"""Make the OpenAPI 3 document for API Gateway from Chalice's description of the routes (Swagger 2)."""

import json
import re
from http import HTTPStatus
from typing import Any

from chalicelib.rest import problems
from chalicelib.rest.problems import ProblemType
from tools.checkout import ToolError
from tools.package.package_shape import API, Json

_HERE = "tools/package/api_body.py"
PROBLEM_JSON = "application/problem+json"
METHODS = ("get", "put", "post", "delete", "options", "head", "patch")

# The service does not declare these problems, because no function answers with them.
throttled = ProblemType(
    slug="throttled", status=429, title="Too many requests", meaning="Send fewer requests, and repeat this one later."
)
timed_out = ProblemType(
    slug="timed-out",
    status=504,
    title="Took too long",
    meaning="The request may have taken effect: read the current data, then try again.",
)

RETRY_SECONDS = "5"

# For each of the gateway's own responses ("Gateway response types for API Gateway"), the problem and its detail.
# The texts are fixed. The gateway's usual messages would quote the request, and one message would quote the token.
GATEWAY_RESPONSES: dict[str, tuple[ProblemType, str]] = {
    "ACCESS_DENIED": (problems.forbidden, "The authorizer does not allow this address: use another token"),
    "API_CONFIGURATION_ERROR": (problems.internal_error, "The API is set up wrongly: report the request's id"),
    "AUTHORIZER_CONFIGURATION_ERROR": (problems.internal_error, "The authorizer gave no usable answer: try again"),
    "AUTHORIZER_FAILURE": (problems.internal_error, "The authorizer gave no usable answer: try again"),
    "BAD_REQUEST_BODY": (problems.malformed, "The body can't be read: send valid JSON"),
    "BAD_REQUEST_PARAMETERS": (problems.malformed, "The parameters can't be read: check the path and the query"),
    "DEFAULT_4XX": (problems.malformed, "The request can't be handled: check its path, headers and body"),
    "DEFAULT_5XX": (problems.internal_error, "An unexpected error occurred: try again, or report the request's id"),
    # A request with an AWS signature can get this response, even at an unknown path. The service needs a token instead.
    "EXPIRED_TOKEN": (
        problems.unauthenticated,
        "The request has no bearer token: send `Authorization: Bearer <token>`",
    ),
    "INTEGRATION_FAILURE": (problems.unavailable, "The function gave no usable answer: try again"),
    "INTEGRATION_TIMEOUT": (timed_out, "The function has not answered in time: read the current data, then try again"),
    "INVALID_SIGNATURE": (
        problems.unauthenticated,
        "The request has no bearer token: send `Authorization: Bearer <token>`",
    ),
    "MISSING_AUTHENTICATION_TOKEN": (problems.not_found, "Nothing is at this address: check its spelling"),
    "QUOTA_EXCEEDED": (throttled, "There are too many requests: try again later"),
    "REQUEST_TOO_LARGE": (problems.too_large, "The body is too large: send less"),
    "RESOURCE_NOT_FOUND": (problems.not_found, "Nothing is at this address: check its spelling"),
    "THROTTLED": (throttled, "There are too many requests: try again later"),
    "UNAUTHORIZED": (problems.unauthenticated, "The token is missing or not trusted: send a new token"),
    "UNSUPPORTED_MEDIA_TYPE": (problems.unsupported_media_type, "The body's type is wrong: send application/json"),
    "WAF_FILTERED": (problems.forbidden, "The firewall refuses this request: change its content or its address"),
}
_HEADERS_OF_STATUS = {
    401: {"WWW-Authenticate": "Bearer"},
    429: {"Retry-After": RETRY_SECONDS},
    503: {"Retry-After": RETRY_SECONDS},
}
# Every problem has these headers, as the service's own problems do.
_HEADERS = {"Content-Type": PROBLEM_JSON, "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}

# A mock integration answers 415 if a body's type has no template. Browsers and clients send these types.
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
    """Return the OpenAPI document as a Terraform object, with references to other resources, or raise ToolError."""
    if swagger.get("swagger") != "2.0":
        raise ToolError(f"Chalice wrote Swagger {swagger.get('swagger')}, not 2.0: adapt {_HERE}")
    _only(swagger, _SECTIONS, "the API's description")
    paths = {path: _path(path, methods) for path, methods in swagger["paths"].items()}
    # Without these two paths, the gateway answers 403 to an unknown path.
    nothing = _refusing(problems.not_found, "Nothing is at this address: check its spelling")
    paths.setdefault("/", {"x-amazon-apigateway-any-method": nothing})
    proxy = {"name": "proxy", "in": "path", "required": True, "schema": {"type": "string"}}
    paths.setdefault("/{proxy+}", {"x-amazon-apigateway-any-method": {**nothing, "parameters": [proxy]}})
    return {
        # Use OpenAPI 3.0: API Gateway can't read 3.1, and the emulator can't read Swagger 2.
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
    """Return a problem document (RFC 9457) as a template. The gateway fills in the request's id."""
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
    detail = f"This address allows only {allowed}: use an allowed method"
    refusing = _refusing(problems.method_not_allowed, detail, Allow=allowed)
    if "parameters" in (first := next(iter(made.values()))):
        refusing["parameters"] = first["parameters"]
    # Without this operation, the gateway answers 403 to an unknown method.
    made["x-amazon-apigateway-any-method"] = refusing
    return made


def _operation(name: str, operation: Json) -> Json:
    _only(operation, _OPERATION, name)
    integration = operation["x-amazon-apigateway-integration"]
    if integration.get("type") != "aws_proxy":
        raise ToolError(f"The integration of {name} is {integration.get('type')}, not aws_proxy: adapt {_HERE}")
    if _function(integration.get("uri", ""), name) != "api_handler":
        raise ToolError(f"The integration of {name} calls {integration.get('uri')}, not api_handler: adapt {_HERE}")
    made: Json = {
        # Only the gateway reads this document. openapi.json describes the answers.
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
        raise ToolError(f"A parameter of {name} is not a typed path parameter: {parameter}. Adapt {_HERE}")
    described = {key: value for key, value in parameter.items() if key != "type"}
    made: Json = _literal({**described, "schema": {"type": parameter["type"]}})
    return made


def _authorizer(name: str, scheme: Json) -> Json:
    known = {"in": "header", "type": "apiKey", "name": "Authorization", "x-amazon-apigateway-authtype": "custom"}
    authorizer = scheme.get("x-amazon-apigateway-authorizer", {})
    rest = {key: value for key, value in scheme.items() if key != "x-amazon-apigateway-authorizer"}
    if rest != known or authorizer.get("type") != "token":
        raise ToolError(f"The authorizer {name} does not use the header Authorization: {scheme}. Adapt {_HERE}")
    # Require a lifetime: without one, API Gateway caches answers for 300 s.
    _only(authorizer, {"type", "authorizerUri", "authorizerResultTtlInSeconds"}, f"the authorizer {name}")
    if "authorizerResultTtlInSeconds" not in authorizer:
        raise ToolError(f"The authorizer {name} does not say how long its answers are cached: set ttl_seconds")
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
        raise ToolError(f"{name} does not call a function: {uri!r}. Adapt {_HERE}")
    return found[1]


def _invoke_arn(function: str) -> str:
    # Call the alias, which only the deployment moves. The function itself changes as soon as Terraform is applied.
    return f'${{aws_lambda_alias.live["{function}"].invoke_arn}}'


def _refusing(type_: ProblemType, detail: str, **headers: str) -> Json:
    """Return an operation that the gateway itself answers, with a problem."""
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
    """Escape a value, so that Terraform finds no template in it."""
    if isinstance(value, str):
        return value.replace("${", "$${").replace("%{", "%%{")
    if isinstance(value, dict):
        return {key: _literal(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_literal(each) for each in value]
    return value


def _only(value: Json, known: set[str], what: str) -> None:
    if unknown := sorted(set(value) - known):
        raise ToolError(f"Chalice's output has {', '.join(unknown)} in {what}, which is unknown: adapt {_HERE}")
