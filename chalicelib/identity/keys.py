"""The keys that an issuer signs with, as it publishes them (OpenID Connect Discovery 1.0, RFC 7517).

They are kept, so that an issuer which is away, slow or lying does not take the service down; and they are asked for
seldom, so that forged tokens can't make us hammer it. Only the authorizer's function imports this module.
"""

import http.client
import io
import json
import re
import socket
import ssl
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple
from urllib.parse import SplitResult, urlsplit

from chalicelib.settings import Issuer
from chalicelib.telemetry import logger

FRESH_SECONDS = 3600
# A key that is no longer published may have been revoked: who can't be asked for so long is not believed any more.
STALE_SECONDS = 24 * 3600
COOL_DOWN_SECONDS = 30
COOL_DOWN_WITHOUT_KEYS_SECONDS = 5
FETCH_SECONDS = 2.0  # for a document, from the first connection to its last byte; only the name's look-up comes on top
MAX_DOCUMENT_BYTES = 256 * 1024
MAX_KEYS = 50

_JSON_TYPE = re.compile(r"application/(?:[a-z0-9.-]+\+)?json\s*(?:;|$)", re.IGNORECASE)
_KEY_TYPES = {"RS256": "RSA", "ES256": "EC"}
_KEY_BITS = {"RS256": range(2048, 8193), "ES256": range(256, 257)}  # more would be a way to keep us busy


class NoKey(Exception):
    """The issuer has no such key, or could not be asked; the message says which."""


class KeySet:
    """The keys of one issuer, for all threads of a process. `clock` gives seconds; tests let it jump.

    It is not the monotonic clock, which may stand still while a function is frozen.
    """

    def __init__(self, issuer: Issuer, clock: Callable[[], float] = time.time) -> None:
        self._issuer = issuer
        self._clock = clock
        self._known: _Known | None = None
        self._asked_at: float | None = None
        self._failure = "it was not asked yet"
        self._asking = threading.Lock()

    def key(self, kid: str) -> Any:
        """The public key of this id; raises NoKey."""
        # One asks at a time. Who needs no answer does not wait for one.
        if self._wants_to_ask(kid) and self._asking.acquire(blocking=self._kept(kid) is None):
            try:
                if self._wants_to_ask(kid):
                    self._ask()
            finally:
                self._asking.release()
        key = self._kept(kid)
        if key is None:
            raise NoKey(f"{self._issuer.issuer} has no usable key {kid[:100]!r}; last asked: {self._failure}")
        return key

    def _wants_to_ask(self, kid: str) -> bool:
        if self._age() < FRESH_SECONDS and self._kept(kid) is not None:
            return False
        cool_down = COOL_DOWN_SECONDS if self._age() < STALE_SECONDS else COOL_DOWN_WITHOUT_KEYS_SECONDS
        asked_at = self._asked_at
        # A clock that was set back counts as one that has gone on.
        return asked_at is None or not 0 <= self._clock() - asked_at < cool_down

    def _kept(self, kid: str) -> Any:
        return self._known.keys.get(kid) if self._known and self._age() < STALE_SECONDS else None

    def _age(self) -> float:
        if self._known is None:
            return float("inf")
        age = self._clock() - self._known.at
        return age if age >= 0 else FRESH_SECONDS

    def _ask(self) -> None:
        try:
            self._known = _Known(_published_keys(self._issuer), self._clock())
            self._failure = "it answered"
        except _Failed as failure:
            self._failure = str(failure)
            logger.warning("issuer gave no keys", extra={"issuer": self._issuer.issuer, "reason": self._failure})
        except Exception:
            # An answer that nobody thought of must not keep us from the keys that we have.
            self._failure = "its answer could not be understood"
            logger.exception("unexpected exception", extra={"issuer": self._issuer.issuer})
        finally:
            self._asked_at = self._clock()


class _Known(NamedTuple):
    keys: Mapping[str, Any]
    at: float


class _Failed(Exception):
    """The issuer did not give what it has to; the message says why."""


_KEY_SETS: dict[tuple[str, str], KeySet] = {}
_KEY_SETS_LOCK = threading.Lock()


def key_set(issuer: Issuer) -> KeySet:
    """The process's keys of an issuer."""
    with _KEY_SETS_LOCK:
        return _KEY_SETS.setdefault((issuer.issuer, issuer.algorithm), KeySet(issuer))


def forget_keys() -> None:
    """Begin anew, as a new process does."""
    with _KEY_SETS_LOCK:
        _KEY_SETS.clear()


def usable_keys(documents: list[Any], algorithm: str) -> dict[str, Any]:
    """The public keys, by their ids, out of JWKs: those that this algorithm verifies with.

    Where two have one id, neither is used: which of them was meant is anybody's guess.
    """
    named = [(_id_of(jwk), usable_key(jwk, algorithm)) for jwk in documents]
    usable = [(kid, key) for kid, key in named if kid is not None and key is not None]
    times = Counter(kid for kid, _ in usable)
    return {kid: key for kid, key in usable if times[kid] == 1}


def usable_key(jwk: Any, algorithm: str) -> Any:
    """The public key in a JWK, or None if this algorithm must not verify with it."""
    if not isinstance(jwk, dict) or not all(check(jwk, algorithm) for check in JWK_CHECKS.values()):
        return None
    import jwt  # noqa: PLC0415 (100 ms that only the verification of tokens pays)

    try:
        key = jwt.PyJWK(jwk, algorithm=algorithm).key
    except (jwt.PyJWTError, ValueError, TypeError, AttributeError):
        return None
    return key if all(check(key, algorithm) for check in KEY_CHECKS.values()) else None


def _may_verify(jwk: dict[str, Any], algorithm: str) -> bool:
    operations = jwk.get("key_ops")
    return operations is None or (isinstance(operations, list) and "verify" in operations)


# What a JWK has to say of itself, by member.
JWK_CHECKS: dict[str, Callable[[dict[str, Any], str], bool]] = {
    "kty": lambda jwk, algorithm: jwk.get("kty") == _KEY_TYPES[algorithm],
    "alg": lambda jwk, algorithm: jwk.get("alg") in (None, algorithm),
    "use": lambda jwk, algorithm: jwk.get("use") in (None, "sig"),
    "key_ops": _may_verify,
    "crv": lambda jwk, algorithm: algorithm != "ES256" or jwk.get("crv") == "P-256",
    # A private key that was published is everybody's.
    "d": lambda jwk, algorithm: "d" not in jwk,
}
# What the key in it has to be.
KEY_CHECKS: dict[str, Callable[[Any, str], bool]] = {
    "size": lambda key, algorithm: key.key_size in _KEY_BITS[algorithm],
}


def _id_of(jwk: Any) -> str | None:
    kid = jwk.get("kid") if isinstance(jwk, dict) else None
    return kid if isinstance(kid, str) and kid else None


def _published_keys(issuer: Issuer) -> dict[str, Any]:
    """The keys that the issuer publishes now; raises _Failed."""
    discovery = _fetch(f"{issuer.issuer.rstrip('/')}/.well-known/openid-configuration")
    if not isinstance(discovery, dict) or discovery.get("issuer") != issuer.issuer:
        raise _Failed("its discovery document is of another issuer")
    address = discovery.get("jwks_uri")
    if not isinstance(address, str) or not _is_trusted_address(address, issuer):
        raise _Failed("its discovery document names no address of keys that can be trusted")
    document = _fetch(address)
    documents = document.get("keys") if isinstance(document, dict) else None
    if not isinstance(documents, list) or len(documents) > MAX_KEYS:
        raise _Failed(f"its keys are no JSON Web Key Set of at most {MAX_KEYS}")
    keys = usable_keys(documents, issuer.algorithm)
    if not keys:
        # Were it believed, one wrong answer would lock everybody out.
        raise _Failed(f"none of its {len(documents)} keys can be used with {issuer.algorithm}")
    return keys


def _is_trusted_address(address: str, issuer: Issuer) -> bool:
    """Keys come over https; only an issuer on this machine, for tests and trials, has its own address without."""
    try:
        ours, theirs = urlsplit(issuer.issuer), urlsplit(address)
    except ValueError:
        return False
    if theirs.scheme == "https":
        return bool(theirs.hostname)
    return (theirs.scheme, theirs.netloc) == (ours.scheme, ours.netloc)


def _fetch(address: str) -> Any:
    """The JSON document at an address; raises _Failed. Follows no redirect, and uses no proxy."""
    try:
        url = urlsplit(address)
        connection = _Connection(url, time.monotonic() + FETCH_SECONDS)
        try:
            path = f"{url.path or '/'}{'?' if url.query else ''}{url.query}"
            connection.request("GET", path, headers={"Accept": "application/json", "Connection": "close"})
            with connection.getresponse() as response:
                body = response.read(MAX_DOCUMENT_BYTES + 1)
        finally:
            connection.close()
    except (OSError, ValueError, http.client.HTTPException) as error:
        raise _Failed(f"{address} can't be read: {type(error).__name__} {error}"[:300]) from None
    if response.status != http.client.OK:
        raise _Failed(f"{address} answered {response.status}")
    if not _JSON_TYPE.match(response.headers.get("Content-Type", "")):
        raise _Failed(f"{address} is not JSON by its type")
    if len(body) > MAX_DOCUMENT_BYTES:
        raise _Failed(f"{address} is longer than {MAX_DOCUMENT_BYTES} bytes")
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        raise _Failed(f"{address} is not JSON") from None


class _Connection(http.client.HTTPConnection):
    """A connection that ends at a moment of `time.monotonic`: a timeout of a socket starts anew with each byte."""

    def __init__(self, url: SplitResult, deadline: float) -> None:
        assert url.hostname is not None
        super().__init__(url.hostname, url.port or (443 if url.scheme == "https" else 80))
        self._encrypted = url.scheme == "https"
        self._deadline = deadline

    def connect(self) -> None:
        for family, kind, protocol, _, address in socket.getaddrinfo(self.host, self.port, type=socket.SOCK_STREAM):
            plain = socket.socket(family, kind, protocol)
            try:
                plain.settimeout(_seconds_until(self._deadline))
                plain.connect(address)
                break
            except OSError as error:
                plain.close()
                refused = error
        else:
            raise refused
        if self._encrypted:
            try:
                plain.settimeout(_seconds_until(self._deadline))
                plain = ssl.create_default_context().wrap_socket(plain, server_hostname=self.host)
            except BaseException:
                plain.close()
                raise
        self.sock = _BoundedSocket(plain, self._deadline)


class _BoundedSocket:
    """What http.client needs of a socket. It is closed before its answer is read, so the reader closes the real one."""

    def __init__(self, plain: socket.socket, deadline: float) -> None:
        self._plain = plain
        self._deadline = deadline
        self._is_read = False

    def sendall(self, data: Any) -> None:
        self._plain.settimeout(_seconds_until(self._deadline))
        self._plain.sendall(data)

    def makefile(self, mode: str) -> io.BufferedReader:
        self._is_read = True
        return io.BufferedReader(_BoundedReader(self._plain, self._deadline))

    def close(self) -> None:
        if not self._is_read:
            self._plain.close()


class _BoundedReader(io.RawIOBase):
    def __init__(self, plain: socket.socket, deadline: float) -> None:
        self._plain = plain
        self._deadline = deadline

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self._plain.settimeout(_seconds_until(self._deadline))
        return self._plain.recv_into(buffer)

    def close(self) -> None:
        super().close()
        self._plain.close()


def _seconds_until(deadline: float) -> float:
    seconds = deadline - time.monotonic()
    if seconds <= 0:
        raise TimeoutError("it took too long")
    return seconds
