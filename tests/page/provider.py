"""An OpenID provider on loopback: it signs in a person, without a password, by authorization code with PKCE.

Its access tokens have the form of Cognito's, and the service verifies them with its published keys.
"""

import base64
import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from chalicelib.identity import keys
from tests.support.claims import person_claims
from tests.support.issuer import IssuerServer, _Handler

CLIENT = "service"


class Provider(IssuerServer):
    """`groups` are the person's groups, and `exchanged` counts the codes that became tokens.

    `denies` makes it refuse everybody. `lifetime` of the tokens is in seconds.
    """

    def __init__(self) -> None:
        super().__init__()
        self._server.RequestHandlerClass = _ProviderHandler
        self.discovery |= {
            "authorization_endpoint": f"{self.url}/authorize",
            "token_endpoint": f"{self.url}/token",
            "end_session_endpoint": f"{self.url}/logout",
        }
        self.groups = ["admins"]
        self.denies = False
        self.lifetime = 3600
        self.exchanged = 0
        self.ended = 0
        self._asked: dict[str, str] = {}

    def answer(self, handler: _Handler) -> None:
        address = urlsplit(handler.path)
        query = {name: values[0] for name, values in parse_qs(address.query).items()}
        if address.path == "/authorize":
            self._authorize(handler, query)
        elif address.path == "/logout":
            self.ended += 1
            handler.send(b"", status=302, Location=query["post_logout_redirect_uri"])
        else:
            super().answer(handler)

    def exchange(self, form: dict[str, str]) -> bytes:
        """Return tokens for the code that `/authorize` gave, if the verifier is that of its challenge."""
        digest = hashlib.sha256(form["code_verifier"].encode()).digest()
        assert base64.urlsafe_b64encode(digest).rstrip(b"=").decode() == self._asked["code_challenge"]
        assert (form["code"], form["client_id"]) == ("one-time", CLIENT)
        self.exchanged += 1
        claims = person_claims(self.url, self.groups)
        claims["exp"] = claims["iat"] + self.lifetime
        identity = {name: claims[name] for name in ("iss", "sub", "iat", "exp")}
        return json.dumps(
            {
                "access_token": self.sign(claims, header={"typ": None}),
                "id_token": self.sign({**identity, "aud": CLIENT, "nonce": self._asked.get("nonce")}),
                "token_type": "Bearer",
            }
        ).encode()

    def _authorize(self, handler: _Handler, query: dict[str, str]) -> None:
        assert (query["response_type"], query["code_challenge_method"]) == ("code", "S256")
        self._asked = query
        given = {"error": "access_denied"} if self.denies else {"code": "one-time"}
        answer = urlencode({**given, "state": query["state"]})
        handler.send(b"", status=302, Location=f"{query['redirect_uri']}?{answer}")


class _ProviderHandler(_Handler):
    def do_POST(self) -> None:  # noqa: N802 (the name that http.server calls)
        form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        self.send(self.server.issuer.exchange({name: values[0] for name, values in form.items()}))

    def send(self, body: bytes, **headers: Any) -> None:
        super().send(body, **{**headers, "Access-Control-Allow-Origin": "*"})


@contextmanager
def provider() -> Iterator[Provider]:
    """Serve a provider during the block."""
    server = Provider()
    keys.forget_keys()
    try:
        yield server
    finally:
        server.close()
        keys.forget_keys()
