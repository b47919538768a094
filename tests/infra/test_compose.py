"""Chalice's output becomes the input of infra/modules/api. An unknown part of the output stops the build."""

import copy
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from chalicelib.database.connection import REQUEST_SECONDS
from chalicelib.sweep import schedule
from tests.support.packaged import sources
from tools.checkout import ROOT, ToolError
from tools.package import api_body, compose
from tools.package.api_body import GATEWAY_RESPONSES

ANY = "x-amazon-apigateway-any-method"
INTEGRATION = "x-amazon-apigateway-integration"
LIVE_API = '${aws_lambda_alias.live["api"].invoke_arn}'

FUNCTION: dict[str, Any] = {
    "function_name": "service-production",
    "runtime": "python3.13",
    "handler": "app.app",
    "memory_size": 1024,
    "architectures": ["x86_64"],
    "tags": {},
    "timeout": 20,
    "source_code_hash": "…",
    "filename": "…",
    "environment": {"variables": {"SLIPWAY_STAGE": "production"}},
    "role": "${aws_iam_role.default-role.arn}",
}
OPERATION: dict[str, Any] = {
    "consumes": [],
    "produces": ["application/json"],
    "responses": {"200": {"description": "200 response"}},
    "summary": "Costs ${5} or %{x}",
    INTEGRATION: {
        "uri": "${aws_lambda_function.api_handler.invoke_arn}",
        "passthroughBehavior": "when_no_match",
        "httpMethod": "POST",
        "contentHandling": "CONVERT_TO_TEXT",
        "type": "aws_proxy",
        "responses": {"default": {"statusCode": "200"}},
    },
    "security": [{"authorizer": []}],
    "parameters": [{"name": "system", "in": "path", "required": True, "type": "string"}],
}
AUTHORIZER: dict[str, Any] = {
    "in": "header",
    "type": "apiKey",
    "name": "Authorization",
    "x-amazon-apigateway-authtype": "custom",
    "x-amazon-apigateway-authorizer": {
        "type": "token",
        "authorizerUri": "${aws_lambda_function.authorizer.invoke_arn}",
        "authorizerResultTtlInSeconds": 300,
    },
}
SWAGGER: dict[str, Any] = {
    "swagger": "2.0",
    "info": {"version": "1.0", "title": "service"},
    "schemes": ["https"],
    "paths": {"/v1/systems/{system}": {"get": OPERATION, "delete": OPERATION}},
    "definitions": {},
    "securityDefinitions": {"authorizer": AUTHORIZER},
}


def chalice(swagger: dict[str, Any] = SWAGGER) -> dict[str, Any]:
    """Return a minimal example of Chalice's output."""
    return copy.deepcopy(
        {
            "terraform": {"required_version": "< 1.4.0", "required_providers": {"aws": {}, "null": {}}},
            "data": {"null_data_source": {}},
            "output": {"EndpointURL": {}},
            "locals": {"chalice_api_swagger": json.dumps(swagger)},
            "resource": {
                "aws_iam_role": {"default-role": {}},
                "aws_lambda_function": {name: {**FUNCTION} for name in ("api_handler", "authorizer", "sweep")},
                "aws_lambda_permission": {
                    "sweep-event": {
                        "function_name": "…",
                        "action": "lambda:InvokeFunction",
                        "principal": "events.amazonaws.com",
                        "source_arn": "…",
                    }
                },
                "aws_cloudwatch_event_rule": {
                    "sweep-event": {"name": "sweep-event", "schedule_expression": "rate(1 hour)"}
                },
                "aws_cloudwatch_event_target": {
                    "sweep-event": {
                        "rule": "${aws_cloudwatch_event_rule.sweep-event.name}",
                        "target_id": "sweep-event",
                        "arn": "${aws_lambda_function.sweep.arn}",
                    }
                },
                "aws_api_gateway_rest_api": {
                    "rest_api": {
                        "body": "${local.chalice_api_swagger}",
                        "name": "service",
                        "binary_media_types": [],
                        "endpoint_configuration": {"types": ["REGIONAL"]},
                    }
                },
                "aws_api_gateway_deployment": {"rest_api": {"stage_name": "production", "stage_description": "…"}},
            },
        }
    )


def composed(output: dict[str, Any] | None = None) -> dict[str, Any]:
    made = compose.compose(output or chalice(), "production", b"code")
    locals_: dict[str, Any] = made["locals"]
    return locals_


def test_chalices_versions_providers_names_and_outputs_are_dropped() -> None:
    made = compose.compose(chalice(), "production", b"code")

    assert set(made) == {"//", "locals"}
    assert not any(
        word in json.dumps(made) for word in ("null_data_source", "1.4.0", "sweep-event.name", "service-prod")
    )


def test_functions_keep_chalices_settings_and_the_one_with_the_routes_is_called_api() -> None:
    expected = {
        "handler": "app.app",
        "memory_size": 1024,
        "timeout": 20,
        "environment": {"SLIPWAY_STAGE": "production"},
    }

    assert composed()["functions"] == {"api": expected, "authorizer": expected, "sweep": expected}


def test_a_schedule_leads_to_its_function() -> None:
    assert composed()["schedules"] == {
        "sweep-event": {
            "function": "sweep",
            "schedule_expression": "rate(1 hour)",
            "event_pattern": None,
            "description": None,
        }
    }


def test_the_package_is_stamped_with_its_stage_and_digest() -> None:
    stamp = composed()["package"]

    assert stamp["stage"] == "production"
    assert stamp["digest"] == "5694d08a2e53ffcae0c3103e5ad6f6076abd960eb1f8a56577040bc1028f702b"
    assert stamp["source_code_hash"] == "VpTQii5T/8rgwxA+Wtb2B2q9lg6x+KVldwQLwQKPcCs="


def test_an_operation_becomes_openapi_3_that_leads_to_the_alias() -> None:
    document = composed()["openapi"]

    assert document["openapi"] == "3.0.1"
    assert document["paths"]["/v1/systems/{system}"]["get"] == {
        "responses": {"200": {"description": "200 response"}},
        "security": [{"authorizer": []}],
        "parameters": [{"name": "system", "in": "path", "required": True, "schema": {"type": "string"}}],
        INTEGRATION: {
            "type": "aws_proxy",
            "httpMethod": "POST",
            "uri": LIVE_API,
            "passthroughBehavior": "when_no_match",
            "contentHandling": "CONVERT_TO_TEXT",
        },
    }


def test_the_authorizer_leads_to_its_alias_and_keeps_its_lifetime() -> None:
    [scheme] = composed()["openapi"]["components"]["securitySchemes"].values()

    assert scheme["x-amazon-apigateway-authorizer"] == {
        "type": "token",
        "authorizerUri": '${aws_lambda_alias.live["authorizer"].invoke_arn}',
        "authorizerResultTtlInSeconds": 300,
    }


@pytest.mark.parametrize(
    ("path", "slug", "status", "allow"),
    [
        ("/v1/systems/{system}", "method-not-allowed", "405", "'DELETE, GET'"),
        ("/{proxy+}", "not-found", "404", None),
        ("/", "not-found", "404", None),
    ],
)
def test_a_path_without_a_function_gets_a_problem(path: str, slug: str, status: str, allow: str | None) -> None:
    refusing = composed()["openapi"]["paths"][path][ANY]
    answer = refusing[INTEGRATION]["responses"]["default"]
    document = json.loads(answer["responseTemplates"]["application/problem+json"])
    headers = answer["responseParameters"]

    assert (answer["statusCode"], document["type"]) == (status, f"/problems/{slug}")
    assert document["instance"] == "$context.requestId"
    assert headers["method.response.header.Content-Type"] == "'application/problem+json'"
    assert headers["method.response.header.X-Request-Id"] == "context.requestId"
    assert headers["method.response.header.Cache-Control"] == "'no-store'"
    assert headers["method.response.header.X-Content-Type-Options"] == "'nosniff'"
    assert headers.get("method.response.header.Allow") == allow
    assert {f"method.response.header.{name}" for name in refusing["responses"][status]["headers"]} == set(headers)


@pytest.mark.parametrize("name", GATEWAY_RESPONSES)
def test_the_gateways_own_answers_are_problems(name: str) -> None:
    answer = composed()["openapi"]["x-amazon-apigateway-gateway-responses"][name]
    [template] = answer["responseTemplates"].values()
    document = json.loads(template)
    headers = answer["responseParameters"]

    assert set(document) == {"type", "title", "status", "detail", "instance"}
    assert document["status"] == answer["statusCode"]
    assert "$" not in document["detail"]  # the gateway's variables for messages quote the request
    assert headers["gatewayresponse.header.X-Request-Id"] == "context.requestId"
    assert headers["gatewayresponse.header.Cache-Control"] == "'no-store'"
    assert headers["gatewayresponse.header.X-Content-Type-Options"] == "'nosniff'"
    assert headers["gatewayresponse.header.Content-Type"] == "'application/problem+json'"
    assert ("gatewayresponse.header.Retry-After" in headers) == (answer["statusCode"] in (429, 503))
    assert ("gatewayresponse.header.WWW-Authenticate" in headers) == (answer["statusCode"] == 401)


def test_the_firewall_of_the_site_blocks_with_the_same_problems_as_the_gateway() -> None:
    firewall = re.sub(r" +", " ", (ROOT / "infra" / "modules" / "firewall" / "main.tf").read_text())

    for kind, detail in (GATEWAY_RESPONSES["WAF_FILTERED"], (api_body.throttled, "There are too many requests")):
        told = f'type = "{kind.uri}" title = "{kind.title}" status = {kind.status} detail = "{detail}'
        assert told in re.sub(r"\s+", " ", firewall)


def change(*path: str, to: Any) -> Callable[[dict[str, Any]], None]:
    def apply(output: dict[str, Any]) -> None:
        for step in path[:-1]:
            output = output[step]
        output[path[-1]] = to

    return apply


FAULTS: dict[str, Callable[[dict[str, Any]], None]] = {
    "moved": change("moved", to={}),
    "archive": change("terraform", "required_providers", "archive", to={}),
    "aws_vpc": change("data", "aws_vpc", to={}),
    "aws_sqs_queue": change("resource", "aws_sqs_queue", to={}),
    "vpc_config": change("resource", "aws_lambda_function", "sweep", "vpc_config", to={}),
    "api_handler": change("resource", "aws_lambda_function", to={"sweep": FUNCTION}),
    "'api'": change("resource", "aws_lambda_function", "api", to=FUNCTION),
    "runtime": change("resource", "aws_lambda_function", "sweep", "runtime", to="python3.9"),
    "arm64": change("resource", "aws_lambda_function", to={"api_handler": {**FUNCTION, "architectures": ["arm64"]}}),
    "EDGE": change("resource", "aws_api_gateway_rest_api", "rest_api", "endpoint_configuration", "types", to=["EDGE"]),
    "image/png": change("resource", "aws_api_gateway_rest_api", "rest_api", "binary_media_types", to=["image/png"]),
    "variables": change("resource", "aws_api_gateway_deployment", "rest_api", "variables", to={}),
    "policy": change("resource", "aws_api_gateway_rest_api", "rest_api", "policy", to=""),
    "sns.amazonaws.com": change(
        "resource", "aws_lambda_permission", "sweep-event", "principal", to="sns.amazonaws.com"
    ),
    "qualifier": change("resource", "aws_lambda_permission", "sweep-event", "qualifier", to="x"),
    "role_arn": change("resource", "aws_cloudwatch_event_rule", "sweep-event", "role_arn", to=""),
    "input": change("resource", "aws_cloudwatch_event_target", "sweep-event", "input", to=""),
    "aws_sns_topic": change(
        "resource", "aws_cloudwatch_event_target", "sweep-event", "arn", to="${aws_sns_topic.x.arn}"
    ),
    "Unpaired: ['sweep-event']": change("resource", "aws_cloudwatch_event_target", to={}),
    "rule.another": change(
        "resource", "aws_cloudwatch_event_target", "sweep-event", "rule", to="${aws_cloudwatch_event_rule.another.name}"
    ),
    "permission another": change(
        "resource",
        "aws_lambda_permission",
        to={
            "another": {
                "function_name": "",
                "action": "",
                "principal": "events.amazonaws.com",
                "source_arn": "",
            }
        },
    ),
    "another_local": change("locals", "another_local", to=""),
    "not JSON": change("locals", "chalice_api_swagger", to="{"),
}


@pytest.mark.parametrize("named", FAULTS)
def test_an_unknown_part_of_chalices_output_is_refused_by_name(named: str) -> None:
    output = chalice()
    FAULTS[named](output)

    with pytest.raises(ToolError) as refusal:
        composed(output)

    assert named in str(refusal.value)


API_FAULTS: dict[str, Callable[[dict[str, Any]], None]] = {
    "3.1": change("swagger", to="3.1"),
    "x-another": change("x-another", to=""),
    "trace": change("paths", "/v1/systems/{system}", "trace", to=OPERATION),
    "x-new": change("paths", "/v1/systems/{system}", "get", "x-new", to=""),
    "http_proxy": change("paths", "/v1/systems/{system}", "get", INTEGRATION, "type", to="http_proxy"),
    "sweep": change(
        "paths", "/v1/systems/{system}", "get", INTEGRATION, "uri", to="${aws_lambda_function.sweep.invoke_arn}"
    ),
    "query": change("paths", "/v1/systems/{system}", "get", "parameters", to=[{"name": "q", "in": "query"}]),
    "cognito": change("securityDefinitions", "authorizer", "x-amazon-apigateway-authtype", to="cognito"),
    "identityValidationExpression": change(
        "securityDefinitions",
        "authorizer",
        "x-amazon-apigateway-authorizer",
        "identityValidationExpression",
        to="",
    ),
    "ttl_seconds": change(
        "securityDefinitions",
        "authorizer",
        "x-amazon-apigateway-authorizer",
        to={"type": "token", "authorizerUri": "${aws_lambda_function.authorizer.invoke_arn}"},
    ),
}


@pytest.mark.parametrize("named", API_FAULTS)
def test_an_unknown_part_of_the_apis_description_is_refused_by_name(named: str) -> None:
    swagger = copy.deepcopy(SWAGGER)
    API_FAULTS[named](swagger)

    with pytest.raises(ToolError) as refusal:
        composed(chalice(swagger))

    assert named in str(refusal.value)


NEW = """
@app.route("/v1/new/{id}", methods=["PUT"], authorizer=identity_authorizer)
def new_route(id): ...

@app.lambda_function(name="new-function")
def new_function(event, context): ...

@app.schedule("rate(1 day)", name="new_schedule")
def new_schedule(event): ...
"""


def test_a_new_route_function_and_schedule_are_carried_over(tmp_path: Path) -> None:
    root = sources(tmp_path / "checkout")
    with (root / "app.py").open("a") as app:
        app.write("\nfrom chalicelib.identity.authorizer import authorizer as identity_authorizer\n" + NEW)

    compose.package("production", tmp_path / "module", root)

    made = json.loads((tmp_path / "module" / "generated.tf.json").read_text())["locals"]
    assert {"new-function", "new_schedule", "api", "authorizer", "migrate", "bootstrap"} <= set(made["functions"])
    assert made["schedules"]["new_schedule-event"]["function"] == "new_schedule"
    route = made["openapi"]["paths"]["/v1/new/{id}"]
    assert route["put"][INTEGRATION]["uri"] == LIVE_API
    assert route[ANY][INTEGRATION]["responses"]["default"]["statusCode"] == "405"


@pytest.mark.parametrize(
    ("stage", "rate"), [("production", "1 hour"), ("preproduction", "1 day"), ("development", "1 day")]
)
def test_the_sweep_runs_hourly_in_production_and_daily_where_the_database_may_pause(
    tmp_path: Path, stage: str, rate: str
) -> None:
    compose.package(stage, tmp_path / "module", sources(tmp_path / "checkout"))

    made = json.loads((tmp_path / "module" / "generated.tf.json").read_text())["locals"]
    assert {name: each["schedule_expression"] for name, each in made["schedules"].items()} == {
        "sweep-event": f"rate({rate})"
    }
    assert made["functions"]["sweep"]["timeout"] > schedule.SECONDS + REQUEST_SECONDS


@pytest.mark.parametrize("stage", ["local", "staging"])
def test_a_stage_that_is_not_deployed_is_not_packaged(stage: str, tmp_path: Path) -> None:
    with pytest.raises(ToolError):
        compose.package(stage, tmp_path)


def test_terraform_template_markers_are_escaped() -> None:
    swagger = {**SWAGGER, "info": {"version": "1.0", "title": "${a} %{b}"}}

    assert composed(chalice(swagger))["openapi"]["info"]["title"] == "$${a} %%{b}"


def test_an_app_that_cannot_be_imported_is_not_packaged(tmp_path: Path) -> None:
    root = sources(tmp_path / "checkout")
    (root / "app.py").write_text("import nothing_of_this_name")

    with pytest.raises(ToolError, match="nothing_of_this_name"):
        compose.package("production", tmp_path / "module", root)
