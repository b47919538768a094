"""A stand-in for a server that the pipeline calls."""

import json
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

GRANTED = {"decision": "granted"}


class Stub(ThreadingHTTPServer):
    """A server that gives its `answers` in turn, and repeats the last answer. `asked` lists the requests."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answers: list[Any] = [(200, GRANTED)]
        self.asked: list[Any] = []
        self.url = f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    server: Stub

    def do_GET(self) -> None:
        self.server.asked.append((self.path, dict(self.headers)))
        answers = self.server.answers
        answer = answers.pop(0) if len(answers) > 1 else answers[0]
        if answer == "reset":
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.close_connection = True
            return
        status, body, *headers = answer
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        for name, value in dict(headers[0] if headers else {}).items():
            self.send_header(name, value)
        if "Content-Length" not in (headers[0] if headers else {}):
            self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.do_GET()

    do_DELETE = do_GET  # noqa: N815 (http.server calls this name)

    def log_message(self, *arguments: Any) -> None:
        """Log nothing."""


@contextmanager
def serving() -> Iterator[Callable[[], Stub]]:
    """Yield a function that starts a stub. Stop the stubs at the end of the block."""
    started: list[tuple[Stub, threading.Thread]] = []

    def start() -> Stub:
        stub = Stub()
        thread = threading.Thread(target=stub.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        started.append((stub, thread))
        return stub

    yield start
    for stub, thread in started:
        stub.shutdown()
        thread.join()
        stub.server_close()
