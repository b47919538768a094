"""Refuse requests that a web page sent. The emulated account asks for no credentials, so any page could change it."""

from collections.abc import Iterable
from typing import Any
from urllib.parse import urlsplit

from tools.aws.emulator.gaps import Application, Environ
from tools.local.emulation import ACCOUNT

# SDKs put the account's id in front of the host for some calls. For a browser this is not an address at all.
_LOOPBACK = ("127.0.0.1", "::1", "localhost", f"{ACCOUNT}.127.0.0.1")


class NoBrowser:
    """A WSGI application that answers 403 to pages of other sites, and hands all other requests on."""

    def __init__(self, application: Application) -> None:
        self._application = application

    def __call__(self, environ: Environ, start_response: Any) -> Iterable[bytes]:
        reason = _refusal(environ)
        if reason is None:
            return self._application(environ, start_response)
        body = f"{reason}\n".encode()
        start_response("403 Forbidden", [("Content-Type", "text/plain"), ("Content-Length", str(len(body)))])
        return [body]


def _refusal(environ: Environ) -> str | None:
    host = environ.get("HTTP_HOST", "")
    # A page whose name leads to this machine (DNS rebinding) counts as this site for a browser. Its name stays in Host.
    if not _is_loopback(host):
        return f"This server has no name {host!r}: use 127.0.0.1 or localhost"
    if environ.get("HTTP_ORIGIN", f"http://{host}") != f"http://{host}":
        return "Pages of other sites may not use this server: use the AWS CLI or an SDK"
    # Browsers send no Origin with an image or a link, but this header. `none` is an address that a person typed.
    if environ.get("HTTP_SEC_FETCH_SITE", "none") not in ("none", "same-origin"):
        return "Pages of other sites may not use this server: use the AWS CLI or an SDK"
    return None


def _is_loopback(host: str) -> bool:
    try:
        name = urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return False
    # Browsers resolve names under `localhost` to this machine themselves.
    return name in _LOOPBACK or name.endswith(".localhost")
