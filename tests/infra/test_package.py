"""Call the deployment package through Lambda's own runtime client, without other packages on Python's path.

The stage is `local`, with the tests' database. Other tests cover IAM tokens and Amazon's certificates.
"""

import json
import os
import subprocess
import sys
import threading
import zipfile
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tools.checks.openapi.file import PATH
from tools.local.gateway_event import Routes, gateway_event
from tools.package import compose

SECONDS = 60

PATHS = ["/v1/ready", "/v1/openapi.json"]
EVENTS = [gateway_event(Routes(PATHS), "GET", path, stage="production") for path in PATHS]


class RuntimeApi(ThreadingHTTPServer):
    """A stand-in for Lambda's runtime API. It sends EVENTS in order, and keeps the answers.

    AWS documents this API in "Using the Lambda runtime API".
    """

    def __init__(self) -> None:
        self.answered = threading.Event()
        self.events = iter(EVENTS)
        self.answers: list[tuple[str, Any]] = []
        super().__init__(("127.0.0.1", 0), _Handler)


class _Handler(BaseHTTPRequestHandler):
    server: RuntimeApi

    def do_GET(self) -> None:
        event = next(self.server.events, None)
        if event is None:  # there are no more events: let the client wait, as on AWS
            self.server.answered.wait(SECONDS)
            self._send(410, b"")
            return
        self._send(200, json.dumps(event).encode())

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self._send(202, b"{}")
        self.server.answers.append((self.path.rpartition("/")[2], json.loads(body)))
        if len(self.server.answers) == len(EVENTS):
            self.server.answered.set()

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


@pytest.fixture
def runtime_api() -> Iterator[RuntimeApi]:
    with RuntimeApi() as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server
        server.answered.set()
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def module(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with production's package. The package's zip is unpacked in `task`."""
    folder = tmp_path_factory.mktemp("module")
    compose.package("production", folder)
    with zipfile.ZipFile(folder / "deployment.zip") as package:
        package.extractall(folder / "task")
    return folder


def test_the_zip_verifies_tokens_without_other_packages(module: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-S", "-c", _VERIFY, str(module / "task")], capture_output=True, text=True, check=False
    )

    assert done.stdout == "jane\n", done.stderr


def test_the_zip_answers_alone_through_lambdas_runtime(
    module: Path, database_url: str, runtime_api: RuntimeApi
) -> None:
    task = module / "task"
    composed = json.loads((module / "generated.tf.json").read_text())["locals"]
    handler = composed["functions"]["api"]["handler"]

    # Python's path has site-packages only during the import of the runtime client. Then the zip replaces site-packages.
    process = subprocess.Popen(
        [sys.executable, "-S", "-c", _CLIENT, _site_packages(), str(task), handler],
        cwd=task,
        env={
            "PATH": os.environ["PATH"],
            "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{runtime_api.server_port}",
            "AWS_LAMBDA_FUNCTION_NAME": "service-production-api",
            "AWS_LAMBDA_FUNCTION_VERSION": "1",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "1024",
            "AWS_REGION": "eu-central-1",
            "LAMBDA_TASK_ROOT": str(task),
            "SLIPWAY_STAGE": "local",
            "SLIPWAY_ISSUERS": "[]",
            "DATABASE_URL": database_url,
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        answered = runtime_api.answered.wait(SECONDS)
    finally:
        process.kill()
        said, _ = process.communicate()

    assert answered, said
    for kind, answer in runtime_api.answers:
        assert kind == "response", answer
        assert answer["statusCode"] == 200, said
    ready, document = (json.loads(answer["body"]) for _, answer in runtime_api.answers)
    assert ready["status"] == "ready"
    assert document == json.loads(PATH.read_text())


def _site_packages() -> str:
    import awslambdaric  # noqa: PLC0415 (only this function needs it)

    return str(Path(awslambdaric.__file__).parents[1])


_VERIFY = """
import sys
sys.path.insert(0, sys.argv[1])
import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa
keys = {"ES256": ec.generate_private_key(ec.SECP256R1()), "RS256": rsa.generate_private_key(65537, 2048)}
for algorithm, key in keys.items():
    token = jwt.encode({"sub": "jane"}, key, algorithm)
    claims = jwt.decode(token, key.public_key(), [algorithm])
print(claims["sub"])
"""
_CLIENT = """
import sys
site, task, handler = sys.argv[1:]
sys.path.insert(0, site)
from awslambdaric.__main__ import main
sys.path.remove(site)
sys.path.insert(0, task)
main(["bootstrap", handler])
"""
