"""Settings of the acceptance tests: the service, the token, and what the tests may do."""

import base64
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from tools.checkout import UsageError

SYSTEM = "acceptance"

_SYSTEM = re.compile(r"acceptance(-[a-z0-9-]{1,27})?")
_LOOPBACK = ("127.0.0.1", "localhost", "::1")
_EXAMPLE = "make acceptance URL=http://127.0.0.1:8000"

Mint = Callable[..., str]
"""The type of `tools.local.issuer.token`, which makes tokens that only the local service trusts."""


@dataclass(frozen=True)
class AcceptanceSettings:
    """The service at `url` (without a final slash), and the token for it.

    The tests record everything in `system`, which has no other purpose. `site` is true if the CDN is in front of the
    service. `digest` is of the package that should run there, or None if nobody knows.
    """

    url: str
    token: str = field(repr=False)
    mint: Mint | None = field(default=None, repr=False)
    system: str = SYSTEM
    read_only: bool = False
    site: bool = False
    digest: str | None = None

    @property
    def claims(self) -> Mapping[str, Any]:
        """The token's claims, unverified, or {} if the token is not a JWT."""
        try:
            payload = self.token.split(".")[1]
            claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        except (IndexError, ValueError):
            return {}
        return claims if isinstance(claims, dict) else {}


def from_environ(environ: Mapping[str, str]) -> AcceptanceSettings:
    """Read URL, TOKEN, SYSTEM, READ_ONLY, SITE and DIGEST, or raise UsageError."""
    url = _url(environ.get("URL", ""))
    system = environ.get("SYSTEM") or SYSTEM
    if not _SYSTEM.fullmatch(system):
        raise UsageError(
            f"SYSTEM={system} can't be used, because acceptance tests record made-up data: "
            f"use {SYSTEM!r}, or a key that begins with '{SYSTEM}-'"
        )
    token, mint = environ.get("TOKEN", "").strip(), None
    if not token:
        if not is_loopback(url):
            raise UsageError(
                "TOKEN is missing: set TOKEN=…, because only the local service needs none. docs/acceptance.md lists "
                "the roles that the token needs"
            )
        from tools.local import issuer  # noqa: PLC0415 (only needed without a token)

        token, mint = issuer.token("admin"), issuer.token
    return AcceptanceSettings(
        *(url, token, mint, system),
        read_only=_flag(environ, "READ_ONLY"),
        site=_flag(environ, "SITE"),
        digest=_digest(environ),
    )


def address(text: str) -> str:
    """Return the service's address without a final slash. Raise UsageError if a token must not be sent there."""
    return _url(text)


def is_loopback(url: str) -> bool:
    return urlsplit(url).hostname in _LOOPBACK


def _digest(environ: Mapping[str, str]) -> str | None:
    digest = environ.get("DIGEST") or None
    if digest is not None and not re.fullmatch("sha256:[0-9a-f]{64}", digest):
        raise UsageError(f"DIGEST={digest} is not a package's digest: use the sha256:… that `make package` printed")
    return digest


def _url(text: str) -> str:
    if not text:
        raise UsageError(f"URL is missing: name the service to test, as in {_EXAMPLE}")
    url = text.rstrip("/")
    try:
        parts = urlsplit(url)
        sound = bool(parts.hostname) and parts.port != 0
    except ValueError:
        sound = False
    if not sound or parts.scheme not in ("http", "https") or parts.username or parts.query or parts.fragment:
        raise UsageError(f"URL={text} is not a service's address: set http(s)://host, plus any path before /v1")
    if parts.scheme == "http" and not is_loopback(url):
        raise UsageError(f"URL={text} would send the token unencrypted: use https://")
    if url.endswith("/v1"):
        raise UsageError(f"URL={text} must end before /v1: set URL={url.removesuffix('/v1')}")
    return url


def _flag(environ: Mapping[str, str], name: str) -> bool:
    value = environ.get(name, "")
    # Refuse an unknown value: if READ_ONLY=yes meant no, the tests would write to production.
    if value not in ("", "0", "1"):
        raise UsageError(f"{name}={value} is neither 0 nor 1: set {name}=1, or leave it out")
    return value == "1"
