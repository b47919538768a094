"""An OpenID provider on loopback: authorization code with PKCE, for people who need no password."""

import base64
import hashlib
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import jwt

_SECRET = "only the browser reads this identity token, and it does not check the signature"


class Provider(ThreadingHTTPServer):
    """`challenges_met` counts the codes exchanged with the right verifier. `denies` makes it refuse everybody."""

    def __init__(self, access_token: str) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.access_token = access_token
        self.host = f"127.0.0.1:{self.server_port}"
        self.url = f"http://{self.host}"
        self.challenges_met = 0
        self.denies = False
        self.asked: dict[str, str] = {}


class _Handler(BaseHTTPRequestHandler):
    server: Provider

    def log_message(self, *_: Any) -> None:
        pass

    def do_GET(self) -> None:
        address = urlsplit(self.path)
        if address.path == "/authorize":
            self._authorize({name: values[0] for name, values in parse_qs(address.query).items()})
        else:
            url = self.server.url
            self._json({"issuer": url, "authorization_endpoint": f"{url}/authorize", "token_endpoint": f"{url}/token"})

    def do_POST(self) -> None:
        form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        digest = hashlib.sha256(form["code_verifier"][0].encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        assert challenge == self.server.asked["code_challenge"]
        self.server.challenges_met += 1
        now = int(time.time())
        claims = {"iss": self.server.url, "aud": "dashboard", "sub": "jane", "iat": now, "exp": now + 3600}
        id_token = jwt.encode({**claims, "nonce": self.server.asked.get("nonce")}, _SECRET)
        self._json({"access_token": self.server.access_token, "id_token": id_token, "token_type": "Bearer"})

    def _authorize(self, query: dict[str, str]) -> None:
        assert query["response_type"] == "code"
        assert query["code_challenge_method"] == "S256"
        self.server.asked = query
        self.send_response(302)
        given = {"error": "access_denied"} if self.server.denies else {"code": "one-time"}
        answer = urlencode({**given, "state": query["state"]})
        self.send_header("Location", f"{query['redirect_uri']}?{answer}")
        self.end_headers()

    def _json(self, document: Any) -> None:
        body = json.dumps(document).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Access-Control-Allow-Origin", "*")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@contextmanager
def provider(access_token: str) -> Iterator[Provider]:
    """Serve a provider that gives everybody this access token."""
    server = Provider(access_token)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
