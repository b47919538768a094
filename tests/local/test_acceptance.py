"""`make acceptance` passes for a correct service, and names each fault. It writes only to its own system."""

import json
import time
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from chalicelib.api_description import endpoints as api_description
from chalicelib.identity import tokens
from chalicelib.rest import respond
from chalicelib.rest.problems import Problem
from tests.acceptance.test_caching import STEADY
from tests.acceptance.test_headers import OF_THE_CDN
from tests.support.acceptance import Ended, rows, stop_when
from tests.support.checkout import ROOT
from tests.support.given import Given
from tools.local import issuer, server, site

DIGEST = f"sha256:{'5b' * 32}"


def without_header(patch: pytest.MonkeyPatch) -> None:
    """Leave the header X-Content-Type-Options out of every answer."""
    send = server.RequestHandler._send

    def stripped(handler: server.RequestHandler, response: dict[str, Any]) -> None:
        headers = {name: value for name, value in response["headers"].items() if name != "X-Content-Type-Options"}
        send(handler, {**response, "headers": headers})

    patch.setattr(server.RequestHandler, "_send", stripped)


def without_checks(patch: pytest.MonkeyPatch, *names: str) -> None:
    """Disable checks of tokens.

    Replace the whole table: monkeypatch would put a deleted check back at the end, but the order of checks matters.
    """
    patch.setattr(tokens, "TRUST_CHECKS", {name: it for name, it in tokens.TRUST_CHECKS.items() if name not in names})


def without_signature(patch: pytest.MonkeyPatch) -> None:
    """Have the authorizer accept tokens without a valid signature."""
    without_checks(patch, "alg", "signature")


def for_any_audience(patch: pytest.MonkeyPatch) -> None:
    """Have the authorizer accept tokens for other audiences."""
    without_checks(patch, "aud")


def without_authorizer(patch: pytest.MonkeyPatch) -> None:
    """Treat callers that the authorizer refuses as admins."""
    authorized = server.Gateway._authorized
    claims = json.dumps({"iss": "https://issuer.localhost", "sub": "nobody", "exp": time.time() + 600, "role": "admin"})

    def open_to_all(gateway: server.Gateway, event: dict[str, Any], context: Any) -> Any:
        try:
            return authorized(gateway, event, context)
        except Problem:
            event["requestContext"]["authorizer"] = {"claims": claims}
            return event

    patch.setattr(server.Gateway, "_authorized", open_to_all)


def without_conditions(patch: pytest.MonkeyPatch) -> None:
    """Send every answer again, even if it has not changed."""
    patch.setattr(respond, "matches", lambda *tags: False)


def with_another_document(patch: pytest.MonkeyPatch) -> None:
    """Serve an OpenAPI document that differs from the committed one."""
    document = api_description._document()
    patch.setattr(api_description, "_document", lambda: {**document, "paths": {}})


def with_another_package(patch: pytest.MonkeyPatch) -> None:
    """Run another package than the one that was deployed, as after a rollback by hand."""
    patch.setenv("SLIPWAY_PACKAGE", f"sha256:{'5c' * 32}")


def without_cdn(patch: pytest.MonkeyPatch) -> None:
    """Change nothing. A run with SITE=1 must report that the service has no CDN."""


# Each fault, and the checks that must report it.
BROKEN: dict[Callable[[pytest.MonkeyPatch], None], set[str]] = {
    without_header: {"every answer has the header [X-Content-Type-Options]", "a refused token gets the same headers"},
    without_cdn: {
        *(f"the cdn sets the header [{name}]" for name in OF_THE_CDN),
        "the page is html that is never cached and its files are kept for ever",
    },
    without_signature: {
        "a forged token is refused [unsigned, with the algorithm none]",
        "a forged token is refused [without its signature]",
        "a forged token is refused [with other claims]",
        "a forged token is refused [signed with another key]",
    },
    for_any_audience: {"an unacceptable token of the issuer is refused [for another audience]"},
    without_conditions: {f"an unchanged answer is not sent again [{path}]" for path in STEADY},
    with_another_document: {"the served description is the committed one"},
    with_another_package: {"the package that runs is the one that was deployed"},
}


@pytest.mark.slow
@pytest.mark.parametrize(
    "broken",
    [
        [without_header, without_cdn],
        [without_signature],
        [for_any_audience, without_conditions, with_another_document, with_another_package],
    ],
    ids=lambda broken: ", ".join(each.__name__ for each in broken),
)
def test_each_fault_fails_its_own_checks_only(
    url: str,
    acceptance: Callable[..., Ended],
    monkeypatch: pytest.MonkeyPatch,
    broken: list[Callable[[pytest.MonkeyPatch], None]],
) -> None:
    monkeypatch.setenv("SLIPWAY_PACKAGE", DIGEST)
    for each in broken:
        each(monkeypatch)

    ended = acceptance(URL=url, SITE="1" if without_cdn in broken else "0", DIGEST=DIGEST)

    assert ended.failed == set().union(*(BROKEN[each] for each in broken)), ended.said
    assert (ended.code, ended.report["outcome"]) == (1, "failure")
    for check in ended.failed:
        assert f"- {check}: " in ended.said


@pytest.mark.slow
def test_an_authorizer_that_accepts_everybody_is_reported(
    url: str, acceptance: Callable[..., Ended], monkeypatch: pytest.MonkeyPatch
) -> None:
    without_authorizer(monkeypatch)

    ended = acceptance(URL=url)

    assert (ended.code, ended.report["outcome"]) == (1, "failure")
    [message] = [
        finding["message"]
        for finding in ended.report["failures"]
        if finding["check"] == "without a token only public operations answer"
    ]
    assert "the authorizer is missing" in message
    assert "DELETE /v1/systems/acceptance-nothing" in message


def test_production_behind_its_cdn_passes_and_keeps_one_system(
    url: str, given: Given, acceptance: Callable[..., Ended], monkeypatch: pytest.MonkeyPatch
) -> None:
    below("/production", monkeypatch)
    with_headers(OF_THE_CDN, monkeypatch)

    monkeypatch.setenv("SLIPWAY_PACKAGE", DIGEST)

    # The acceptance tests make valid and invalid tokens for a local service, so this run skips nothing.
    ended = acceptance(URL=f"{url}/production", SITE="1", DIGEST=DIGEST)

    assert ended.code == 0, ended.said
    assert ended.report["outcome"] == "success"
    assert ended.report["left_out"] == []
    assert ended.report["passed"] > 60
    assert {latency["operation"] for latency in ended.report["latencies"]} >= {"create_system", "get_me"}
    assert ended.report["started_at"] < ended.report["finished_at"]
    assert given.sql("SELECT key FROM systems") == [("acceptance",)]


def test_the_expected_headers_of_the_cdn_are_those_of_its_module() -> None:
    module = (ROOT / "infra" / "modules" / "site" / "main.tf").read_text()
    spelt = {
        "Strict-Transport-Security": "a_year_seconds = 31536000",
        "X-Content-Type-Options": "content_type_options {",
    }

    for name, value in OF_THE_CDN.items():
        assert spelt.get(name, value) in module, (
            f"infra/modules/site sets no {name} to {value!r}: set the header there, or correct OF_THE_CDN"
        )


@pytest.mark.slow
def test_a_read_only_run_writes_nothing(
    url: str, given: Given, acceptance: Callable[..., Ended], monkeypatch: pytest.MonkeyPatch
) -> None:
    with_headers(OF_THE_CDN, monkeypatch)
    given.a_system("acceptance")
    given.an_environment("development", system="acceptance")
    given.an_environment("preproduction", system="acceptance")
    before = rows(given)

    monkeypatch.setenv("SLIPWAY_PACKAGE", DIGEST)

    ended = acceptance(URL=url, SITE="1", READ_ONLY="1", DIGEST=DIGEST)

    assert ended.code == 0, ended.said
    assert rows(given) == before
    assert ended.report["read_only"]
    reasons = {finding["message"] for finding in ended.report["left_out"]}
    assert len(reasons) == 1, "READ_ONLY=1 must skip only the tests that write"


@pytest.mark.slow
def test_a_maintainers_run_skips_what_needs_an_admin_and_shows_no_token(
    url: str, given: Given, acceptance: Callable[..., Ended]
) -> None:
    given.a_system("acceptance")
    token = issuer.token("maintainer", ["acceptance"])

    ended = acceptance(URL=url, TOKEN=token)

    assert ended.code == 0, ended.said
    assert token not in ended.said + json.dumps(ended.report)
    assert given.sql("SELECT key FROM systems") == [("acceptance",)]
    assert {finding["check"] for finding in ended.report["left_out"]} >= {
        "a system is created once changed with its etag and deleted",
        "an unacceptable token of the issuer is refused [expired]",
    }


def test_a_viewer_is_told_to_set_read_only(url: str, acceptance: Callable[..., Ended]) -> None:
    ended = acceptance(URL=url, TOKEN=issuer.token("viewer"))

    assert ended.code == 2
    assert "READ_ONLY=1" in ended.said


def test_a_wrong_setting_is_explained_before_any_request(acceptance: Callable[..., Ended]) -> None:
    ended = acceptance(URL="http://service.example.org")

    assert (ended.code, ended.report) == (2, None)
    assert "https://" in ended.said
    assert "Traceback" not in ended.said


def test_an_untrusted_token_is_an_error_and_not_a_failure(url: str, acceptance: Callable[..., Ended]) -> None:
    ended = acceptance(URL=url, TOKEN="a.b.c")

    assert (ended.code, ended.report["outcome"]) == (2, "error")
    assert ended.report["error"] in ended.said
    assert "Traceback" not in ended.said


def test_a_service_that_never_becomes_ready_fails(acceptance: Callable[..., Ended]) -> None:
    ended = acceptance(URL="http://127.0.0.1:1", TOKEN="a.b.c", READY_SECONDS="0")

    assert (ended.code, ended.report["outcome"]) == (1, "failure")
    assert ended.failed == {"the service becomes ready"}


@pytest.mark.slow
def test_a_stopped_run_leaves_nothing_but_its_system(
    url: str, given: Given, acceptance: Callable[..., Ended], monkeypatch: pytest.MonkeyPatch
) -> None:
    stop_when(monkeypatch, lambda method, path: method == "PATCH" and path.startswith("/v1/systems/acceptance-"))

    ended = acceptance(URL=url)

    assert (ended.code, ended.report["outcome"]) == (130, "cancelled"), ended.said
    assert given.sql("SELECT key FROM systems") == [("acceptance",)]


def below(prefix: str, patch: pytest.MonkeyPatch) -> None:
    """Serve every path below a prefix, as API Gateway does below the stage's name."""
    handle = server.Gateway.handle_request

    def handled(gateway: server.Gateway, method: str, path: str, *rest: Any) -> Any:
        assert path.startswith(f"{prefix}/"), (
            f"the path {path} does not start with {prefix}: send the request below the prefix"
        )
        return handle(gateway, method, path.removeprefix(prefix), *rest)

    patch.setattr(server.Gateway, "handle_request", handled)


def with_headers(headers: Mapping[str, str], patch: pytest.MonkeyPatch) -> None:
    """Set headers on every answer, and serve the page's files below a digest, as CloudFront does."""
    serve, folder = site.answer, "/0123456789abcdef"

    def served(method: str, target: str, *request: Any) -> Any:
        found = serve(method, target.removeprefix(folder), *request)
        if found:
            kept = "public, max-age=31536000, immutable" if target.startswith(folder) else "no-cache"
            found["headers"] = {**found["headers"], "Cache-Control": kept}
            found["body"] = found["body"].replace(b'"./', f'"{folder}/'.encode())
        return found

    patch.setattr(site, "answer", served)
    send = server.RequestHandler._send

    def sent(handler: server.RequestHandler, response: dict[str, Any]) -> None:
        send(handler, {**response, "headers": {**response["headers"], **headers}})

    patch.setattr(server.RequestHandler, "_send", sent)
