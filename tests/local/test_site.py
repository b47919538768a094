"""The local server serves the page as CloudFront does, and gives tokens to this page alone."""

import http.client
import json
import re
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import jwt
import pytest

from chalicelib import settings
from tests.support.claims import PEOPLE
from tools.checkout import ROOT
from tools.local import site
from tools.local.site import CONTENT_TYPES, HEADERS, POLICY

TERRAFORM = ROOT / "infra" / "modules" / "site"

Ask = Any


@pytest.fixture
def port(url: str) -> int:
    return int(url.rpartition(":")[2])


@pytest.fixture
def ask(port: int) -> Iterator[Ask]:
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=10)) as connection:

        def ask(method: str, path: str, body: Any = None, **headers: str) -> tuple[http.client.HTTPResponse, bytes]:
            connection.putrequest(method, path, skip_host="Host" in headers, skip_accept_encoding=True)
            text = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
            for name, value in {**headers, "Content-Length": str(len(text))}.items():
                connection.putheader(name.replace("_", "-"), value)
            connection.endheaders(text)
            answer = connection.getresponse()
            return answer, answer.read()

        yield ask


@pytest.fixture
def web(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    web = tmp_path / "web"
    web.mkdir()
    monkeypatch.setattr(site, "WEB", web)
    return web


def problem(answered: tuple[http.client.HTTPResponse, bytes]) -> tuple[int, str]:
    answer, body = answered
    assert answer.headers["Content-Type"] == "application/problem+json"
    return answer.status, json.loads(body)["type"].removeprefix("/problems/")


@pytest.mark.parametrize(
    ("path", "file"),
    [("/", "index.html"), ("/?code=1&state=2", "index.html"), ("/js/main.js", "js/main.js")],
)
def test_the_page_is_served_as_it_lies_there(ask: Ask, path: str, file: str) -> None:
    answer, body = ask("GET", path)

    assert (answer.status, body) == (200, (ROOT / "web" / file).read_bytes())
    assert answer.headers["Content-Type"] == CONTENT_TYPES[file.rpartition(".")[2]]
    assert answer.headers["Content-Security-Policy"] == "; ".join(POLICY)
    assert {name: answer.headers[name] for name in HEADERS} == HEADERS


def test_a_file_with_any_bytes_is_served_whole_and_one_without_an_ending_is_text(ask: Ask, web: Path) -> None:
    (web / "a.png").write_bytes(bytes(range(256)))
    (web / "LICENSE").write_text("MIT")

    picture, body = ask("GET", "/a.png")
    licence, _ = ask("GET", "/LICENSE")

    assert (picture.headers["Content-Type"], body) == ("image/png", bytes(range(256)))
    assert licence.headers["Content-Type"] == "text/plain; charset=utf-8"


def test_head_answers_without_a_body_and_other_methods_are_refused(ask: Ask) -> None:
    answer, body = ask("HEAD", "/")

    assert (answer.status, body) == (200, b"")
    assert int(answer.headers["Content-Length"]) == len((ROOT / "web" / "index.html").read_bytes())
    assert problem(ask("POST", "/")) == (405, "method-not-allowed")


@pytest.mark.parametrize(
    "path",
    [
        "/nothing.js",
        "/js",
        "/js/",
        "/../secret.txt",
        "/js/../../secret.txt",
        "/%2e%2e/secret.txt",
        "/..%2fsecret.txt",
        "/js%2fmain.js",
        "/..\\secret.txt",
        "/.hidden",
        "/js/.hidden",
        "/./index.html",
        "/js//main.js",
        "/linked.txt",
        "/linked/secret.txt",
        "/index.html%00",
        "/v1",
    ],
)
def test_nothing_else_is_served(ask: Ask, web: Path, path: str) -> None:
    (web.parent / "secret.txt").write_text("secret")
    (web / "linked.txt").symlink_to(web.parent / "secret.txt")
    (web / "linked").symlink_to(web.parent)
    (web / "js").mkdir()
    for name in ("index.html", ".hidden", "js/main.js", "js/.hidden"):
        (web / name).write_text("a file")

    answered = ask("GET", path)

    assert problem(answered) == (404, "not-found")
    assert b"secret" not in answered[1].replace(path.encode(), b"")


def test_the_page_may_call_the_issuer_where_people_sign_in(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    sign_in = {"authority": PEOPLE, "client_id": "service", "scope": "openid"}
    monkeypatch.setenv("SLIPWAY_SIGN_IN", json.dumps(sign_in))
    settings.settings.cache_clear()

    policy = ask("GET", "/")[0].headers["Content-Security-Policy"]

    settings.settings.cache_clear()
    [origin] = re.findall("^https?://[^/]+", PEOPLE)
    assert f"connect-src 'self' {origin};" in policy


def test_the_policy_is_that_of_the_site_on_aws() -> None:
    main = (TERRAFORM / "main.tf").read_text()
    [listed] = re.findall(r"content_security_policy = join\(\"; \", \[\n(.*?)\n  \]\)", main, re.DOTALL)
    directives = re.sub(r"\$\{join.*?\)\)\}", "'self'", listed)

    assert re.findall('"(.*)",', directives) == [*POLICY, "upgrade-insecure-requests"]


def test_the_page_gets_a_token_of_each_role_for_all_systems(ask: Ask, port: int) -> None:
    for role in ("viewer", "pipeline", "maintainer", "admin"):
        answer, body = ask("POST", "/local/token", {"role": role}, **of_the_page(port))

        assert (answer.status, answer.headers["Cache-Control"]) == (200, "no-store")
        assert claims(json.loads(body)["token"]) == (role, "all")


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"Origin": "https://evil.example.org"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": ""}, 403),
        ({"Origin": "http://127.0.0.1:3000"}, 403),
        ({"Origin": "https://127.0.0.1:{port}"}, 403),
        ({"Host": "evil.example.org:{port}", "Origin": "http://evil.example.org:{port}"}, 403),
        ({"Host": "127.0.0.1.evil.example.org", "Origin": "http://127.0.0.1.evil.example.org"}, 403),
        ({"Content_Type": "text/plain"}, 415),
        ({"Content_Type": "application/x-www-form-urlencoded"}, 415),
    ],
    ids=str,
)
def test_no_other_page_gets_a_token(ask: Ask, port: int, changes: dict[str, str], status: int) -> None:
    headers = {**of_the_page(port), **{name: value.format(port=port) for name, value in changes.items()}}

    assert problem(ask("POST", "/local/token", {"role": "admin"}, **headers))[0] == status


@pytest.mark.parametrize("body", [b"", b"{", {}, {"role": "anybody"}, {"role": "admin", "subject": "ann"}], ids=str)
def test_a_body_that_names_no_role_is_refused(ask: Ask, port: int, body: Any) -> None:
    assert problem(ask("POST", "/local/token", body, **of_the_page(port))) == (400, "malformed")


def test_a_token_is_not_read_by_get(ask: Ask) -> None:
    assert problem(ask("GET", "/local/token")) == (405, "method-not-allowed")


def of_the_page(port: int) -> dict[str, str]:
    host = f"127.0.0.1:{port}"
    return {"Host": host, "Origin": f"http://{host}", "Content_Type": "application/json"}


def claims(token: str) -> tuple[str, object]:
    read = jwt.decode(token, options={"verify_signature": False})
    return read["role"], read["systems"]
