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


def policy(*origins: str) -> str:
    """Return the Content-Security-Policy. `origins` are those of the issuer."""
    return (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
        f"connect-src {' '.join(('self', *origins)).replace('self', repr('self'))}; base-uri 'none'; "
        "form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types lit-html"
    )


@contextmanager
def site(api: str, token: Callable[[str], str], sign_in: Any) -> Iterator[str]:
    """Serve web/ at `/`, and the API of the URL `api` below `/v1`. Yield the site's URL.

    `token(role)` makes the answer of `POST /local/token`. `sign_in` is that member of `GET /v1/configuration`.
    """
    origins = ["{0.scheme}://{0.netloc}".format(urlsplit(sign_in["authority"]))] if "authority" in sign_in else []

    class Handler(SimpleHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def __init__(self, *args: Any) -> None:
            super().__init__(*args, directory=str(WEB))

        def log_message(self, *_: Any) -> None:
            pass

        def end_headers(self) -> None:
            self.send_header("Content-Security-Policy", policy(*origins))
            self.send_header("X-Content-Type-Options", "nosniff")
            self.send_header("Referrer-Policy", "no-referrer")
            super().end_headers()

        def _json(self, answer: Any) -> None:
            body = json.dumps(answer).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def _pass_on(self, body: bytes) -> None:
            with closing(http.client.HTTPConnection(HOST, urlsplit(api).port, timeout=30)) as connection:
                kept = {name: value for name, value in self.headers.items() if name.lower() not in ("host", "connection")}
                connection.request(self.command, self.path, body, kept)
                received = connection.getresponse()
                answer = received.read()
            self.send_response(received.status)
            for name in ("Content-Type", "ETag", "Location"):
                if received.headers[name]:
                    self.send_header(name, received.headers[name])
            if received.status != http.client.NOT_MODIFIED:
                self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def _answer(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"] or 0))
            if self.path == "/v1/configuration":
                self._json({"version": "1", "stage": "local", "name": "Slipway", "sign_in": sign_in})
            elif self.path == "/local/token":
                self._json({"token": token(json.loads(body)["role"])})
            elif self.path.startswith("/v1/"):
                self._pass_on(body)
            else:
                super().do_GET()

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _answer

    server = ThreadingHTTPServer((HOST, 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://{HOST}:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
