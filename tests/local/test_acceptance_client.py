"""The acceptance tests' client never repeats a write. It sends its token only to the service."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import requests

from tools.local.acceptance.service import Latencies, Service
from tools.local.acceptance.settings import AcceptanceSettings


class _Recorder(ThreadingHTTPServer):
    """Record each request, and answer some paths with a failure."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.asked: list[tuple[str, str, dict[str, str]]] = []
        self.url = f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    server: _Recorder

    def do_GET(self) -> None:
        self.server.asked.append((self.command, self.path, dict(self.headers)))
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.path == "/v1/lost":
            self.close_connection = True
            return
        known = 200 if "Authorization" in self.headers else 401
        self.send_response({"/v1/moved": 302, "/v1/busy": 503}.get(self.path, known))
        self.send_header("Location", f"{self.server.url}/v1/elsewhere")
        self.send_header("Retry-After", "0")
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_POST = do_GET  # noqa: N815

    def log_message(self, *arguments: object) -> None:
        """Log nothing."""


@pytest.fixture
def recorder() -> Iterator[_Recorder]:
    server = _Recorder()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def service(recorder: _Recorder) -> Iterator[Service]:
    with Service(AcceptanceSettings(recorder.url, "a.b.c")) as service:
        yield service


def test_a_redirect_is_an_answer_and_is_not_followed(service: Service, recorder: _Recorder) -> None:
    assert service.get("/v1/moved").status == 302
    assert [path for _, path, _ in recorder.asked] == ["/v1/moved"]


def test_a_write_is_never_sent_again(service: Service, recorder: _Recorder) -> None:
    assert service.post("/v1/busy", {}).status == 503
    with pytest.raises(requests.ConnectionError):
        service.post("/v1/lost", {})

    assert [path for _, path, _ in recorder.asked] == ["/v1/busy", "/v1/lost"]


def test_the_authorization_header_holds_the_token_or_what_the_test_asks_for(
    service: Service, recorder: _Recorder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login jane password secret\n")
    monkeypatch.setenv("NETRC", str(netrc))
    service._session.trust_env = True  # the client uses netrc and proxies only for other machines

    for authorization in ("", "Basic YTpi", None):
        service.ask("GET", "/v1/me", authorization=authorization)

    sent = [headers.get("Authorization") for _, _, headers in recorder.asked]
    assert sent == ["Bearer a.b.c", "Basic YTpi", None]


def test_requests_to_this_machine_use_no_proxy(
    service: Service, recorder: _Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")

    assert service.get("/v1/me").status == 200


def test_answers_are_requested_uncompressed(service: Service, recorder: _Recorder) -> None:
    service.get("/v1/me", if_none_match='"a"')

    [(_, _, headers)] = recorder.asked
    # A CDN that compresses an answer weakens the answer's ETag.
    assert headers["Accept-Encoding"] == "identity"
    assert headers["if-none-match"] == '"a"'


def test_only_successful_answers_are_measured(recorder: _Recorder) -> None:
    latencies = Latencies()
    with Service(AcceptanceSettings(recorder.url, "a.b.c"), latencies) as service:
        for authorization in ("", "", None):
            service.ask("GET", "/v1/me", authorization=authorization)

    [measured] = latencies.table()
    assert (measured.operation, measured.answers) == ("get_me", 2)
    assert 0 < measured.p50_ms <= measured.p95_ms
