"""Fetch a small JSON document within a deadline that no slow server can extend.

PyJWT's client, urllib and urllib3 can't do that: their timeouts start again with each byte.
"""

import http.client
import json
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any
from urllib.parse import SplitResult, urlsplit, urlunsplit

from chalicelib import NAME, __version__

MAX_DOCUMENT_BYTES = 256 * 1024


class NotFetched(Exception):
    """The address gave no usable JSON document; the message says why."""


def fetch_json(address: str, seconds: float) -> Any:
    """Return the JSON document at an address, or raise NotFetched. Follow no redirect and use no proxy.

    `seconds` limits the time until the last byte. Only a slow look-up of the host's name can take longer.
    """
    try:
        response, body = _get(urlsplit(address), time.monotonic() + seconds)
    except (OSError, ValueError, http.client.HTTPException) as error:
        raise NotFetched(f"{address} can't be read: check the address ({type(error).__name__} {error})"[:300]) from None
    if response.status != http.client.OK:
        raise NotFetched(f"{address} answered {response.status}, not 200: check the address")
    kind = response.headers.get_content_type()
    if not (kind.startswith("application/") and kind.endswith(("/json", "+json"))):
        raise NotFetched(f"{address} is {kind}, not JSON: check the address")
    if len(body) > MAX_DOCUMENT_BYTES:
        raise NotFetched(f"{address} is longer than {MAX_DOCUMENT_BYTES} bytes: check the address")
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        raise NotFetched(f"{address} is not JSON, or not complete after {seconds} s: check the address") from None


def _get(url: SplitResult, deadline: float) -> tuple[http.client.HTTPResponse, bytes]:
    if not url.hostname:
        raise ValueError("the address has no host: add one")
    encrypted = url.scheme == "https"
    # http.client follows no redirects and uses no proxies, unlike PyJWT's client and urllib.
    connection = http.client.HTTPConnection(url.hostname, url.port or (443 if encrypted else 80))
    with _connected(connection.host, connection.port, deadline) as plain, _cut_at(deadline, plain):
        connection.sock = plain
        if encrypted:
            connection.sock = ssl.create_default_context().wrap_socket(plain, server_hostname=connection.host)
        try:
            target = urlunsplit(("", "", url.path or "/", url.query, ""))
            headers = {"Accept": "application/json", "Connection": "close", "User-Agent": f"{NAME}/{__version__}"}
            connection.request("GET", target, headers=headers)
            with connection.getresponse() as response:
                return response, response.read(MAX_DOCUMENT_BYTES + 1)
        finally:
            connection.close()


def _connected(host: str, port: int, deadline: float) -> socket.socket:
    """Return a connection to the host's first address that answers. All attempts share the deadline."""
    for *_, (address, *_) in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM):
        try:
            return socket.create_connection((str(address), port), _seconds_until(deadline))
        except OSError as error:
            refused = error
    raise refused


@contextmanager
def _cut_at(deadline: float, connected: socket.socket) -> Iterator[None]:
    """Shut the connection down at the deadline if the block still runs: the block's reads then end."""
    # TLS takes over the descriptor of `connected`. A duplicate of the descriptor can still shut the connection down.
    with connected.dup() as handle:
        timer = threading.Timer(_seconds_until(deadline), _shut_down, [handle])
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()


def _shut_down(handle: socket.socket) -> None:
    with suppress(OSError):  # the block may have just closed the connection
        handle.shutdown(socket.SHUT_RDWR)


def _seconds_until(deadline: float) -> float:
    seconds = deadline - time.monotonic()
    if seconds <= 0:
        raise TimeoutError("the deadline has passed: try again later")
    return seconds
