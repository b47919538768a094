"""The headers that answers must have, and the headers that they must not have."""

import re

import pytest

from tools.local.acceptance.service import Service

# Each request and the status of its answer. Different layers of the service answer, each with its own headers.
ANSWERS = {
    "GET /v1/health": 200,
    "GET /v1/openapi.json": 200,
    "GET /v1/me": 200,
    "GET /v1/systems?limit=0": 422,
    "GET /v1/systems/{system}/environments/nothing": 404,
    "GET /v1/acceptance-nothing": 404,
    "DELETE /v1/health": 405,
}

OF_THE_SERVICE = {"X-Content-Type-Options": "nosniff", "X-Request-Id": ""}

# The headers that CloudFront sets, as configured in infra/modules/site.
OF_THE_CDN = {
    "Content-Security-Policy": "default-src 'none'",
    "Strict-Transport-Security": "max-age=31536000; includeSubDomains",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "WWW-Authenticate": "Bearer",
    "X-Content-Type-Options": "nosniff",
}


@pytest.mark.parametrize(("name", "value"), OF_THE_SERVICE.items(), ids=OF_THE_SERVICE)
def test_every_answer_has_the_header(service: Service, name: str, value: str) -> None:
    for request, status in ANSWERS.items():
        method, path = request.format(system=service.settings.system).split(" ")
        answer = service.ask(method, path).expect(status)

        assert name in answer.headers, f"{answer}: the header {name} is missing: add this header"
        found = answer.headers[name]
        assert value in found, f"{answer}: the header {name} is {found!r}: send a value that contains {value!r}"


def test_a_refused_token_gets_the_same_headers(service: Service) -> None:
    for authorization in (None, "Bearer garbage"):
        answer = service.ask("GET", "/v1/me", authorization=authorization).expect(401)

        for name in ("X-Content-Type-Options", "X-Request-Id"):
            assert name in answer.headers, f"{answer}: the header {name} is missing: add this header"


def test_each_answer_has_its_own_request_id(service: Service) -> None:
    ids = [service.get("/v1/health").headers["X-Request-Id"] for _ in range(2)]

    assert ids[0] != ids[1], f"two answers have the X-Request-Id {ids[0]!r}: send each request's own id"


@pytest.mark.parametrize("name", ["Set-Cookie", "Access-Control-Allow-Origin"])
def test_no_answer_has_the_header(service: Service, name: str) -> None:
    for request in ANSWERS:
        method, path = request.format(system=service.settings.system).split(" ")
        answer = service.ask(method, path, headers={"Origin": "https://somewhere.example"})

        assert name not in answer.headers, f"{answer}: the header {name} is not allowed: remove this header"


@pytest.mark.usefixtures("behind_the_cdn")
def test_the_page_is_html_that_is_never_cached_and_its_files_are_kept_for_ever(service: Service) -> None:
    page = service.ask("GET", "/", authorization=None).expect(200)
    found = page.headers.get("Content-Type", "")
    assert found.startswith("text/html"), f"{page}: the type is {found!r}: serve index.html as text/html"
    found = page.headers.get("Cache-Control")
    assert found == "no-cache", f"{page}: the header Cache-Control is {found!r}: send 'no-cache'"
    files = re.findall(r'"(/[0-9a-f]{16}/[^"]+)"', page.body.decode())
    assert files, f"{page}: no file below a digest is named: replace `./` by the folder's name in the upload"

    for path in files:
        file = service.ask("GET", path, authorization=None).expect(200)

        found = file.headers.get("Cache-Control")
        wanted = "public, max-age=31536000, immutable"
        assert found == wanted, f"{file}: the header Cache-Control is {found!r}: send {wanted!r}"


@pytest.mark.usefixtures("behind_the_cdn")
def test_an_unknown_file_of_the_page_is_a_problem(service: Service) -> None:
    answer = service.ask("GET", "/acceptance-nothing.js", authorization=None).expect(404)

    found = answer.headers.get("Content-Type")
    assert found == "application/problem+json", f"{answer}: the type is {found!r}: answer with a problem, not S3's XML"


@pytest.mark.usefixtures("behind_the_cdn")
@pytest.mark.parametrize(("name", "value"), OF_THE_CDN.items(), ids=OF_THE_CDN)
def test_the_cdn_sets_the_header(service: Service, name: str, value: str) -> None:
    for path in ("/", "/v1/health", "/v1/systems"):
        answer = service.ask("GET", path, authorization=None)

        assert name in answer.headers, f"{answer}: the header {name} is missing: add this header"
        found = answer.headers[name]
        assert value in found, f"{answer}: the header {name} is {found!r}: send a value that contains {value!r}"
