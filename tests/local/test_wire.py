"""Send unusual requests to the service, over real HTTP."""

from collections import defaultdict
from collections.abc import Iterator
from urllib.parse import quote

import pytest

import app as application
from tests.support.contract import Contract
from tests.support.hostile import HOSTILE
from tests.support.postgres import Clones
from tests.support.served import Served, served

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND")
UNDECLARED = [
    pytest.param(method, path, id=f"{method} {path}")
    for path, declared in application.app.routes.items()
    for method in METHODS
    if method not in declared
]


# Path segments that name nothing.
SEGMENTS = [
    "azul%2F",
    "%2Fazul",
    "azul%2Fenvironments",
    "azul%2fenvironments%2fdevelopment",
    "..",
    ".",
    "%2e%2e",
    "%2E",
    "..%2f..%2fhealth",
    "%2e%2e%2f%2e%2e%2fhealth",
    "azul%00",
    "%00",
    "azul%0A",
    "azul%0D%0ASet-Cookie:%20a=b",
    "%25",
    "%252e%252e%252f",
    "%61zul%2500",
    "%",
    "%2",
    "%zz",
    "%FF",
    "%C0%AFazul",
    "%ED%A0%80",
    "%F0%9F%9A%80",
    "\U0001f680",
    "é",
    "azul;v=1",
    "azul,blue",
    "azul=",
    "azul\\",
    "azul\x7f",
    "~azul",
    "a" * 8000,
    *(quote(text, safe="") for text in HOSTILE.values()),
]


@pytest.fixture(scope="module")
def api(clones: Clones, contract: Contract, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The served API, with the system azul and its environment development."""
    address = clones.new()
    with served(address, contract, tmp_path_factory.mktemp("issuer")) as api:
        for path, given in {
            "/v1/systems": {"key": "azul", "name": "Azul"},
            "/v1/systems/azul/environments": {"name": "development", "rank": 1},
        }.items():
            assert api.ask("POST", path, given).status == 201
        yield api
    clones.drop(address)


@pytest.mark.parametrize(("method", "path"), UNDECLARED)
def test_a_wrong_method_is_answered_with_the_allowed_ones(api: Served, method: str, path: str) -> None:
    # API Gateway gives the same answer through a mock integration for undeclared methods, even to HEAD and OPTIONS.
    target = path.format_map(defaultdict(lambda: "1", system="azul", environment="development"))

    for headers in ({}, {"Authorization": ""}):
        answer = api.ask(method, target, headers=headers)

        assert answer.status == 405
        assert answer.headers["Allow"] == ", ".join(sorted(application.app.routes[path]))
        assert int(answer.headers["Content-Length"]) > 0
        if method == "HEAD":
            assert answer.body == b""
        else:
            assert answer.problem == "method-not-allowed"


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("target", ["/v1", "/v2/systems", "/v1/system", "*", "/V1/systems", "/v1/systems/azul/x"])
def test_an_unknown_path_is_not_found_by_any_method(api: Served, method: str, target: str) -> None:
    answer = api.ask(method, target)

    assert answer.status == 404
    assert answer.body == b"" if method == "HEAD" else answer.problem == "not-found"


@pytest.mark.parametrize("segment", SEGMENTS)
def test_a_path_segment_that_names_nothing_is_not_found(api: Served, segment: str) -> None:
    for target in (
        f"/v1/systems/{segment}",
        f"/v1/systems/{segment}/environments",
        f"/v1/systems/azul/environments/{segment}",
        f"/v1/systems/azul/publishers/{segment}",
    ):
        answer = api.ask("GET", target)

        assert (answer.status, answer.problem) == (404, "not-found")
        assert answer.headers["Set-Cookie"] is None


def test_dots_in_paths_are_not_resolved(api: Served) -> None:
    for target in ("/v1/systems/../health", "/v1/./health", "/../v1/health", "/v1/systems/azul/../azul"):
        assert api.ask("GET", target).status == 404


@pytest.mark.parametrize(
    "target",
    [
        "/v1/systems/%61zul",
        "/v1/systems/azul/environments/development",
        "/v1/systems/azul/environments/" + "".join(f"%{ord(character):02x}" for character in "development"),
        "/v1/systems/azul/environments/" + "".join(f"%{ord(character):02X}" for character in "development"),
    ],
)
def test_differently_encoded_paths_are_the_same(api: Served, target: str) -> None:
    answer = api.ask("GET", target)

    assert answer.status == 200
    assert answer.json.get("key", answer.json["name"]) in ("azul", "development")


@pytest.mark.parametrize(
    ("query", "pointers"),
    [
        ("limit=1&limit=1", ["#/limit"]),
        ("limit=1&limit=2&limit=3", ["#/limit"]),
        ("limit=1&%6Cimit=1", ["#/limit"]),
        ("action=a.b&limit=1&action=a.b", ["#/action"]),
        ("system=azul&system=", ["#/system"]),
        ("colour=blue", ["#/colour"]),
        ("limit[]=1", ["#/limit[]"]),
        ("limit", ["#/limit"]),
        ("limit=", ["#/limit"]),
        ("limit=%31%00", ["#/limit"]),
        ("limit=1;colour=blue", ["#/colour"]),
        ("=1", ["#/"]),
        ("%00=1", ["#"]),
        ("%FF=1", ["#/\ufffd"]),
        ("limit=%FF", ["#/limit"]),
        ("limit=%EF%BC%91", ["#/limit"]),
        ("system=%F0%9F%9A%80", ["#/system"]),
        ("system=\U0001f680", ["#/system"]),
        ("action=..%2F..", ["#/action"]),
        ("from=2026-01-01T00:00:00+00:00", ["#/from"]),
    ],
)
def test_invalid_parameters_are_refused_by_name(api: Served, query: str, pointers: list[str]) -> None:
    answer = api.ask("GET", f"/v1/audit-events?{query}")

    assert (answer.status, answer.problem) == (422, "invalid")
    assert [fault["pointer"] for fault in answer.json["errors"]] == pointers


@pytest.mark.parametrize("query", ["", "&", "&&&", "limit=200", "%6C%69mit=1"])
def test_parameters_may_be_encoded_in_several_ways(api: Served, query: str) -> None:
    assert len(api.ask("GET", f"/v1/systems/azul/environments?{query}").json["items"]) == 1


def test_a_time_may_be_encoded(api: Served) -> None:
    created = "/v1/audit-events?action=environment%2Ecreate"

    assert len(api.ask("GET", f"{created}&from=2026-01-01T00:00:00%2B00:00").json["items"]) == 1


@pytest.mark.parametrize("cursor", ["%FF", "%00", "\U0001f680", "%F0%9F%9A%80", "a+b", "=", "A" * 900, "..%2f"])
def test_an_invalid_cursor_is_refused(api: Served, cursor: str) -> None:
    answer = api.ask("GET", f"/v1/systems?cursor={cursor}")

    assert answer.status in (400, 422)
    assert answer.problem in ("cursor-unusable", "invalid")


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"\xff\xfe", 400),
        (b'{"key": "blue", "name": "\x00"}', 400),
        (b"\x1f\x8b\x08\x00", 400),
        (b"[" * 100_000, 400),
        (b'{"key": "blue", "name": "\\u0000"}', 422),
        (b" " * (1024 * 1024 + 1), 413),
        (b" " * (2 * 1024 * 1024), 413),
    ],
    ids=[
        "an empty body",
        "UTF-16",
        "a NUL",
        "gzip",
        "unclosed brackets",
        "an escaped NUL",
        "1 byte more than 1 MiB",
        "2 MiB",
    ],
)
def test_an_unreadable_body_is_refused(api: Served, body: bytes, status: int) -> None:
    assert api.ask("POST", "/v1/systems", body).status == status
    assert api.ask("GET", "/v1/systems/blue").status == 404


def test_a_text_is_returned_byte_for_byte(api: Served) -> None:
    text = "".join(HOSTILE.values())

    created = api.ask("POST", "/v1/systems", {"key": "hostile", "name": "Hostile", "description": text})
    read = api.ask("GET", "/v1/systems/hostile")

    assert created.status == 201
    assert read.body == created.body
    assert read.json["description"] == text


@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_an_unexpected_body_does_not_disturb_the_next_request(api: Served, method: str) -> None:
    answer = api.ask(method, "/v1/systems/azul", b"GET /v1/health HTTP/1.1\r\n\r\n", {"If-Match": '"stale"'})

    assert answer.status == (200 if method == "GET" else 412)


@pytest.mark.parametrize(
    ("name", "value", "status"),
    [
        ("Content-Type", b"application/json\xff", 415),
        ("Content-Type", "application/json;charset=utf-8", 409),
        ("Content-Type", "a" * 8000, 415),
        ("Idempotency-Key", b"\xff", 400),
        ("Idempotency-Key", "", 400),
        ("Idempotency-Key", "k" * 256, 400),
        ("If-Match", b"\xff", 409),
        ("Accept", "text/html", 409),
        ("Authorization", "", 401),
        ("Authorization", "Bearer", 401),
        ("Authorization", "Basic YTpi", 401),
        ("Authorization", b"Bearer \xff", 401),
        ("Authorization", "Bearer " + "a" * 9_000, 401),
        ("Authorization", "Bearer " + "a" * 20_000, 400),
        ("Authorization", "Bearer a.b.c", 401),
    ],
)
def test_a_strange_header_is_refused_or_ignored(api: Served, name: str, value: str | bytes, status: int) -> None:
    answer = api.ask("POST", "/v1/systems", {"key": "azul", "name": "Azul"}, {name: value})

    assert answer.status == status
