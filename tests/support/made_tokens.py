"""Tokens that are valid except for a given change, and the check that refuses a token."""

import base64
import json
import time
from collections.abc import Callable
from typing import Any

import jwt

from chalicelib.identity.tokens import verify
from chalicelib.identity.unverified import TokenRefused
from chalicelib.settings import Issuer
from tests.support.issuer import IssuerServer, github_claims

ABSENT = object()


def made(
    issuer: IssuerServer,
    *,
    header: dict[str, Any] | str | bytes | None = None,
    claims: dict[str, Any] | str | bytes | None = None,
    algorithm: str = "RS256",
    sign: Callable[[bytes], bytes] | None = None,
    encode: Callable[[bytes], str] | None = None,
) -> str:
    """Make a token that is valid except for these changes of the header, the claims, the signature or the encoding."""
    encode = encode or encoded
    whole_header = {"alg": algorithm, "typ": "JWT", "kid": issuer.kid(algorithm)}
    parts = [changed(whole_header, header or {}), changed(github_claims(issuer.url), claims or {})]
    texts = ".".join(encode(part) for part in parts)
    return f"{texts}.{encode((sign or signer(issuer.key(algorithm), algorithm))(texts.encode()))}"


def changed(members: dict[str, Any], changes: dict[str, Any] | str | bytes) -> bytes:
    if isinstance(changes, bytes):
        return changes
    if isinstance(changes, str):  # `changes` is JSON text with more members
        return f"{json.dumps(members)[:-1]}, {changes}}}".encode()
    return json.dumps({name: value for name, value in {**members, **changes}.items() if value is not ABSENT}).encode()


def signer(key: Any, algorithm: str = "RS256") -> Callable[[bytes], bytes]:
    return lambda text: jwt.get_algorithm_by_name(algorithm).sign(text, key)


def encoded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def later(**seconds: float) -> Callable[[IssuerServer], str]:
    """`later(exp=60)` makes a token whose claim `exp` is 60 seconds from now."""
    return lambda issuer: made(issuer, claims={name: int(time.time()) + each for name, each in seconds.items()})


def check_that_refuses(token: str, trusted: tuple[Issuer, ...]) -> str | None:
    """Return the name of the check that refuses the token. None if the token is accepted."""
    try:
        verify(token, trusted)
    except TokenRefused as refusal:
        return refusal.check
    return None
