"""A request that fails gets the problem that docs/problems.md describes for the failure."""

from collections.abc import Callable
from typing import Any

import pytest

from tools.local.acceptance.service import Answer, Service


def is_problem(answer: Answer, status: int, slug: str) -> None:
    answer.expect(status)
    assert answer.problem == slug, f"{answer}: send the problem {slug!r} instead"
    assert answer.json["instance"] == answer.headers["X-Request-Id"], (
        f"{answer}: `instance` differs from the header X-Request-Id: send the header's value in `instance`"
    )


@pytest.mark.parametrize(
    ("path", "status", "slug"),
    [
        ("/v1/systems?cursor=acceptance", 400, "cursor-unusable"),
        ("/v1/systems?limit=0", 422, "invalid"),
        ("/v1/systems?colour=blue", 422, "invalid"),
        ("/v1/systems/{system}/environments/nothing", 404, "not-found"),
        ("/v1/acceptance-nothing", 404, "not-found"),
        ("/v1", 404, "not-found"),
    ],
)
def test_a_read_that_fails_gets_a_problem(service: Service, path: str, status: int, slug: str) -> None:
    is_problem(service.get(path.format(system=service.settings.system)), status, slug)


def test_every_invalid_parameter_is_named(service: Service) -> None:
    faults = service.get("/v1/systems?limit=0&colour=blue").expect(422).json["errors"]

    assert sorted(fault["pointer"] for fault in faults) == ["#/colour", "#/limit"]


@pytest.mark.parametrize(
    ("method", "path", "allowed"), [("DELETE", "/v1/systems", "GET, POST"), ("POST", "/v1/health", "GET")]
)
def test_a_wrong_method_is_answered_with_the_allowed_ones(
    service: Service, method: str, path: str, allowed: str
) -> None:
    answer = service.ask(method, path, {} if method == "POST" else None)

    is_problem(answer, 405, "method-not-allowed")
    assert answer.headers.get("Allow") == allowed, (
        f"{answer}: the header Allow is {answer.headers.get('Allow')!r}: send {allowed!r}"
    )


def test_a_caller_without_the_role_is_refused(service: Service, may: Callable[..., bool]) -> None:
    token = service.settings.token
    if may("admin"):
        if service.settings.mint is None:
            pytest.skip("an admin has every role: set TOKEN to the token of a caller without the role admin")
        token = service.settings.mint("viewer")

    is_problem(service.ask("GET", "/v1/audit-events", authorization=f"Bearer {token}"), 403, "forbidden")


# Bodies that no operation takes: the body, the headers, and the status and slug of the problem.
UNUSABLE: dict[str, tuple[Any, dict[str, str], int, str]] = {
    "an empty body": (b"", {}, 400, "malformed"),
    "half a body": (b"{", {}, 400, "malformed"),
    "a field twice": (b'{"name": "a", "name": "a"}', {}, 400, "malformed"),
    "brackets that never close": (b"[" * 5000, {}, 400, "malformed"),
    "a media type other than JSON": (b"{}", {"Content-Type": "text/plain"}, 415, "unsupported-media-type"),
    "missing fields": ({}, {}, 422, "invalid"),
    "an unknown field": ({"colour": "blue"}, {}, 422, "invalid"),
}
OF_AN_ENVIRONMENT = {"a value in the wrong form": ({"name": "Development", "rank": 9}, {}, 422, "invalid")}


@pytest.mark.parametrize(
    ("body", "headers", "status", "slug"),
    [*UNUSABLE.values(), *OF_AN_ENVIRONMENT.values()],
    ids=[*UNUSABLE, *OF_AN_ENVIRONMENT],
)
def test_an_unusable_body_gets_a_problem(
    service: Service,
    system: str,
    may: Callable[..., bool],
    body: Any,
    headers: dict[str, str],
    status: int,
    slug: str,
) -> None:
    if not may("maintainer", service.settings.system):
        pytest.skip("only a maintainer may create an environment: give a maintainer's token in TOKEN")

    is_problem(service.ask("POST", f"{system}/environments", body, headers), status, slug)


def test_a_second_environment_of_the_same_name_is_refused(
    service: Service, system: str, may: Callable[..., bool]
) -> None:
    if not may("maintainer", service.settings.system):
        pytest.skip("only a maintainer may create an environment: set TOKEN to a maintainer's token")

    answer = service.post(f"{system}/environments", {"name": "development", "rank": 9})

    is_problem(answer, 409, "already-exists")
