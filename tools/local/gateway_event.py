"""Make the event with which API Gateway's REST proxy integration calls the function.

Everything that stands in for API Gateway uses this module: the local server, the tests, the bench. As on AWS, path
parameters stay as they were sent, query parameters are decoded, and missing parameters are null.
"""

import base64
import json
import time
import uuid
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import parse_qs

Event = dict[str, Any]

_IDENTITY = (
    "accessKey",
    "accountId",
    "caller",
    "cognitoAuthenticationProvider",
    "cognitoAuthenticationType",
    "cognitoIdentityId",
    "cognitoIdentityPoolId",
    "principalOrgId",
    "user",
    "userArn",
)


class NoRoute(Exception):
    """No route has this address."""


class Routes:
    """The routes of an API, by their templates such as `/v1/systems/{system}`."""

    def __init__(self, templates: Iterable[str]) -> None:
        self._templates = [(each, each.split("/")) for each in sorted(templates, key=_literals_first)]

    def match(self, path: str) -> tuple[str, dict[str, str]]:
        """Return the template that matches a path, and the path parameters as they were sent, or raise NoRoute."""
        segments = (path if path == "/" else path.removesuffix("/")).split("/")
        for template, names in self._templates:
            if len(names) == len(segments) and all(map(_fits, names, segments)):
                pairs = zip(names, segments, strict=True)
                return template, {name[1:-1]: segment for name, segment in pairs if _is_parameter(name)}
        raise NoRoute(path)


def gateway_event(
    routes: Routes,
    method: str,
    target: str,
    headers: Iterable[tuple[str, str]] = (),
    body: bytes | str | None = None,
    *,
    claims: Mapping[str, Any] | None = None,
    request_id: str | None = None,
    stage: str = "local",
) -> Event:
    """Return the event for a request, or raise NoRoute. `target` is its path with the query.

    `claims` are the token's claims that the authorizer found. Without claims, the event has no authorizer.
    """
    headers = list(headers)
    path, _, query = target.partition("?")
    template, parameters = routes.match(path)
    all_headers: dict[str, list[str]] = {}
    for name, value in headers:
        all_headers.setdefault(name, []).append(value)
    last_headers = {name: values[-1] for name, values in all_headers.items()}
    all_queried = parse_qs(query, keep_blank_values=True)
    text, is_base64 = _as_text(body)
    now = time.time()
    context: dict[str, Any] = {
        "accountId": "123456789012",
        "apiId": "k3l9a7x2q1",
        "domainName": "k3l9a7x2q1.execute-api.eu-central-1.amazonaws.com",
        "domainPrefix": "k3l9a7x2q1",
        "extendedRequestId": "R4nd0mEx4mple=",
        "httpMethod": method,
        "identity": {
            **dict.fromkeys(_IDENTITY),
            "sourceIp": "127.0.0.1",
            "userAgent": next((value for name, value in headers if name.lower() == "user-agent"), None),
        },
        "path": f"/{stage}{path}",
        "protocol": "HTTP/1.1",
        "requestId": request_id or str(uuid.uuid4()),
        "requestTime": time.strftime("%d/%b/%Y:%H:%M:%S +0000", time.gmtime(now)),
        "requestTimeEpoch": int(now * 1000),
        "resourceId": "a1b2c3",
        "resourcePath": template,
        "stage": stage,
    }
    if claims is not None:
        context["authorizer"] = {"claims": json.dumps(claims), "principalId": claims["sub"]}
    return {
        "resource": template,
        "path": path,
        "httpMethod": method,
        "headers": last_headers,
        "multiValueHeaders": all_headers,
        "queryStringParameters": {name: values[-1] for name, values in all_queried.items()} or None,
        "multiValueQueryStringParameters": all_queried or None,
        "pathParameters": parameters or None,
        "stageVariables": None,
        "requestContext": context,
        "body": text,
        "isBase64Encoded": is_base64,
    }


def _literals_first(template: str) -> list[bool]:
    return [_is_parameter(name) for name in template.split("/")]


def _is_parameter(name: str) -> bool:
    return name.startswith("{")


def _fits(name: str, segment: str) -> bool:
    return segment != "" if _is_parameter(name) else name == segment


def _as_text(body: bytes | str | None) -> tuple[str | None, bool]:
    """Return the event's body, and True if it is in Base64. Only a body that is not UTF-8 becomes Base64."""
    try:
        text = body.decode() if isinstance(body, bytes) else body
    except UnicodeDecodeError as error:
        return base64.b64encode(error.object).decode(), True
    return text or None, False
