"""Run the Python code of docs/dependencies.md: it calls a dependency with a secret that a person made."""

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import boto3
import pytest
from moto import mock_aws

from chalicelib import NAME, dependencies
from chalicelib.settings import settings
from tests.support.page import blocks

[CODE] = [block.text for block in blocks("dependencies.md") if block.language == "python"]
SECRET = f"{NAME}/production/payments"


class Payments(BaseHTTPRequestHandler):
    """Answers with the path and the credentials of a request."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(f"{self.path} {self.headers['Authorization']}".encode())

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def payments() -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), Payments) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/v1"
        server.shutdown()


@pytest.fixture
def declare(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    monkeypatch.setenv("SLIPWAY_STAGE", "local")
    monkeypatch.setenv("DATABASE_URL", "postgresql://unused")
    settings.cache_clear()
    dependencies._value.cache_clear()
    yield monkeypatch
    settings.cache_clear()
    dependencies._value.cache_clear()


def test_the_code_of_the_page_calls_a_dependency(payments: str, declare: pytest.MonkeyPatch) -> None:
    declared = {"instance": payments, "access": "read_write", "secret": SECRET}
    declare.setenv("SLIPWAY_DEPENDENCIES", json.dumps({"payments": declared}))
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        declare.setenv(name, "testing")
    declare.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    names: dict[str, object] = {}
    exec(CODE, names)  # noqa: S102 (the page's own code)

    with mock_aws():
        boto3.client("secretsmanager").create_secret(Name=SECRET, SecretString="made-by-hand")
        answer = names["balance"]()  # type: ignore[operator]

    assert answer == b"/v1/balance Bearer made-by-hand"


@pytest.mark.parametrize("declared", [{}, {"payments": {"instance": "https://pay.example.org", "access": "read_only"}}])
def test_a_function_without_the_secret_is_told_what_to_declare(
    declared: dict[str, object], declare: pytest.MonkeyPatch
) -> None:
    declare.setenv("SLIPWAY_DEPENDENCIES", json.dumps(declared))

    with pytest.raises(dependencies.NoSecret, match="no secret of the dependency 'payments'"):
        dependencies.read_secret("payments")
