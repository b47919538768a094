"""The API as a caller sees it, without the network: requests become the events that API Gateway sends."""

import json
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from chalice.local import LocalChalice

import app as application
from tests.support.claims import ISSUER, PEOPLE, RUN
from tests.support.contract import Contract

# On AWS a process has one request at a time. Tests have several, and Chalice's own class for them: the current
# request is one per thread.
application.app.__class__ = LocalChalice


@dataclass
class Answer:
    """What came back. `json` is the parsed body."""

    status: int
    headers: Mapping[str, str]
    body: str | bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def problem(self) -> str:
        """The slug of the problem that this answer is."""
        assert self.headers["Content-Type"] == "application/problem+json", self
        return str(self.json["type"]).removeprefix("/problems/")

    def __getitem__(self, name: str) -> Any:
        return self.json[name]


@dataclass(frozen=True)
class Api:
    """A caller of the API. `api.as_("pipeline")` is another one; without a role it sends no token."""

    contract: Contract
    claims: Mapping[str, Any] | None = None
    system: str = "azul"

    def as_(self, role: str | None, *, of: str | None = None, **claims: Any) -> "Api":
        """The same API, asked by a principal with this role for the system `of`."""
        system = of or self.system
        if role is None:
            return Api(self.contract, None, self.system)
        made = {
            "iss": ISSUER,
            "sub": f"{role}@local",
            "exp": time.time() + 600,
            "role": role,
            "systems": [system] if role in ("pipeline", "maintainer") else [],
            **claims,
        }
        return Api(self.contract, made, self.system)

    def as_run(self, **claims: Any) -> "Api":
        """The same API, asked by a run of GitHub Actions; a claim that is None is not made."""
        made = {**RUN, "exp": time.time() + 600, **claims}
        return Api(self.contract, {name: value for name, value in made.items() if value is not None}, self.system)

    def as_member(self, *groups: str, **claims: Any) -> "Api":
        """The same API, asked by a person in these groups."""
        made = {
            "iss": PEOPLE,
            "sub": "5ad4",
            "client_id": "slipway",
            "exp": time.time() + 600,
            "cognito:groups": list(groups),
        }
        return Api(self.contract, {**made, **claims}, self.system)

    def get(self, path: str, **headers: str) -> Answer:
        return self.send("GET", path, headers=headers)

    def post(self, path: str, body: Any = None, **headers: str) -> Answer:
        return self.send("POST", path, body, headers)

    def patch(self, path: str, body: Any, **headers: str) -> Answer:
        return self.send("PATCH", path, body, headers)

    def delete(self, path: str, **headers: str) -> Answer:
        return self.send("DELETE", path, headers=headers)

    def send(
        self,
        method: str,
        path: str,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
        event: Mapping[str, Any] | None = None,
    ) -> Answer:
        """Send a request; every answer is held against the OpenAPI document.

        Header names are written as Python names: `if_match`. A body that is bytes or text goes as it is. `event` has
        members that the function's event is to have instead of those made of the request.
        """
        sent = {name.replace("_", "-"): value for name, value in (headers or {}).items()}
        if body is not None:
            sent.setdefault("content-type", "application/json")
        raw = body if isinstance(body, str | bytes | None) else json.dumps(body)
        response = application.app({**self._event(method, path, raw, sent), **(event or {})}, None)
        response_headers = {**response["headers"], **response.get("multiValueHeaders", {})}
        answer = Answer(response["statusCode"], response_headers, response["body"])
        self.contract.check_answer(method, urlsplit(path).path, answer.status, answer.headers, answer.body)
        if answer.status < 300:
            self.contract.check_request(method, urlsplit(path).path, parse_qs(urlsplit(path).query), raw)
        return answer

    def _event(self, method: str, path: str, raw: Any, headers: dict[str, str]) -> dict[str, Any]:
        parts = urlsplit(path)
        template, parameters = _route(method, parts.path)
        context: dict[str, Any] = {
            "httpMethod": method,
            "resourcePath": template,
            "path": parts.path,
            "requestId": str(uuid.uuid4()),
            "identity": {"sourceIp": "127.0.0.1"},
        }
        if self.claims is not None:
            context["authorizer"] = {"claims": json.dumps(self.claims), "principalId": self.claims["sub"]}
        return {
            "requestContext": context,
            "headers": headers,
            "pathParameters": parameters,
            "multiValueQueryStringParameters": parse_qs(parts.query, keep_blank_values=True) or None,
            "stageVariables": None,
            "body": raw,
            "isBase64Encoded": False,
        }


def _route(method: str, path: str) -> tuple[str, dict[str, str]]:
    """The template that a path matches, as API Gateway finds it: literal segments before parameters."""
    segments = path.split("/")
    for template in sorted(application.app.routes, key=lambda template: template.count("{")):
        names = template.split("/")
        if len(names) == len(segments) and all(
            name.startswith("{") or name == segment for name, segment in zip(names, segments, strict=True)
        ):
            return template, {
                name[1:-1]: unquote(segment)
                for name, segment in zip(names, segments, strict=True)
                if name.startswith("{")
            }
    raise AssertionError(f"no route matches {method} {path}")
