"""The local server answers over HTTP like API Gateway, and survives bad requests."""

import http.client
import json
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from chalice.app import AuthRequest, AuthResponse, Chalice
from chalice.app import Response as ChaliceResponse
from chalice.config import Config

from chalicelib import NAME
from tools.local import server as local
from tools.local.server import MAX_BODY_BYTES, MAX_EVENT_BYTES, RequestHandler, serving

JSON = {"Content-Type": "application/json"}


def application() -> Chalice:
    app = Chalice(app_name="tried")
    app.api.binary_types = []

    @app.route("/things", methods=["GET"])
    def things() -> Any:
        return {"query": dict(app.current_request.query_params or {})}

    @app.route("/things/{name}", methods=["GET", "POST", "DELETE"], content_types=[])
    def thing(name: str) -> Any:
        request = app.current_request
        if request.method == "DELETE":
            return ChaliceResponse("", status_code=204, headers={"Content-Type": "application/json"})
        raw = request.raw_body
        return {"name": name, "body": raw.decode() if isinstance(raw, bytes) else raw}

    @app.route("/things/{name}/unchanged", methods=["GET"])
    def unchanged(name: str) -> Any:
        return ChaliceResponse("", status_code=304, headers={"ETag": '"1"', "Content-Type": "application/json"})

    @app.route("/event", methods=["GET", "HEAD"])
    def event() -> Any:
        shown = app.current_request.to_original_event()
        return {"resource": shown["resource"], **shown["requestContext"]}

    guard(app)
    return app


def guard(app: Chalice) -> None:
    @app.authorizer()
    def doorkeeper(request: AuthRequest) -> AuthResponse:
        match request.token:
            case "good":
                return AuthResponse(routes=["*"], principal_id="somebody")
            case "limited":
                return AuthResponse(routes=[], principal_id="somebody")
            case "broken":
                raise ZeroDivisionError
        raise Exception("Unauthorized")  # noqa: TRY002 (API Gateway expects exactly this text)

    @app.route("/guarded/{name}", methods=["GET"], authorizer=doorkeeper)
    def guarded(name: str) -> Any:
        return {"name": name, "principal": app.current_request.context["authorizer"]["principalId"]}


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    config = Config(chalice_stage="local", config_from_disk={"app_name": "tried"}, default_params={})
    with serving(application(), config) as url:
        yield int(url.rpartition(":")[2])


class Client:
    """A client with one connection that stays open."""

    def __init__(self, port: int) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)

    def ask(
        self, method: str, path: str, body: bytes | None = None, headers: dict[str, str] | None = None
    ) -> tuple[http.client.HTTPResponse, bytes]:
        self.connection.request(method, path, body, headers or {})
        answer = self.connection.getresponse()
        return answer, answer.read()

    def problem(self, method: str, path: str, **request: Any) -> tuple[int, str, http.client.HTTPMessage]:
        """Expect a problem; return the answer's status, the problem's slug, and the answer's headers."""
        answer, body = self.ask(method, path, **request)
        document = json.loads(body)
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert document["status"] == answer.status
        assert document["instance"] == answer.headers["X-Request-Id"]
        return answer.status, document["type"].removeprefix("/problems/"), answer.headers


@pytest.fixture
def client(port: int) -> Iterator[Client]:
    client = Client(port)
    yield client
    client.connection.close()


def exchange(port: int, message: bytes) -> bytes:
    """Send these bytes; return everything that the server sends until it closes the connection."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(message)
        return b"".join(iter(lambda: connection.recv(65536), b""))


def test_an_unknown_address_is_a_problem_with_or_without_a_token(client: Client) -> None:
    assert client.problem("GET", "/nothing")[:2] == (404, "not-found")

    answer, body = client.ask("GET", "/nothing", headers={"Authorization": "Bearer secret"})

    assert answer.status == 404
    assert b"secret" not in body


@pytest.mark.parametrize("method", ["PUT", "POST", "OPTIONS", "TRACE", "PROPFIND"])
def test_a_wrong_method_is_answered_with_the_allowed_ones(client: Client, method: str) -> None:
    status, problem, headers = client.problem(method, "/things")

    assert (status, problem) == (405, "method-not-allowed")
    assert headers["Allow"] == "GET"


def test_an_answer_to_head_has_no_body(client: Client) -> None:
    refused, nothing = client.ask("HEAD", "/things")
    assert (refused.status, refused.headers["Allow"], nothing) == (405, "GET", b"")

    answer, nothing = client.ask("HEAD", "/event")
    assert (answer.status, nothing) == (200, b"")
    assert int(answer.headers["Content-Length"]) > 0


def test_a_missing_or_bad_token_is_answered_with_401(client: Client) -> None:
    for headers in ({}, {"Authorization": "bad"}):
        status, problem, found = client.problem("GET", "/guarded/a", headers=headers)

        assert (status, problem) == (401, "unauthenticated")
        assert found["WWW-Authenticate"].startswith("Bearer")


def test_a_token_without_routes_is_answered_with_403(client: Client) -> None:
    assert client.problem("GET", "/guarded/a", headers={"Authorization": "limited"})[:2] == (403, "forbidden")


def test_a_good_token_reaches_the_function(client: Client) -> None:
    _, body = client.ask("GET", "/guarded/a%2Fb:c?d=e", headers={"Authorization": "good"})

    assert json.loads(body) == {"name": "a%2Fb:c", "principal": "somebody"}


def test_a_broken_authorizer_is_answered_with_a_problem(client: Client, capfd: pytest.CaptureFixture[str]) -> None:
    assert client.problem("GET", "/guarded/a", headers={"Authorization": "broken"})[:2] == (500, "internal-error")
    assert "ZeroDivisionError" in capfd.readouterr().err


@pytest.mark.parametrize("name", ["sha256%3Aab", "a%2Fb", "a;b", "%252F"])
def test_path_parameters_reach_the_function_undecoded(client: Client, name: str) -> None:
    assert json.loads(client.ask("GET", f"/things/{name}")[1])["name"] == name


def test_slashes_at_the_start_of_a_path_are_one_except_in_the_context(client: Client) -> None:
    assert json.loads(client.ask("GET", "//event")[1])["path"] == "/local//event"
    assert client.problem("GET", "/things//unchanged")[:2] == (404, "not-found")


def test_a_query_that_api_gateway_refuses_is_malformed(client: Client) -> None:
    assert client.problem("GET", "/things?client=auth0|5f")[:2] == (400, "malformed")
    assert json.loads(client.ask("GET", "/things?client=auth0%7C5f;a=1")[1])["query"] == {
        "client": "auth0|5f",
        "a": "1",
    }


def test_a_body_that_is_too_long_for_lambda_as_text_is_too_large(client: Client) -> None:
    quotes = b'"' * (MAX_EVENT_BYTES // 2)

    assert client.problem("POST", "/things/a", body=quotes)[:2] == (413, "too-large")
    assert client.ask("POST", "/things/a", quotes[5000:])[0].status == 200


def test_the_event_names_request_stage_and_resource(client: Client) -> None:
    event = json.loads(client.ask("GET", "/event")[1])

    assert event["requestId"]
    assert event["stage"] == "local"
    assert event["resource"] == "/event"


@pytest.mark.parametrize(
    ("method", "path", "status"), [("DELETE", "/things/a", 204), ("GET", "/things/a/unchanged", 304)]
)
def test_an_answer_without_a_body_has_no_content_type(client: Client, method: str, path: str, status: int) -> None:
    answer, body = client.ask(method, path)

    assert (answer.status, body) == (status, b"")
    assert "Content-Type" not in answer.headers
    assert client.ask("GET", "/things")[0].status == 200


@pytest.mark.parametrize("length", ["-1", "abc", "1_0", "+1", ""])
def test_an_invalid_content_length_is_malformed(port: int, length: str) -> None:
    answer = exchange(port, f"POST /things/a HTTP/1.1\r\nContent-Length: {length}\r\n\r\n".encode())

    assert answer.startswith(b"HTTP/1.1 400 ")
    assert b"application/problem+json" in answer


def test_a_write_needs_a_content_length(port: int, client: Client) -> None:
    for headers in (b"", b"Transfer-Encoding: chunked\r\n"):
        answer = exchange(port, b"POST /things/a HTTP/1.1\r\nConnection: close\r\n" + headers + b"\r\n")
        assert answer.startswith(b"HTTP/1.1 411 ")

    assert json.loads(client.ask("POST", "/things/a", b"text")[1])["body"] == "text"


def test_a_large_body_is_refused_before_it_is_sent(port: int) -> None:
    head = f"POST /things/a HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: {MAX_BODY_BYTES + 1}\r\n\r\n"

    answer = exchange(port, head.encode())

    assert answer.startswith(b"HTTP/1.1 413 ")
    assert b"/problems/too-large" in answer


def test_a_client_that_sends_a_large_body_anyway_still_gets_the_answer(client: Client) -> None:
    assert client.problem("POST", "/things/a", body=bytes(MAX_BODY_BYTES + 1))[:2] == (413, "too-large")


def test_a_client_that_waits_for_100_continue_gets_it(port: int) -> None:
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(b"POST /things/a HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n")
        assert connection.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"

        connection.sendall(b"text")

        assert connection.recv(65536).startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize(
    "message", [b"NONSENSE\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"GET /" + b"a" * 70_000 + b"\r\n"]
)
def test_an_unreadable_request_gets_a_problem(port: int, message: bytes) -> None:
    answer = exchange(port, message)

    assert answer.startswith(b"HTTP/1.1 400 ")
    assert b"application/problem+json" in answer


def test_a_client_that_disconnects_causes_no_error(
    port: int, client: Client, capfd: pytest.CaptureFixture[str]
) -> None:
    with socket.create_connection(("127.0.0.1", port)) as leaving:
        leaving.sendall(b"POST /things/a HTTP/1.1\r\nContent-Length: 10\r\n\r\nhalf")

    assert client.ask("GET", "/things")[0].status == 200
    assert "Traceback" not in capfd.readouterr().err


def test_a_slow_client_is_disconnected(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(RequestHandler, "timeout", 0.1)

    assert exchange(port, b"GET /things HT") == b""


def test_a_request_is_logged_as_one_line_without_secrets(client: Client, capfd: pytest.CaptureFixture[str]) -> None:
    client.ask("GET", "/guarded/a?key=secret", headers={"Authorization": "secret"})
    client.ask("GET", "/things")

    lines = [line.split() for line in capfd.readouterr().err.splitlines()]

    assert ["GET", "/guarded/a", "401"] in [line[:3] for line in lines]
    assert "secret" not in str(lines)


def test_connections_send_without_delay(port: int, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    options: list[int] = []

    def handled(handler: RequestHandler) -> None:
        options.append(handler.connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
        original(handler)

    original = RequestHandler.handle
    monkeypatch.setattr(RequestHandler, "handle", handled)

    answer, _ = client.ask("GET", "/things")

    assert options == [1]
    assert answer.headers["Server"] == NAME


def test_the_application_is_loaded_as_by_chalice() -> None:
    environment: dict[str, str] = {}

    app, config = local.load_app(environment)

    assert "/v1/health" in app.routes
    assert config.chalice_stage == "local"
    assert environment["SLIPWAY_STAGE"] == "local"


def test_the_application_comes_from_the_folder_of_its_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local, "LOCAL_STATE", str(tmp_path / ".local"))
    folders: list[str] = []
    monkeypatch.setattr(local, "CLIFactory", lambda folder, **_: folders.append(folder))

    with pytest.raises(AttributeError):
        local.load_app({})

    assert folders == [str(tmp_path)]
