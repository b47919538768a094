"""A call: one request to one endpoint."""

import os
from typing import TypeVar

import chalice

from chalicelib.database.connection import Database, database
from chalicelib.identity.principal import Principal
from chalicelib.identity.trust import TrustRule
from chalicelib.rest.declaration import Operation

T = TypeVar("T")

Headers = dict[str, str | list[str]]


class Call:
    """One request to an endpoint: the caller, the database, and the status and headers of the answer.

    Admission sets the `principal`; public operations have none. `path` has the decoded path parameters. `publishers`
    has the publishers of the calling pipeline's repository, in the addressed system or, without one, a bounded number
    in all systems; `principal.publishers` has only those that trust this run.
    """

    principal: Principal

    def __init__(self, operation: Operation, request: chalice.app.Request, path: dict[str, str]) -> None:
        self.operation = operation
        self.request = request
        self.path = path
        self.id = str(request.context.get("requestId") or os.urandom(16).hex())
        self.db: Database = database()
        self.publishers: tuple[TrustRule, ...] = ()
        self.status = operation.status
        self.headers: Headers = {}
        self.is_dry_run = False
        self.is_counted = False  # True if a statement of this transaction counts the request: see `rest.rates`

    @property
    def has_role(self) -> bool:
        """True if the caller is known and holds at least one role."""
        return hasattr(self, "principal") and self.principal.is_known

    @property
    def system(self) -> str | None:
        """The key of the system that the request names, or None if it names none."""
        named = self.request.query_params if self.operation.system_in_query else self.path
        return (named or {}).get("system")

    @property
    def address(self) -> str:
        """The path of this request, without the stage's prefix."""
        return self.operation.path.format_map(self.path)

    @property
    def if_match(self) -> str:
        """The header If-Match, which requests to conditional operations always have.

        For other requests, raise KeyError.
        """
        return str(self.request.headers["if-match"])

    def created(self, address: str, answer: T) -> T:
        """Return the answer for a new resource, with the resource's address in the header Location."""
        self.headers["Location"] = address
        return answer

    def existing(self, answer: T) -> T:
        """Return the answer for a resource that existed already, with status 200."""
        assert self.operation.existing_status
        self.status = 200
        return answer
