"""An endpoint is one declared, typed function.

    @operation(blueprint, "POST /v1/systems", role=Role.admin, status=201)
    def create_system(call: Call, body: NewSystem) -> System: ...

From the declaration come authorization, decoding and validation, the transaction, Idempotency-Key,
conditional requests, encoding, problems and OpenAPI. Parameters are bound by name: those of the path, `body`
(a `Request`) and `query` (a `Query`). GET reads in autocommit; everything else is one transaction.
"""

import hashlib
import uuid
from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any, Literal, ParamSpec, TypeVar, get_args

import chalice
import msgspec
from chalice.app import Blueprint

from chalicelib.database.connection import (
    ConstraintViolated,
    Database,
    DatabaseUnavailable,
    UnusableValue,
    database,
)
from chalicelib.database.constraints import refusal
from chalicelib.identity.authorizer import authorizer
from chalicelib.identity.principal import NotAPrincipal, Principal, from_claims
from chalicelib.identity.roles import Role
from chalicelib.identity.trust import RecordKind, TrustRule, mismatches, permitting
from chalicelib.rest import admission, audit, decoding, idempotency, problems
from chalicelib.rest.paging import Keyset, link_to_next, page
from chalicelib.rest.problems import PROBLEM_TYPES, Fault, Problem, ProblemType
from chalicelib.rest.types import Page, PageQuery
from chalicelib.settings import settings
from chalicelib.telemetry import logger

P = ParamSpec("P")
R = TypeVar("R")
T = TypeVar("T")

Public = Literal["public"]
Headers = dict[str, str | list[str]]
RETRY_AFTER_SECONDS = 5

OPERATIONS: list["Operation"] = []

_CLAIMS = msgspec.json.Decoder(dict[str, Any])


class Operation(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of an endpoint.

    `existing_status`: it may answer 200 with what was there already, and to PUT with what became of that.
    `system_in_query`: the role is that for the system which the parameter `system` names; it takes an admin where that
    is left out.
    """

    name: str
    method: str
    path: str
    role: Role | Public
    status: int
    existing_status: bool
    function: Callable[..., Any]
    body: type | None
    query: type | None
    answer: Any
    problems: tuple[ProblemType, ...]
    documentation: str
    system_in_query: bool

    @property
    def action(self) -> str:
        """What the audit trail calls it: `deployment.open` for `open_deployment`."""
        verb, _, noun = self.name.partition("_")
        return f"{noun}.{verb}"

    @property
    def writes(self) -> bool:
        return self.method != "GET"

    @property
    def takes_idempotency_key(self) -> bool:
        """A key is its principal's, so that nobody reads the answer that another was given."""
        return self.method == "POST" and self.role != "public"

    @property
    def conditional(self) -> bool:
        """PATCH and DELETE need If-Match: nobody changes what they have not seen."""
        return self.method in ("PATCH", "DELETE")


class Call:
    """One request to an operation: who asks, the database, and what its answer carries. `path` has its parameters."""

    def __init__(self, operation: Operation, request: chalice.app.Request, path: dict[str, str]) -> None:
        self.operation = operation
        self.request = request
        self.path = path
        self.id = str(request.context.get("requestId") or uuid.uuid4())
        self.db: Database = database()
        self.status = operation.status
        self.headers: Headers = {}
        self._principal: Principal | None = None
        self._admission: admission.Admission | None = None

    @property
    def principal(self) -> Principal:
        """Who asks; only for operations that are not public."""
        assert self._principal is not None
        return self._principal

    @property
    def is_somebodys(self) -> bool:
        """Whether it is known who asks, to whom something was granted."""
        return self._principal is not None and self._principal.is_known

    @property
    def address(self) -> str:
        """The concrete path of this request, whatever the stage's prefix."""
        return self.operation.path.format_map(self.path)

    def authenticate(self) -> None:
        claims = (self.request.context.get("authorizer") or {}).get("claims")
        if not claims:
            raise _unauthenticated("the request carries no verified token")
        try:
            self._principal = from_claims(_CLAIMS.decode(claims), settings().issuers)
        except (NotAPrincipal, msgspec.DecodeError) as error:
            raise Problem(problems.forbidden, f"The token stands for nobody known here: {error}") from None
        if self._principal.has_expired:
            raise _unauthenticated("the token has expired")

    def admit(self) -> admission.Admission:
        """Learn, once, what has to be known of the principal and its Idempotency-Key before anything else."""
        if self._admission is None:
            key = idempotency.key_of(self) if self.operation.takes_idempotency_key else None
            self._admission = admission.ask(self, key)
            if self.principal.pipeline is not None:
                self._principal = self.principal.with_publishers(self._admission.publishers)
        return self._admission

    def require(self, role: Role, system: str | None = None) -> None:
        """Refuse principals whose role, for `system` if one is named, is lower than `role`."""
        if self.principal.pipeline is not None:
            self.admit()
        theirs = self.principal.role_in(system)
        if theirs < role:
            where = f" of {system!r}" if system else ""
            raise Problem(
                problems.forbidden,
                f"{self.principal.subject} is {theirs.name}{where}; this takes {role.name}{self._why(system)}",
            )

    def require_publisher(self, system: str, kind: RecordKind, environment: str) -> list[TrustRule]:
        """Refuse pipelines that no publisher lets write such records for the environment; those that do, else.

        Other principals need no publisher, and have none.
        """
        pipeline = self.principal.pipeline
        if pipeline is None:
            return []
        ours = [each for each in self.principal.publishers if each.system == system]
        permits = list(permitting(ours, pipeline, kind, environment))
        if not permits:
            raise Problem(
                problems.forbidden,
                f"No publisher of {system} lets {pipeline.workflow_ref} write {kind} for {environment} "
                f"(this run is of the GitHub environment {pipeline.environment!r})",
            )
        return permits

    def _why(self, system: str | None) -> str:
        """Which claims keep a pipeline from being what the publishers of its own repository trust."""
        pipeline = self.principal.pipeline
        if pipeline is None or self._admission is None:
            return ""
        wrong = [
            f"; publisher {each.id} of {each.system} wants another {', '.join(mismatches(each, pipeline))}"
            for each in self._admission.publishers
            if system in (None, each.system) and each not in self.principal.publishers
        ]
        return "".join(wrong) or "; no publisher is for its repository"

    def require_unchanged(self, current: Any) -> None:
        """Refuse unless If-Match names the current representation of what is about to change."""
        if not matches(self.request.headers["if-match"], etag(encode(current)), weakly=False):
            raise Problem(problems.precondition_failed, "The resource is no longer what If-Match names")

    def created(self, address: str, answer: T) -> T:
        """Answer with what was created, and where it is."""
        self.headers["Location"] = address
        return answer

    def existing(self, answer: T) -> T:
        """Answer 200 with what is there already: this request created nothing."""
        assert self.operation.existing_status
        self.status = 200
        return answer

    def page(self, query: PageQuery, keyset: Keyset, rows: Callable[..., list[T]]) -> Page[T]:
        """One page of a list in keyset order, with its `Link` to the next.

        `rows` is called with `limit` (one more than the page has) and `after` (the keys of the last row seen, or None).
        """
        result = page(self.address, query, keyset, rows)
        if result.next is not None:
            self.headers["Link"] = link_to_next(query, result.next)
        return result

    def record(
        self,
        resource: str,
        *,
        action: str | None = None,
        system: str | None = None,
        before: Any = None,
        after: Any = None,
    ) -> None:
        """Leave an audit event, in the same transaction as what it tells of: of a change, the fields that changed.

        The action is the operation's, unless it is another's that happened on the way.
        """
        audit.record(self, action or self.operation.action, resource, system=system, before=before, after=after)


def operation(
    blueprint: Blueprint,
    route: str,
    *,
    role: Role | Public,
    status: int = 200,
    existing_status: bool = False,
    system_in_query: bool = False,
    raises: Sequence[ProblemType] = (),
) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Declare an endpoint. `route` is method and path; `raises` names the problems that are its own."""
    method, path = route.split(" ")

    def declare(function: Callable[P, R]) -> Callable[P, R]:
        types = function.__annotations__
        declared = Operation(
            name=function.__name__,
            method=method,
            path=path,
            role=role,
            status=status,
            existing_status=existing_status,
            function=function,
            body=types.get("body"),
            query=types.get("query"),
            answer=_without_problem(types["return"]),
            problems=tuple(raises),
            documentation=function.__doc__ or "",
            system_in_query=system_in_query,
        )
        OPERATIONS.append(declared)

        @wraps(function)
        def view(**path_parameters: str) -> chalice.app.Response:
            return respond(declared, blueprint.current_request, path_parameters)

        blueprint.route(
            path,
            methods=[method],
            authorizer=None if role == "public" else authorizer,
            content_types=[],  # checked below, so that the refusal is a problem too
        )(view)
        return function

    return declare


def _without_problem(returned: Any) -> Any:
    """The type of the answer, of a function that may also return a problem."""
    alternatives = get_args(returned)
    return next(each for each in alternatives if each is not Problem) if Problem in alternatives else returned


def respond(operation: Operation, request: chalice.app.Request, sent: dict[str, str]) -> chalice.app.Response:
    """Answer a request to an operation, whatever happens, in the form that the API promises.

    `sent` are the path parameters as API Gateway hands them over. This is the only place that decodes them.
    """
    call = Call(operation, request, decoding.path(sent))
    try:
        return _answer(call)
    except Exception as error:
        problem = _as_problem(error, call)
        audit.record_refusal(call, problem)
        return problem_response(problem, call.id)
    finally:
        call.db.close()


def problem_response(problem: Problem, request_id: str) -> chalice.app.Response:
    """A problem as an HTTP response."""
    return chalice.app.Response(
        encode(problem.document(request_id)).decode(),
        headers={
            "Content-Type": "application/problem+json",
            "X-Request-Id": request_id,
            "Cache-Control": "no-store",
            "X-Content-Type-Options": "nosniff",
            **problem.headers,
        },
        status_code=problem.type.status,
    )


def encode(answer: Any) -> bytes:
    return msgspec.json.encode(answer)


def etag(body: bytes) -> str:
    """The strong validator of a representation: its digest. Processors have instructions for SHA-256."""
    return f'"{hashlib.sha256(body).hexdigest()[:24]}"'


def matches(header: str, current: str, *, weakly: bool) -> bool:
    """Whether a list of ETags, or `*`, names the current one (RFC 9110, section 8.8.3.2)."""
    named = [tag.strip() for tag in header.split(",")]
    if weakly:
        named = [tag.removeprefix("W/") for tag in named]
    return header.strip() == "*" or current in named


def _answer(call: Call) -> chalice.app.Response:
    if call.operation.role != "public":
        call.authenticate()
    if call.operation.writes:
        return _write(call)
    return _respond(call, encode(call.operation.function(call, **_arguments(call))))


def _arguments(call: Call) -> dict[str, Any]:
    """What the operation's function is called with, once the principal may ask for it."""
    operation, request = call.operation, call.request
    if operation.role != "public":
        of_system = request.query_params if operation.system_in_query else call.path
        call.require(operation.role, (of_system or {}).get("system"))
    if not all(map(decoding.is_text, call.path.values())):
        raise Problem(problems.not_found, "Nothing can have this address")
    arguments: dict[str, Any] = dict(call.path)
    query = decoding.query(operation.query, request.query_params)
    if operation.query:
        arguments["query"] = query
    if operation.body:
        arguments["body"] = decoding.body(operation.body, request)
    if operation.conditional and request.headers.get("if-match") is None:
        raise Problem(problems.precondition_required, "The header If-Match is missing")
    return arguments


def _write(call: Call) -> chalice.app.Response:
    # Nothing is sent before the first statement: what is refused without one costs no transaction.
    with call.db.transaction():
        arguments = _arguments(call)
        key = idempotency.key_of(call) if call.operation.takes_idempotency_key else None
        digest = idempotency.digest(arguments.get("body")) if key else ""
        if key and (stored := call.admit().stored):
            return idempotency.answer(call, stored, digest)
        answer = call.operation.function(call, **arguments)
        if not isinstance(answer, Problem):
            response = _respond(call, encode(answer))
            if key:
                idempotency.store(call, key, digest, response)
    if isinstance(answer, Problem):
        raise answer  # what was written is committed
    return response


def _respond(call: Call, body: bytes) -> chalice.app.Response:
    headers: Headers = {
        "Content-Type": "application/json",
        "X-Request-Id": call.id,
        "Cache-Control": "no-store" if call.operation.writes else "private, no-cache",
        "X-Content-Type-Options": "nosniff",
        **call.headers,
    }
    if call.operation.answer is None:
        del headers["Content-Type"]
        return chalice.app.Response("", headers=headers, status_code=204)
    tag = etag(body)
    headers["ETag"] = tag
    if not call.operation.writes and matches(call.request.headers.get("if-none-match") or "", tag, weakly=True):
        del headers["Content-Type"]
        return chalice.app.Response("", headers=headers, status_code=304)
    return chalice.app.Response(body.decode(), headers=headers, status_code=call.status)


def _as_problem(error: Exception, call: Call) -> Problem:
    match error:
        case Problem():
            return error
        case ConstraintViolated():
            if (known := refusal(error.name)) is not None:
                faults = [Fault(known.pointer, known.detail)] if known.pointer else []
                return Problem(PROBLEM_TYPES[known.problem], known.detail, errors=faults)
        case UnusableValue():
            # PostgreSQL's own words quote the statement: they are for the log alone.
            logger.warning("unusable value", extra={"request_id": call.id, "reason": str(error)})
            fault = Fault("#", "a value is one that can't be stored")
            return Problem(problems.invalid, f"{fault.pointer}: {fault.detail}", errors=[fault])
        case DatabaseUnavailable():
            logger.error("database unavailable", extra={"request_id": call.id, "reason": str(error)})
            return Problem(
                problems.unavailable,
                "The database can't be reached, or is too busy",
                headers={"Retry-After": str(RETRY_AFTER_SECONDS)},
            )
    logger.error(
        "unexpected exception",
        exc_info=error,
        extra={"request_id": call.id, "operation": call.operation.name},
    )
    return Problem(problems.internal_error, "An unexpected error; it was logged with this request's id")


def _unauthenticated(detail: str) -> Problem:
    return Problem(
        problems.unauthenticated, detail.capitalize(), headers={"WWW-Authenticate": 'Bearer realm="slipway"'}
    )
