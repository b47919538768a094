"""Serve the dashboard's files beside the API, with the headers that they have when they are deployed."""

import http.client
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

from tools.checkout import ROOT

WEB = ROOT / "web"
HOST = "127.0.0.1"
_NOT_PASSED_ON = ("host", "connection")


class Site(ThreadingHTTPServer):
    """web/ at `/`, and the API of the URL `api` below `/v1`.

    `token(role)` makes the answer of `POST /local/token`. `sign_in` is that member of `GET /v1/configuration`.
    """

    def __init__(self, api: str, token: Callable[[str], str], sign_in: dict[str, str]) -> None:
        super().__init__((HOST, 0), _Handler)
        self.url = f"http://{HOST}:{self.server_port}"
        self.api = urlsplit(api)
        self.token = token
        self.configuration = {"version": "1", "stage": "local", "name": "Registry", "sign_in": sign_in}
        self.policy = (
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
            f"connect-src 'self' {sign_in.get('authority', '')}; base-uri 'none'; form-action 'none'; "
            "frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types lit-html"
        )


class _Handler(SimpleHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Site

    def __init__(self, *args: Any) -> None:
        super().__init__(*args, directory=str(WEB))

    def log_message(self, *_: Any) -> None:
        pass

    def end_headers(self) -> None:
        self.send_header("Content-Security-Policy", self.server.policy)
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("Referrer-Policy", "no-referrer")
        super().end_headers()

    def __getattr__(self, name: str) -> Any:
        if name.startswith("do_"):
            return self._pass_on
        raise AttributeError(name)

    def do_GET(self) -> None:
        if self.path == "/v1/configuration":
            self._json(self.server.configuration)
        elif self.path.startswith("/v1/"):
            self._pass_on()
        else:
            super().do_GET()

    def do_POST(self) -> None:
        if self.path == "/local/token":
            self._json({"token": self.server.token(json.loads(self._body())["role"])})
        else:
            self._pass_on()

    def _body(self) -> bytes:
        return self.rfile.read(int(self.headers["Content-Length"] or 0))

    def _pass_on(self) -> None:
        kept = {name: value for name, value in self.headers.items() if name.lower() not in _NOT_PASSED_ON}
        with closing(http.client.HTTPConnection(HOST, self.server.api.port, timeout=30)) as connection:
            connection.request(self.command, self.path, self._body(), kept)
            received = connection.getresponse()
            answer = received.read()
        self.send_response(received.status)
        for name in ("Content-Type", "ETag"):
            if received.headers[name]:
                self.send_header(name, received.headers[name])
        if received.status not in (http.client.NOT_MODIFIED, http.client.NO_CONTENT):
            self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def _json(self, answer: Any) -> None:
        body = json.dumps(answer).encode()
        self.send_response(http.client.OK)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@contextmanager
def site(api: str, token: Callable[[str], str], sign_in: dict[str, str]) -> Iterator[str]:
    """Serve the site during the block, and yield its URL."""
    server = Site(api, token, sign_in)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server.url
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
