"""An issuer of tokens with real keys, over HTTP on loopback. It can rotate its keys, fail, and answer wrongly.

with serving() as issuer:
    issuer.settings("github-actions")     # an entry of SLIPWAY_ISSUERS
    issuer.github_token(repository="acme/shop", environment="production")
    issuer.person_token(groups=["admins"])
    issuer.rotate()
    issuer.behaves("html")                # from now on, answer requests for the keys with HTML
"""

import json
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from chalicelib.settings import Issuer
from tests.support.claims import github_claims, person_claims, without_none

DISCOVERY = "/.well-known/openid-configuration"
JWKS = "/jwks"

PATIENCE_SECONDS = 20

# GitHub gives each job a token like this one. The job sends the token to get OpenID Connect tokens.
RUNNERS_OWN = "runner-token"

GROUPS = {
    "everybody": {"role": "viewer"},
    "shop-maintainers": {"role": "maintainer", "systems": ["shop"]},
    "admins": {"role": "admin"},
}


class IssuerServer:
    """An issuer. `requests` has the requested paths. `discovery` and `jwks` are the published documents."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.requests: list[str] = []
        self.stopped = threading.Event()
        self._generation = 0
        self._behaviours: dict[str, Callable[[_Handler, bytes], None]] = {}
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.issuer = self
        if tls:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.1})
        self._thread.start()
        origin = "https://localhost" if tls else "http://127.0.0.1"
        self.url = f"{origin}:{self._server.server_port}"
        self.discovery: Any = {"issuer": self.url, "jwks_uri": f"{self.url}{JWKS}"}
        self.jwks: Any = {}
        self.rotate()

    def close(self) -> None:
        self.stopped.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def settings(self, kind: str = "github-actions", **changes: Any) -> dict[str, Any]:
        """Return the issuer's entry for SLIPWAY_ISSUERS. The kind `people` has the settings of a Cognito pool."""
        people = {"audience_claim": "client_id", "groups_claim": "cognito:groups", "groups": GROUPS}
        return {
            "kind": kind,
            "issuer": self.url,
            "audience": "service",
            "algorithm": "RS256",
            **(people if kind == "people" else {}),
            **changes,
        }

    def trusted(self, kind: str = "github-actions", **changes: Any) -> Issuer:
        """Return the issuer's entry for SLIPWAY_ISSUERS as the service's type `Issuer`."""
        return Issuer(**self.settings(kind, **changes))

    def github_token(self, *, header: Mapping[str, Any] | None = None, algorithm: str = "RS256", **claims: Any) -> str:
        """Return a token of a run of GitHub Actions; see `github_claims`."""
        return self.sign(github_claims(self.url, **claims), header=header, algorithm=algorithm)

    def person_token(self, groups: Sequence[str] = ("everybody",), **claims: Any) -> str:
        """Return a person's access token; see `person_claims`. Its header has no `typ`, as with Cognito."""
        return self.sign(person_claims(self.url, groups, **claims), header={"typ": None})

    def sign(
        self, claims: Mapping[str, Any], *, header: Mapping[str, Any] | None = None, algorithm: str = "RS256"
    ) -> str:
        """Return a token with exactly these claims, signed with the current key. `header` adds or replaces members."""
        headers = {"kid": self.kid(algorithm), **(header or {})}
        return jwt.encode(dict(claims), self.key(algorithm), algorithm=algorithm, headers=headers)

    def key(self, algorithm: str = "RS256") -> Any:
        """Return the current private key for an algorithm."""
        return private_key(algorithm, self._generation)

    def kid(self, algorithm: str = "RS256") -> str:
        return f"{algorithm.lower()}-{self._generation}"

    def jwk(self, algorithm: str = "RS256", **changes: Any) -> dict[str, Any]:
        """Return the current public key as a JWK. `changes` adds or replaces members; None leaves a member out."""
        members = {"kid": self.kid(algorithm), "alg": algorithm, "use": "sig", **changes}
        return public_jwk(self.key(algorithm), **members)

    def rotate(self, *, keep: bool = False) -> None:
        """Make and publish new keys. With `keep`, still publish the old keys too."""
        before = self.jwks["keys"] if keep else []
        self._generation += 1
        self.jwks = {"keys": [*before, self.jwk("RS256"), self.jwk("ES256")]}

    def behaves(self, how: str, path: str = JWKS) -> None:
        """From now on, answer requests for a path in the way `how` of BEHAVIOURS. The path "" stands for all paths.

        The way "well" answers correctly again.
        """
        self._behaviours[path] = BEHAVIOURS[how]
        if path == "":
            self._behaviours = {"": BEHAVIOURS[how]} if how != "well" else {}

    def answer(self, handler: "_Handler") -> None:
        self.requests.append(handler.path)
        path = handler.path.partition("?")[0]
        behaviour = self._behaviours.get("", self._behaviours.get(path, _well))
        # The URL of an issuer may have a path. The documents are below that path.
        document = self.discovery if path.endswith(DISCOVERY) else self.jwks if path.endswith(JWKS) else None
        if document is None:
            handler.send(b"{}", status=404)
        else:
            behaviour(handler, document if isinstance(document, bytes) else json.dumps(document).encode())


@contextmanager
def serving(tls: ssl.SSLContext | None = None) -> Iterator[IssuerServer]:
    """Serve an issuer during the block: with `tls` over https, else over http.

    Forget all cached keys of issuers before and after the block.
    """
    from chalicelib.identity import keys  # noqa: PLC0415

    issuer = IssuerServer(tls)
    keys.forget_keys()
    try:
        yield issuer
    finally:
        issuer.close()
        keys.forget_keys()


@cache
def private_key(algorithm: str = "RS256", number: int = 1) -> Any:
    """Return a private key; each algorithm and number has its own.

    A process makes each key once, because making an RSA key is slow.
    """
    if algorithm == "ES256":
        return ec.generate_private_key(ec.SECP256R1())
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def public_jwk(key: Any, **members: Any) -> dict[str, Any]:
    """Return the public part of a key as a JWK. `members` adds or replaces members; None leaves a member out."""
    family = jwt.algorithms.RSAAlgorithm if isinstance(key, rsa.RSAPrivateKey) else jwt.algorithms.ECAlgorithm
    return without_none({**family.to_jwk(key.public_key(), as_dict=True), "key_ops": None, **members})


@contextmanager
def tokens_of_a_run(issuer: IssuerServer, **claims: Any) -> Iterator[str]:
    """Yield the URL where a job of GitHub Actions gets tokens. Requests need an audience and the token RUNNERS_OWN."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            [audience] = parse_qs(urlsplit(self.path).query)["audience"]
            if self.headers["Authorization"] != f"Bearer {RUNNERS_OWN}":
                self.send_error(401)
                return
            self.send_response(200)
            self.end_headers()
            self.wfile.write(json.dumps({"value": issuer.github_token(audience=audience, **claims)}).encode())

        def log_message(self, *_: Any) -> None:
            """Log nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.1})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/token?api-version=2.0"
        finally:
            server.shutdown()
            thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64
    issuer: IssuerServer

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignore errors, because clients should disconnect from an issuer that answers wrongly."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def do_GET(self) -> None:
        self.server.issuer.answer(self)

    def send(self, body: bytes, *, status: int = 200, kind: str = "application/json", **headers: str) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": kind, "Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments: Any) -> None:
        """Log nothing."""


def _well(handler: _Handler, body: bytes) -> None:
    handler.send(body)


def _down(handler: _Handler, body: bytes) -> None:
    # Reset the connection, as if the process had ended. Keep the port, so that no other test gets the port.
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    handler.close_connection = True


def _silent(handler: _Handler, body: bytes) -> None:
    handler.server.issuer.stopped.wait(PATIENCE_SECONDS)
    handler.send(body)


def _drips(handler: _Handler, body: bytes) -> None:
    """Send the correct answer slowly, byte by byte. Each byte restarts the read timeout of the client."""
    handler.wfile.write(b"HTTP/1.0 200 OK\r\nContent-Type: application/json\r\n\r\n")
    _drip(handler, body)


def _drips_headers(handler: _Handler, body: bytes) -> None:
    handler.wfile.write(b"HTTP/1.0 200 OK\r\nContent-Type: application/json\r\nX-Header: ")
    _drip(handler, b"a" * 100)
    handler.wfile.write(b"\r\n\r\n" + body)


def _drip(handler: _Handler, content: bytes) -> None:
    for byte in content:
        if handler.server.issuer.stopped.wait(0.05):
            break
        handler.wfile.write(bytes([byte]))


def _redirects(handler: _Handler, body: bytes) -> None:
    # The redirect leads to the correct answer. A client that follows the redirect accepts the answer.
    if "?" in handler.path:
        handler.send(body)
    else:
        there = f"http://localhost:{handler.server.server_port}{handler.path}?moved"
        handler.send(b"{}", status=302, Location=there)


# The ways in which the issuer can answer. `body` is the correct document.
BEHAVIOURS: dict[str, Callable[[_Handler, bytes], None]] = {
    "well": _well,
    "down": _down,
    "silent": _silent,
    "drips": _drips,
    "drips headers": _drips_headers,
    "redirects": _redirects,
    "fails": lambda handler, body: handler.send(body, status=500),
    "html": lambda handler, body: handler.send(b"<!doctype html><title>Sign in</title>", kind="text/html"),
    "other type": lambda handler, body: handler.send(body, kind="text/html"),
    "huge": lambda handler, body: handler.send(body + b" " * 300_000),
    "cut off": lambda handler, body: handler.send(body[:-5]),
    "garbage": lambda handler, body: handler.send(bytes(range(256))),
    "no http": lambda handler, body: handler.wfile.write(b"SSH-2.0-OpenSSH_9.6\r\n") and None,
    "nested": lambda handler, body: handler.send(b"[" * 100_000),
    "list": lambda handler, body: handler.send(b"[" + body + b"]"),
    "null": lambda handler, body: handler.send(b"null"),
}
