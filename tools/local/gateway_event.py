"""Make the event with which API Gateway's REST proxy integration calls the function.

Everything that stands in for API Gateway uses this module: the local server, the tests, the bench. It does to a request
what AWS does. These sources say what that is:

- RECORDED: events that LocalStack's developers recorded on AWS, in localstack/localstack,
  tests/aws/services/apigateway/test_apigateway_lambda.snapshot.json. hotsock/voker has more of them, in
  vokerhttp/testdata.
- NOTES: "Amazon API Gateway important notes", in the part about REST APIs.
- CONVERSIONS: "Content type conversions in API Gateway".
- QUOTAS: "Quotas for configuring and running a REST API in API Gateway".
"""

import json
import re
import time
import uuid
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import parse_qs

Event = dict[str, Any]

# The longest URL of a regional API, and the largest size of all values of headers together (QUOTAS).
MOST_CHARACTERS = 10_240
MOST_HEADER_BYTES = 10_240

_DOMAIN = "k3l9a7x2q1.execute-api.eu-central-1.amazonaws.com"
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


class UnreadableQuery(Exception):
    """The query has a character that API Gateway refuses."""


class TooLong(Exception):
    """The URL or the headers are longer than API Gateway takes; the message says which."""


class Routes:
    """The routes of an API, by their templates such as `/v1/systems/{system}`."""

    def __init__(self, templates: Iterable[str]) -> None:
        self._templates = [(each, each.split("/")) for each in sorted(templates, key=_literals_first)]

    def match(self, path: str) -> tuple[str, dict[str, str]]:
        """Return the template that matches a path, and the path parameters as they were sent, or raise NoRoute.

        A slash at the end does not matter, and path parameters stay percent-encoded (RECORDED).
        """
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
    """Return the event for a request, or raise NoRoute, UnreadableQuery or TooLong.

    `target` is the request's path with the query.

    `claims` are the token's claims that the authorizer found. Without claims, the event has no authorizer.
    """
    headers = list(headers)
    _require_short(f"https://{_DOMAIN}/{stage}{target}", headers)
    sent_path, _, query = target.partition("?")
    # Several slashes at the start count as one, except in the context's path. Others all count (RECORDED).
    path = f"/{sent_path.lstrip('/')}" if sent_path.startswith("//") else sent_path
    template, parameters = routes.match(path)
    all_headers = _headers(headers)
    last_headers = {name: values[-1] for name, values in all_headers.items()}
    all_queried = _queried(query)
    # The API has no binary media types, so a body is always text: other bytes are lost (CONVERSIONS).
    text = body.decode(errors="replace") if isinstance(body, bytes) else body
    now = time.time()
    context: dict[str, Any] = {
        "accountId": "123456789012",
        "apiId": "k3l9a7x2q1",
        "domainName": _DOMAIN,
        "domainPrefix": "k3l9a7x2q1",
        "extendedRequestId": "R4nd0mEx4mple=",
        "httpMethod": method,
        "identity": {
            **dict.fromkeys(_IDENTITY),
            "sourceIp": "127.0.0.1",
            "userAgent": last_headers.get("User-Agent"),
        },
        "path": f"/{stage}{sent_path}",
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
        "body": text or None,
        "isBase64Encoded": False,
    }


def _require_short(url: str, headers: list[tuple[str, str]]) -> None:
    if len(url) > MOST_CHARACTERS:
        raise TooLong(f"The URL has {len(url)} characters: send at most {MOST_CHARACTERS}")
    size = sum(len((value or "").encode(errors="surrogatepass")) for _, value in headers)
    if size > MOST_HEADER_BYTES:
        raise TooLong(f"The values of the headers have {size} bytes: send at most {MOST_HEADER_BYTES}")


def _headers(sent: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    """Return the headers that the function gets: most of them as they were sent (RECORDED).

    The gateway writes two names in its own way, and keeps two headers of the connection.
    """
    known: dict[str, list[str]] = {}
    for name, value in sent:
        lower = name.lower()
        if lower not in ("connection", "content-length"):
            known.setdefault(name.title() if lower in ("authorization", "user-agent") else name, []).append(value)
    return known


def _queried(query: str) -> dict[str, list[str]]:
    """Return the decoded query (RECORDED). A semicolon separates, and some characters are refused (NOTES)."""
    if refused := re.search("[|{}]", query):
        raise UnreadableQuery(refused[0])
    return parse_qs(query.replace(";", "&"), keep_blank_values=True)


def _literals_first(template: str) -> list[bool]:
    return [_is_parameter(name) for name in template.split("/")]


def _is_parameter(name: str) -> bool:
    return name.startswith("{")


def _fits(name: str, segment: str) -> bool:
    return segment != "" if _is_parameter(name) else name == segment
