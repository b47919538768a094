"""Serve the page in web/ on a developer's machine, with the headers that CloudFront sends, and give it tokens.

Nothing of this is shipped. On AWS, infra/modules/site serves the page, and people sign in at an issuer.
"""

import re
from collections.abc import Iterable
from typing import Any, Literal
from urllib.parse import urlsplit

import msgspec

from chalicelib.rest import problems
from chalicelib.rest.problems import Problem
from chalicelib.settings import settings
from tools.checkout import ROOT
from tools.local.issuer import token

WEB = ROOT / "web"

# A file without one of these endings, such as a licence, is text.
TEXT = "text/plain; charset=utf-8"
CONTENT_TYPES = {
    "css": "text/css; charset=utf-8",
    "html": "text/html; charset=utf-8",
    "ico": "image/x-icon",
    "js": "text/javascript; charset=utf-8",
    "json": "application/json",
    "png": "image/png",
    "svg": "image/svg+xml",
    "webmanifest": "application/manifest+json",
}

# The same as in infra/modules/site/main.tf, without the directive that would turn http on this machine into https.
POLICY = (
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self'",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types lit-html",
)
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-store",
}

# No name begins with a dot, so neither `..` nor a hidden file is served. Nothing is decoded, so `%2e%2e` is no name.
_PATH = re.compile(r"(?:/[A-Za-z0-9_-][A-Za-z0-9._-]*)+")
_SIGN_IN = "/local/token"
_THIS_MACHINE = re.compile(r"(?:127\.0\.0\.1|localhost|\[::1\])(?::[0-9]{1,5})?")

Response = dict[str, Any]


class _TokenRequest(msgspec.Struct, forbid_unknown_fields=True):
    role: Literal["viewer", "pipeline", "maintainer", "admin"]


def answer(method: str, target: str, headers: Iterable[tuple[str, str]], body: bytes | None) -> Response | None:
    """Return the page's file at an address, or a token. Return None if nothing is there. Raise Problem to refuse."""
    path = target.partition("?")[0]
    if path == _SIGN_IN:
        _require_method(method, "POST")
        return _token(headers, body)
    found = _file("/index.html" if path == "/" else path)
    if found is None:
        return None
    _require_method(method, "GET", "HEAD")
    return found


def _file(path: str) -> Response | None:
    file = WEB / path[1:]
    # A link must not lead out of the folder.
    if not _PATH.fullmatch(path) or not file.is_file() or not file.resolve().is_relative_to(WEB.resolve()):
        return None
    kind = CONTENT_TYPES.get(file.suffix[1:], TEXT)
    return _response(file.read_bytes(), {"Content-Type": kind, "Content-Security-Policy": _policy(), **HEADERS})


def _policy() -> str:
    sign_in = settings().sign_in
    if sign_in is None:
        return "; ".join(POLICY)
    parts = urlsplit(sign_in.authority)
    issuer = f"{parts.scheme}://{parts.netloc}"
    return "; ".join(f"{each} {issuer}" if each.startswith("connect-src") else each for each in POLICY)


def _token(headers: Iterable[tuple[str, str]], body: bytes | None) -> Response:
    """Return a token of the local issuer, but only to the page that this server sent.

    Any page that a developer visits can send requests to this machine. So the request must come from our own origin.
    A page of a stranger whose name leads to this machine has the stranger's name in Host.
    """
    sent = {name.lower(): value for name, value in headers}
    host = sent.get("host", "")
    if not _THIS_MACHINE.fullmatch(host) or sent.get("origin") != f"http://{host}":
        raise Problem(problems.forbidden, "Only the page of this server gets a token here: use `make token`")
    if sent.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise Problem(problems.unsupported_media_type, "The body is not JSON: send Content-Type: application/json")
    try:
        role = msgspec.json.decode(body or b"", type=_TokenRequest).role
    except msgspec.MsgspecError as error:
        raise Problem(problems.malformed, f"The body names no role ({error}): send a JSON object with `role`") from None
    given = token(role, "all")
    return _response(msgspec.json.encode({"token": given}), {"Content-Type": "application/json", **HEADERS})


def _require_method(method: str, *allowed: str) -> None:
    if method not in allowed:
        raise Problem(
            problems.method_not_allowed,
            f"This address does not take {method}: use {' or '.join(allowed)}",
            headers={"Allow": ", ".join(allowed)},
        )


def _response(body: bytes, headers: dict[str, str]) -> Response:
    return {"statusCode": 200, "headers": headers, "multiValueHeaders": {}, "body": body}
