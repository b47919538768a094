"""The fuzz tests find faults that this module puts into the service."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from chalice.app import Response

from chalicelib.rest import decoding, problems, respond
from chalicelib.rest.call import Call
from chalicelib.rest.operation import OPERATIONS
from chalicelib.rest.problems import Problem, invalid_field
from tests.support.api import application
from tools.checks.fuzz_run import fuzz
from tools.local import server
from tools.local.issuer import local_issuer

Answering = Callable[[Call], Response]
Fault = Callable[[Call, Answering], Response]

ADMIN = {"iss": local_issuer().issuer, "sub": "admin", "exp": 2**33, "role": "admin"}


def an_undeclared_status(call: Call, answer: Answering) -> Response:
    response = answer(call)
    response.status_code = 202
    return response


def a_member_of_another_type(call: Call, answer: Answering) -> Response:
    response = answer(call)
    response.body = json.dumps({**json.loads(response.body), "next": 7}) if response.status_code == 200 else ""
    return response


def a_header_that_is_missing(call: Call, answer: Answering) -> Response:
    response = answer(call)
    del response.headers["ETag"]
    return response


def another_content_type(call: Call, answer: Answering) -> Response:
    response = answer(call)
    response.headers["Content-Type"] = "text/plain"
    return response


def an_exception_for_some_input(call: Call, answer: Answering) -> Response:
    if "limit" in (call.request.query_params or {}):
        raise ZeroDivisionError
    return answer(call)


def no_need_of_a_token(call: Call, answer: Answering) -> Response:
    call.request.context["authorizer"] = {"claims": json.dumps(ADMIN)}
    return answer(call)


def whatever_is_asked_for(call: Call, answer: Answering) -> Response:
    try:
        return answer(call)
    except Problem as problem:
        if problem.type is not problems.invalid:
            raise
        call.request.query_params = None
        return answer(call)


def a_precondition_that_is_forgotten(call: Call, answer: Answering) -> Response:
    call.request.headers = {**call.request.headers, "if-match": call.request.headers.get("if-match", "*")}
    call.request.to_original_event()["multiValueHeaders"] = None  # only `headers` counts then
    return answer(call)


def a_refusal_without_a_reason(call: Call, answer: Answering) -> Response:
    decoding.body(call.operation.body, call.request)
    raise invalid_field("#/workflow", "is not allowed")


def a_status_that_no_valid_request_should_get(call: Call, answer: Answering) -> Response:
    raise Problem(problems.unsupported_media_type, "The body is no JSON: send JSON.")


def a_deletion_that_deletes_nothing(call: Call, answer: Answering) -> Response:
    return Response("", status_code=204, headers={"X-Request-Id": call.id, "Cache-Control": "no-store"})


# The fault of each operation, and the failure that the fuzz tests must report.
FAULTS: dict[str, tuple[Fault, str]] = {
    "get_system": (an_undeclared_status, "UndefinedStatusCode"),
    "list_systems": (a_member_of_another_type, "JsonSchemaError"),
    "get_environment": (a_header_that_is_missing, "MissingHeaders"),
    "get_publisher": (another_content_type, "UndefinedContentType"),
    "list_environments": (an_exception_for_some_input, "ServerError"),
    "list_publishers": (no_need_of_a_token, "IgnoredAuth"),
    "list_audit_events": (whatever_is_asked_for, "AcceptedNegativeData"),
    "change_system": (a_precondition_that_is_forgotten, "MissingHeaderNotRejected"),
    "create_publisher": (a_refusal_without_a_reason, "refusal_is_explained"),
    "create_environment": (a_status_that_no_valid_request_should_get, "RejectedPositiveData"),
}


@pytest.mark.slow
def test_faults_are_found(url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    put_in(monkeypatch, {name: fault for name, (fault, _) in FAULTS.items()})
    monkeypatch.setattr(application.app.routes["/v1/systems/{system}/publishers"]["GET"], "authorizer", None)
    monkeypatch.setattr(server, "_as_response", without_the_header_allow)

    found = fuzzed(url, tmp_path, "coverage", *FAULTS)

    labels = {each.name: f"{each.method} {each.path}" for each in OPERATIONS}
    assert [name for name, (_, failure) in FAULTS.items() if labels[name] not in found.get(failure, ())] == []
    assert found.keys() >= {"UnsupportedMethodResponse", "every_operation_succeeds"}


@pytest.mark.slow
def test_a_resource_that_survives_its_deletion_is_found(
    url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    put_in(monkeypatch, {"delete_system": a_deletion_that_deletes_nothing})

    found = fuzzed(url, tmp_path, "stateful", "create_system", "get_system", "delete_system")

    assert "UseAfterFree" in found


def put_in(monkeypatch: pytest.MonkeyPatch, faults: Mapping[str, Fault]) -> None:
    """Put each fault into the operation whose name is the fault's key in `faults`."""
    answer = respond._answer

    def answer_with_faults(call: Call) -> Response:
        fault = faults.get(call.operation.name)
        return fault(call, answer) if fault else answer(call)

    monkeypatch.setattr(respond, "_answer", answer_with_faults)


def without_the_header_allow(problem: Problem, request_id: str) -> dict[str, Any]:
    problem.headers.pop("Allow", None)
    response: dict[str, Any] = respond.problem_response(problem, request_id).to_dict()
    return response


def fuzzed(url: str, folder: Path, phase: str, *names: str) -> dict[str, list[str]]:
    """Fuzz the named operations; return the failed checks, each with the operations that failed the check."""
    report = folder / "report.json"
    only = [option for name in names for option in ("--include-operation-id", name)]
    options = ("--phases", phase, "--max-examples", "10", "--generation-deterministic", "--no-color")

    code = fuzz(url, *options, *only, "--report", "json", "--report-json-path", str(report), timeout=300)

    assert code == 1
    return {
        failure["title"].split("`")[1] if failure["type"] == "CustomFailure" else failure["type"]: failure["operations"]
        for failure in json.loads(report.read_text())["failures"]
    }
