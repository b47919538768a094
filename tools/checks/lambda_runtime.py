"""Call a function of a package as AWS Lambda does: Lambda's own runtime client asks a stand-in of the runtime API."""

import json
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

from tools.checkout import ROOT

SECONDS = 60

_BYTECODE = ROOT / ".local" / "cache" / "pycache"


class Called(NamedTuple):
    """The function's answers, and milliseconds of processor time: until it waits for the first event, for each event.

    As on AWS, the start of Python and of the runtime client counts too.
    """

    answers: list[Any]
    init: float
    events: list[float]


class NotCalled(Exception):
    """The function did not answer each event; the message is the function's output."""


def call(task: Path, handler: str, events: Sequence[Any], environ: Mapping[str, str]) -> Called:
    """Start a function from a folder with an unpacked package, send it events in order, and end it.

    Only the standard library and the package are on Python's path. Like Lambda, this leaves the folder as it is: Python
    keeps no bytecode. Raise NotCalled if the function fails.
    """
    found = find_spec("awslambdaric")
    assert found is not None, "awslambdaric is in requirements-dev.txt: run `make`"
    site = Path(str(found.origin)).parents[1]
    with _runtime_api(events) as api:
        ran = subprocess.run(
            [sys.executable, "-S", "-c", _CLIENT, str(site), str(_BYTECODE), str(task), handler, str(len(events))],
            cwd=task,
            env={
                "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{api.server_port}",
                "AWS_LAMBDA_FUNCTION_NAME": "service-production-api",
                "AWS_LAMBDA_FUNCTION_VERSION": "1",
                "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "1024",
                "AWS_REGION": "eu-central-1",
                "LAMBDA_TASK_ROOT": str(task),
                **environ,
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=SECONDS,
            check=False,
        )
    if ran.returncode != 0 or any(kind != "response" for kind, _ in api.answers):
        raise NotCalled(f"{ran.stdout}{api.answers}")
    moments = json.loads(ran.stdout.splitlines()[-1])
    init, *took = [(end - begin) / 1e6 for begin, end in zip([0, *moments], moments, strict=False)]
    return Called([answer for _, answer in api.answers], init, took)


# Python's path has site-packages only during the import of the runtime client. Then the package replaces it. On AWS the
# client is a part of the image, so the client's bytecode is kept outside of the package. The process ends when it asks
# for an event after the last one.
_CLIENT = """
import sys
site, sys.pycache_prefix, task, handler, events = sys.argv[1:]
sys.path.insert(0, site)
import json, os, time
from awslambdaric.__main__ import main
from awslambdaric.lambda_runtime_client import LambdaRuntimeClient
sys.path[0], sys.pycache_prefix, sys.dont_write_bytecode = task, None, True
wait, moments = LambdaRuntimeClient.wait_next_invocation, []

def wait_or_end(client):
    moments.append(time.process_time_ns())
    if len(moments) == int(events) + 1:
        os.write(1, b"\\n" + json.dumps(moments).encode())
        os._exit(0)
    return wait(client)

LambdaRuntimeClient.wait_next_invocation = wait_or_end
main(["bootstrap", handler])
"""


class _RuntimeApi(ThreadingHTTPServer):
    """A stand-in for Lambda's runtime API. It sends events in order, and keeps what the function posts.

    AWS documents this API in "Using the Lambda runtime API".
    """

    def __init__(self, events: Sequence[Any]) -> None:
        self.events = iter(events)
        self.answers: list[tuple[str, Any]] = []
        super().__init__(("127.0.0.1", 0), _Handler)


class _Handler(BaseHTTPRequestHandler):
    server: _RuntimeApi

    def do_GET(self) -> None:
        self._send(200, json.dumps(next(self.server.events)).encode())

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.answers.append((self.path.rpartition("/")[2], json.loads(body)))
        self._send(202, b"{}")

    def _send(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Lambda-Runtime-Aws-Request-Id", "invocation-1")
        self.send_header("Lambda-Runtime-Deadline-Ms", "4102444800000")
        self.send_header("Lambda-Runtime-Invoked-Function-Arn", "arn:aws:lambda:eu-central-1:123456789012:function:api")
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 (the base class uses this name)
        pass


@contextmanager
def _runtime_api(events: Sequence[Any]) -> Iterator[_RuntimeApi]:
    with _RuntimeApi(events) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
