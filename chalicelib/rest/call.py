"""A call: one request to one endpoint."""

import uuid
from typing import TypeVar

import chalice

from chalicelib.database.connection import Database, database
from chalicelib.identity.principal import Principal
from chalicelib.identity.trust import TrustRule
from chalicelib.rest.declaration import Operation

T = TypeVar("T")

Headers = dict[str, str | list[str]]


class Call:
    """One request to an endpoint: its caller, the database, and what its answer carries beside the body.

    Admission sets the `principal`; public operations have none. `path` has the decoded path parameters. `publishers`
    are those of the calling pipeline's repository, whether they trust this run or not; `principal.publishers` do.
    """

    principal: Principal

    def __init__(self, operation: Operation, request: chalice.app.Request, path: dict[str, str]) -> None:
        self.operation = operation
        self.request = request
        self.path = path
        self.id = str(request.context.get("requestId") or uuid.uuid4())
        self.db: Database = database()
        self.publishers: tuple[TrustRule, ...] = ()
        self.status = operation.status
        self.headers: Headers = {}

    @property
    def has_role(self) -> bool:
        """True if the caller is known and holds at least one role."""
        return hasattr(self, "principal") and self.principal.is_known

    @property
    def address(self) -> str:
        """The path of this request, without the stage's prefix."""
        return self.operation.path.format_map(self.path)

    @property
    def if_match(self) -> str:
        """The header If-Match. Only conditional operations have it for sure."""
        return str(self.request.headers["if-match"])

    def created(self, address: str, answer: T) -> T:
        """Answer with a new resource and its address."""
        self.headers["Location"] = address
        return answer

    def existing(self, answer: T) -> T:
        """Answer 200 with a resource that was there already."""
        assert self.operation.existing_status
        self.status = 200
        return answer
