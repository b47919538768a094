"""Which service the acceptance tests ask, as whom, and what they may do to it."""

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
"""`tools.local.issuer.token`: makes tokens that the service trusts. Only the local service has one at hand."""


@dataclass(frozen=True)
class AcceptanceSettings:
    """The service at `url` (without a slash at its end), and the token to ask it with.

    The tests record everything in `system`, which has no other purpose. `site` is true if the CDN is in front of the
    service.
    """

    url: str
    token: str = field(repr=False)
    mint: Mint | None = field(default=None, repr=False)
    system: str = SYSTEM
    read_only: bool = False
    site: bool = False

    @property
    def claims(self) -> Mapping[str, Any]:
        """What the token says; nothing of an opaque one. It is the service that verifies it."""
        try:
            payload = self.token.split(".")[1]
            claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        except (IndexError, ValueError):
            return {}
        return claims if isinstance(claims, dict) else {}


def from_environ(environ: Mapping[str, str]) -> AcceptanceSettings:
    """Read URL, TOKEN, SYSTEM, READ_ONLY and SITE. Raises UsageError."""
    url = _url(environ.get("URL", ""))
    system = environ.get("SYSTEM") or SYSTEM
    if not _SYSTEM.fullmatch(system):
        raise UsageError(
            f"SYSTEM={system} is no system for acceptance tests, which record deployments that never were: "
            f"its key is {SYSTEM!r}, or begins with '{SYSTEM}-'"
        )
    token, mint = environ.get("TOKEN", "").strip(), None
    if not token:
        if not is_loopback(url):
            raise UsageError(
                "Say as whom to ask, TOKEN=…: only for the local service one is made. docs/acceptance.md says what it "
                "has to be allowed"
            )
        from tools.local import issuer  # noqa: PLC0415 (only who has no token needs the local issuer)

        token, mint = issuer.token("admin"), issuer.token
    return AcceptanceSettings(
        url, token, mint, system, read_only=_flag(environ, "READ_ONLY"), site=_flag(environ, "SITE")
    )


def is_loopback(url: str) -> bool:
    return urlsplit(url).hostname in _LOOPBACK


def _url(text: str) -> str:
    if not text:
        raise UsageError(f"Say which service to test: {_EXAMPLE}")
    url = text.rstrip("/")
    try:
        parts = urlsplit(url)
        sound = bool(parts.hostname) and parts.port != 0
    except ValueError:
        sound = False
    if not sound or parts.scheme not in ("http", "https") or parts.username or parts.query or parts.fragment:
        raise UsageError(f"URL={text} is no address of a service: say http(s)://host, with the path before /v1 if any")
    if parts.scheme == "http" and not is_loopback(url):
        raise UsageError(f"URL={text} would show the token to whoever is on the way: say https://")
    if url.endswith("/v1"):
        raise UsageError(f"URL={text} goes too far: say {url.removesuffix('/v1')}")
    return url


def _flag(environ: Mapping[str, str], name: str) -> bool:
    value = environ.get(name, "")
    # A yes that is not understood must not become a no: production would be written to.
    if value not in ("", "0", "1"):
        raise UsageError(f"{name}={value} is neither yes nor no: say {name}=1, or leave it out")
    return value == "1"
