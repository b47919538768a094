"""Serve the whole app, with its authorizer, over real HTTP from this process."""

import http.client
import json
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from chalicelib.identity import tokens
from tests.support.api import Answer
from tests.support.claims import ISSUER
from tests.support.contract import Contract
from tests.support.stage import local_stage
from tools.local.server import load_app, serving


class Served:
    """A caller of the served API. It sends an admin's token, unless a request has its own `Authorization` header."""

    def __init__(self, port: int, token: str, contract: Contract) -> None:
        self._port = port
        self._headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        self._contract = contract

    def ask(
        self, method: str, target: str, body: Any = None, headers: Mapping[str, str | bytes] | None = None
    ) -> Answer:
        """Send a request with exactly this target; return the answer.

        Check the answer against the OpenAPI document. Answers to HEAD are not checked, because they have no body.
        """
        raw = body if isinstance(body, bytes | None) else json.dumps(body).encode()
        with closing(http.client.HTTPConnection("127.0.0.1", self._port, timeout=30)) as connection:
            # `connection.request` would refuse or correct unusual requests.
            connection.putrequest(method, "/", skip_accept_encoding=True)
            connection._buffer[0] = f"{method} ".encode() + target.encode() + b" HTTP/1.1"
            for name, value in {**self._headers, "Connection": "close", **(headers or {})}.items():
                connection.putheader(name, value)
            if raw is not None or method in ("POST", "PUT", "PATCH"):
                connection.putheader("Content-Length", str(len(raw or b"")))
            connection.endheaders(raw)
            received = connection.getresponse()
            # Read until the server closes the connection: `received.read` would ignore a body after HEAD.
            answer = Answer(received.status, received.headers, received.fp.read())
        if method != "HEAD":
            path = target.partition("?")[0]
            self._contract.check_answer(method, path, answer.status, answer.headers, answer.body)
        return answer


@contextmanager
def served(database_url: str, contract: Contract, folder: Path) -> Iterator[Served]:
    """Serve the app on a database, with the local server; yield a caller of the served API.

    The local issuer's public key is written to `folder`.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    public = folder / "public.jwk.json"
    public.write_text(jwt.algorithms.ECAlgorithm.to_jwk(key.public_key()))
    now = int(time.time())
    claims = {"iss": ISSUER, "aud": "service", "sub": "admin@local", "iat": now, "exp": now + 3600, "role": "admin"}
    with pytest.MonkeyPatch.context() as patch, local_stage(database_url):
        patch.setattr(tokens, "LOCAL_PUBLIC_KEY", public)
        tokens._local_key.cache_clear()
        try:
            with serving(*load_app({})) as url:
                yield Served(int(url.rpartition(":")[2]), jwt.encode(claims, key, algorithm="ES256"), contract)
        finally:
            tokens._local_key.cache_clear()
