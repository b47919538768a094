"""A plain Chalice app, whose views are written by hand only for speed.

The views get the rows that PostgreSQL gave to the service, and give the same answers, byte for byte. The views check
roles, parameters and bodies, set every header, and prepare the values of statements. They send no statement. They log
one line with the request's id and time, as every service does that somebody operates. They leave out everything that
their requests do not need. Examples are problem details, conditional requests, a check for duplicate keys, and a cursor
to the next page.
"""

import hashlib
import time
from collections.abc import Callable
from typing import Any

import msgspec
from chalice.app import Chalice, Response

from chalicelib.database.connection import Rows
from chalicelib.identity.roles import Role
from chalicelib.telemetry import logs


class Claims(msgspec.Struct):
    iss: str
    sub: str
    exp: float
    role: str
    systems: list[str] = []
    run_id: str | None = None
    run_attempt: str = "1"
    sha: str | None = None
    actor: str | None = None


class Bare:
    """The app, and what its views share. `query` takes a statement's values, and returns the statement's rows."""

    def __init__(self, query: Callable[..., Rows], issuer: str) -> None:
        self.app = Chalice(app_name="bare")
        self.app.api.binary_types = []
        self.query = query
        self._issuer = issuer

    @property
    def request(self) -> Any:
        return self.app.current_request  # in a view it is never None, but Chalice's type allows None

    def require(self, role: Role, system: str) -> Claims:
        """Return the caller's claims. Raises PermissionError if the caller lacks the role."""
        claims = msgspec.json.decode(self.request.context["authorizer"]["claims"], type=Claims)
        if claims.iss != self._issuer or claims.exp <= time.time():
            raise PermissionError
        if Role[claims.role] < role or (role > Role.viewer and system not in claims.systems):
            raise PermissionError
        return claims

    def audit(self, claims: Claims, action: str, system: str, resource: str, after: Any) -> None:
        self.query(
            system=system,
            issuer=claims.iss,
            principal=claims.sub,
            action=action,
            resource=f"{system}/{resource}",
            after=msgspec.json.encode(after).decode(),
            request_id=self.request.context["requestId"],
        )

    def _log(self, status: int) -> None:
        request = self.request
        line = {
            "level": "INFO",
            "message": "request",
            "request_id": request.context["requestId"],
            "path": request.context["resourcePath"],
            "status": status,
            "at": time.time(),
        }
        logs.sink(msgspec.json.encode(line).decode() + "\n")

    def answer(self, value: Any, status: int, **headers: str) -> Response:
        body = msgspec.json.encode(value)
        self._log(status)
        return Response(
            body.decode(),
            headers={
                "Content-Type": "application/json",
                "X-Request-Id": self.request.context["requestId"],
                "X-Content-Type-Options": "nosniff",
                "ETag": f'"{hashlib.sha256(body).hexdigest()[:24]}"',
                **headers,
            },
            status_code=status,
        )
