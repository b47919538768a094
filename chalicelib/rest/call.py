"""A call: one request to one endpoint."""

import os
import re
import time
from typing import Any, TypeVar

import chalice

from chalicelib.database.connection import Database, database
from chalicelib.identity.principal import Principal
from chalicelib.identity.trust import TrustRule
from chalicelib.rest.declaration import Operation
from chalicelib.telemetry.metrics import Metric, Sample
from chalicelib.vocabulary import SLUG

T = TypeVar("T")

Headers = dict[str, str | list[str]]

_SLUG = re.compile(SLUG, re.ASCII)
_NUMBER = re.compile("[0-9]{1,19}")


class Call:
    """One request to an endpoint: the caller, the database, and the status and headers of the answer.

    Admission sets the `principal`; public operations have none. `path` has the decoded path parameters. `publishers`
    has the publishers of the calling pipeline's repository, in the addressed system or, without one, a bounded number
    in all systems; `principal.publishers` has only those that trust this run.
    """

    principal: Principal

    def __init__(self, operation: Operation, request: chalice.app.Request, path: dict[str, str]) -> None:
        self.started = time.perf_counter()
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
        self.samples: list[Sample] = []
        self.noted: dict[str, Any] = {}  # further fields of the request's log line

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

    def about(self) -> dict[str, Any]:
        """Return the fields of the log that say which request this is. No field has a text that the caller chose."""
        fields: dict[str, Any] = {"request_id": self.id, "operation": self.operation.name}
        if (system := self.system) is not None and _SLUG.fullmatch(system):
            fields["system"] = system
        if (id_ := self.path.get("id")) is not None and _NUMBER.fullmatch(id_):
            fields["id"] = id_
        if hasattr(self, "principal"):
            fields["principal"] = self.principal.kind
        return fields

    def count(self, metric: Metric, value: int = 1, of: str | None = None) -> None:
        """Count in a metric if this request's transaction commits. `of` is the value of the metric's own dimension."""
        if value:
            self.samples.append(Sample(metric, value, of))

    def created(self, address: str, answer: T) -> T:
        """Return the answer for a new resource, with the resource's address in the header Location."""
        self.headers["Location"] = address
        return answer

    def existing(self, answer: T) -> T:
        """Return the answer for a resource that existed already, with status 200."""
        assert self.operation.existing_status
        self.status = 200
        return answer
