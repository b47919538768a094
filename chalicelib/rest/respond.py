"""Turn a request into an answer: admission, decoding, the transaction, encoding, and a problem for each failure."""

from typing import Any

import chalice
import msgspec

from chalicelib.database.connection import ConstraintViolated, DatabaseUnavailable, UnusableValue
from chalicelib.rest import admission, audit, decoding, idempotency, observing, problems, rates
from chalicelib.rest.call import Call, Headers
from chalicelib.rest.conditional import etag, matches
from chalicelib.rest.constraints import problem_of
from chalicelib.rest.declaration import Operation
from chalicelib.rest.headers import join_lines
from chalicelib.rest.paging import link_to_next
from chalicelib.rest.problems import Problem
from chalicelib.rest.types import Page
from chalicelib.telemetry import logs

RETRY_AFTER_SECONDS = 5


def respond(operation: Operation, request: chalice.app.Request, sent: dict[str, str]) -> chalice.app.Response:
    """Answer a request, and log it. Every failure becomes a problem.

    `sent` has the path parameters as API Gateway sends them. Only this function decodes them.
    """
    call = Call(operation, request, decoding.path(sent))
    before = logs.about.set(call.about)
    try:
        try:
            response = _answer(call)
        except Exception as error:
            call.samples.clear()  # the transaction did not commit
            response = _refuse(call, _as_problem(call, error))
        finally:
            call.db.close()
        observing.report(call, response)
    finally:
        logs.about.reset(before)
    return response


def problem_response(problem: Problem, request_id: str) -> chalice.app.Response:
    """Encode a problem as an HTTP response."""
    return chalice.app.Response(
        msgspec.json.encode(problem.document(request_id)).decode(),
        headers={
            "Content-Type": "application/problem+json",
            "X-Request-Id": request_id,
            "Cache-Control": "no-store",
            "X-Content-Type-Options": "nosniff",
            **problem.headers,
        },
        status_code=problem.type.status,
    )


def _answer(call: Call) -> chalice.app.Response:
    operation = call.operation
    if join_lines(call.request):
        admission.require_one_token(call)
    if operation.role != "public":
        admission.authenticate(call)
    if operation.writes:
        return _write(call)
    if operation.role != "public":
        admission.read(call, key=None)
    arguments = _arguments(call)
    answer = operation.function(call, **arguments)
    return _refuse(call, answer) if isinstance(answer, Problem) else _success(call, answer, arguments.get("query"))


def _write(call: Call) -> chalice.app.Response:
    key = idempotency.key_of(call)
    # The transaction commits if the function returns, even a `Problem`, and rolls back if the function raises. BEGIN
    # travels with the first statement, so a request that is refused earlier costs no transaction.
    with call.db.transaction():
        stored = admission.read(call, key)
        arguments = _arguments(call)
        call.is_dry_run = getattr(arguments.get("body"), "dry_run", False)
        if call.is_dry_run:  # changes nothing, so a retry may get another answer
            key = stored = None
        digest = idempotency.digest(arguments.get("body")) if key else ""
        if stored:
            return idempotency.repeat(call, stored, digest)
        answer = call.operation.function(call, **arguments)
        if not isinstance(answer, Problem):
            response = _success(call, answer)
            if key:
                idempotency.store(call, key, digest, response)
            return response
    return _refuse(call, answer)


def _arguments(call: Call) -> dict[str, Any]:
    """Check the caller's role, then decode the arguments of the operation's function."""
    operation, request = call.operation, call.request
    if operation.role != "public":
        admission.require_role(call, operation.role, call.system)
    if not all(map(decoding.is_text, call.path.values())):
        raise Problem(problems.not_found, "No resource can have this address: remove NUL and incomplete characters.")
    arguments: dict[str, Any] = dict(call.path)
    query = decoding.query(operation.query, request.query_params)
    if operation.query:
        arguments["query"] = query
    if operation.body:
        arguments["body"] = decoding.body(operation.body, request)
    if operation.conditional and request.headers.get("if-match") is None:
        raise Problem(
            problems.precondition_required,
            "The header If-Match is missing. Read the resource, and send its ETag as If-Match.",
        )
    return arguments


def _success(call: Call, answer: Any, query: Any = None) -> chalice.app.Response:
    writes = call.operation.writes
    headers: Headers = {
        "Content-Type": "application/json",
        "X-Request-Id": call.id,
        "Cache-Control": "no-store" if writes else "private, no-cache",
        "X-Content-Type-Options": "nosniff",
        **call.headers,
    }
    if call.operation.answer is None:
        del headers["Content-Type"]
        return chalice.app.Response("", headers=headers, status_code=204)
    if isinstance(answer, Page) and answer.next is not None:
        headers["Link"] = link_to_next(query, answer.next)
    body = msgspec.json.encode(answer)
    tag = headers["ETag"] = etag(body)
    if not writes and matches(call.request.headers.get("if-none-match") or "", tag):
        del headers["Content-Type"]
        return chalice.app.Response("", headers=headers, status_code=304)
    return chalice.app.Response(body.decode(), headers=headers, status_code=call.status)


def _refuse(call: Call, problem: Problem) -> chalice.app.Response:
    answered = audit.record_refusal(call, problem)
    call.noted["problem"] = answered.type.slug
    return problem_response(answered, call.id)


def _as_problem(call: Call, error: Exception) -> Problem:
    match error:
        case Problem():
            return error
        case ConstraintViolated(name=rates.WITHIN_RATE):
            return rates.exceeded()
        case ConstraintViolated():
            if (problem := problem_of(error.name)) is not None:
                return problem
        case UnusableValue():
            call.noted["reason"] = logs.safe(str(error))
            return problems.invalid_field(
                "#", "the database can't hold one of the values: send a value within the bounds"
            )
        case DatabaseUnavailable():
            call.noted["reason"] = logs.safe(str(error))
            return Problem(
                problems.unavailable,
                f"The database is unreachable, too busy or not migrated. Try again in {RETRY_AFTER_SECONDS} seconds.",
                headers={"Retry-After": str(RETRY_AFTER_SECONDS)},
            )
    call.noted["exception"] = logs.failure(error)
    return Problem(problems.internal_error, "An unexpected error was logged. Report the error with this request's id.")
