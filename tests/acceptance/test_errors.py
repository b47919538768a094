"""What is not answered as asked is answered with a problem that says what to do."""

from collections.abc import Callable
from typing import Any

import pytest

from tools.local.acceptance.service import Answer, Service


def is_problem(answer: Answer, status: int, slug: str) -> None:
    answer.expect(status)
    assert answer.problem == slug, f"{answer}, and not the problem {slug}"
    assert answer.json["instance"] == answer.headers["X-Request-Id"], f"{answer}: `instance` is not the request's id"


@pytest.mark.parametrize(
    ("path", "status", "slug"),
    [
        ("/v1/systems?cursor=acceptance", 400, "cursor-unusable"),
        ("/v1/systems?limit=0", 422, "invalid"),
        ("/v1/systems?colour=blue", 422, "invalid"),
        ("/v1/systems/acceptance-nothing", 404, "not-found"),
        ("/v1/systems/acceptance-nothing/state", 404, "not-found"),
        ("/v1/acceptance-nothing", 404, "not-found"),
        ("/v1", 404, "not-found"),
    ],
)
def test_a_question_that_can_not_be_answered_gets_a_problem(
    service: Service, path: str, status: int, slug: str
) -> None:
    is_problem(service.get(path), status, slug)


def test_what_is_wrong_with_a_question_is_named(service: Service) -> None:
    faults = service.get("/v1/systems?limit=0&colour=blue").expect(422).json["errors"]

    assert sorted(fault["pointer"] for fault in faults) == ["#/colour", "#/limit"]


@pytest.mark.parametrize(
    ("method", "path", "allowed"), [("DELETE", "/v1/systems", "GET, POST"), ("POST", "/v1/health", "GET")]
)
def test_a_method_that_an_address_does_not_take_gets_those_that_it_does(
    service: Service, method: str, path: str, allowed: str
) -> None:
    answer = service.ask(method, path, {} if method == "POST" else None)

    is_problem(answer, 405, "method-not-allowed")
    assert answer.headers.get("Allow") == allowed, f"the header Allow is {answer.headers.get('Allow')!r}: {answer}"


def test_who_may_not_is_told_so(service: Service, may: Callable[..., bool]) -> None:
    token = service.settings.token
    if may("admin"):
        if service.settings.mint is None:
            pytest.skip("an admin may everything, and no other token can be made for this service")
        token = service.settings.mint("viewer")

    is_problem(service.ask("GET", "/v1/audit-events", authorization=f"Bearer {token}"), 403, "forbidden")


@pytest.mark.parametrize(
    ("body", "headers", "status", "slug"),
    [
        (b"", {}, 400, "malformed"),
        (b"{", {}, 400, "malformed"),
        (b'{"dry_run": true, "dry_run": true}', {}, 400, "malformed"),
        (b"[" * 5000, {}, 400, "malformed"),
        (b"{}", {"Content-Type": "text/plain"}, 415, "unsupported-media-type"),
        ({}, {}, 422, "invalid"),
        ({"colour": "blue"}, {}, 422, "invalid"),
        ({"artifact": "tree:0", "environment": "development", "dry_run": True}, {}, 422, "invalid"),
        ({"artifact": f"tree:{'0' * 40}", "environment": "nothing", "dry_run": True}, {}, 404, "not-found"),
    ],
    ids=[
        "nothing",
        "half a body",
        "a field twice",
        "brackets",
        "a body of another type",
        "fields that are missing",
        "a field that there is not",
        "a field of another form",
        "what is not there",
    ],
)
def test_a_body_that_can_not_be_taken_gets_a_problem(
    service: Service, system: str, body: Any, headers: dict[str, str], status: int, slug: str
) -> None:
    is_problem(service.ask("POST", f"{system}/promotions", body, headers), status, slug)


def test_a_second_one_of_a_name_is_refused(service: Service, system: str, may: Callable[..., bool]) -> None:
    if not may("maintainer", service.settings.system):
        pytest.skip("a maintainer's token is needed")

    answer = service.post(f"{system}/environments", {"name": "development", "rank": 9})

    is_problem(answer, 409, "already-exists")
