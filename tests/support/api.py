"""Call the API without the network: requests become the events that API Gateway sends."""

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import parse_qs, urlsplit

from chalice import Chalice
from chalice.local import LocalChalice

import app as application
from tests.support.claims import ISSUER, PEOPLE, RUN
from tests.support.contract import Contract
from tools.local.gateway_event import Routes, gateway_event

# Use Chalice's class that keeps one current request for each thread, because tests send several requests at a time.
application.app.__class__ = LocalChalice

ROUTES = Routes(application.app.routes)


@dataclass
class Answer:
    """An answer of the API. `json` is the parsed body."""

    status: int
    headers: Mapping[str, str]
    body: str | bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def problem(self) -> str:
        """Return the slug of the problem in the answer."""
        assert self.headers["Content-Type"] == "application/problem+json", self
        return str(self.json["type"]).removeprefix("/problems/")

    def __getitem__(self, name: str) -> Any:
        return self.json[name]


@dataclass(frozen=True)
class Api:
    """A caller of the API.

    `api.as_("pipeline")` returns a caller with that role. `api.as_(None)` returns a caller without a token.
    """

    contract: Contract
    claims: Mapping[str, Any] | None = None
    system: str = "azul"
    app: Chalice = application.app
    routes: Routes = ROUTES

    def as_(self, role: str | None, *, of: str | None = None, **claims: Any) -> "Api":
        """Return a caller with a role, or a caller without a token if `role` is None.

        A pipeline or maintainer acts for the system `of`, by default for the system of this caller.
        """
        system = of or self.system
        if role is None:
            return replace(self, claims=None)
        made = {
            "iss": ISSUER,
            "sub": f"{role}@local",
            "exp": time.time() + 600,
            "role": role,
            "systems": [system] if role in ("pipeline", "maintainer") else [],
            **claims,
        }
        return replace(self, claims=made)

    def as_run(self, **claims: Any) -> "Api":
        """Return a run of GitHub Actions as a caller. `claims` adds or replaces claims; None leaves a claim out."""
        made = {**RUN, "exp": time.time() + 600, **claims}
        return replace(self, claims={name: value for name, value in made.items() if value is not None})

    def as_member(self, *groups: str, **claims: Any) -> "Api":
        """Return a person in these groups as a caller."""
        made = {
            "iss": PEOPLE,
            "sub": "5ad4",
            "client_id": "service",
            "exp": time.time() + 600,
            "cognito:groups": list(groups),
        }
        return replace(self, claims={**made, **claims})

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
        """Send a request; return the answer. Check the answer, and an accepted request, against the OpenAPI document.

        Header names are written as Python names: `if_match`. A body that is bytes or text is sent unchanged. Any other
        body is sent as JSON. `event` replaces members of the event that the function gets.
        """
        sent = {name.replace("_", "-"): value for name, value in (headers or {}).items()}
        if body is not None:
            sent.setdefault("content-type", "application/json")
        raw = body if isinstance(body, str | bytes | None) else json.dumps(body)
        made = gateway_event(self.routes, method, path, sent.items(), raw, claims=self.claims)
        response = self.app({**made, **(event or {})}, None)
        response_headers = {**response["headers"], **response.get("multiValueHeaders", {})}
        answer = Answer(response["statusCode"], response_headers, response["body"])
        self.contract.check_answer(method, urlsplit(path).path, answer.status, answer.headers, answer.body)
        if answer.status < 300:
            self.contract.check_request(method, urlsplit(path).path, parse_qs(urlsplit(path).query), raw)
        return answer
