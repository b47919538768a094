"""The cache of the public keys that issuers publish.

PyJWT's PyJWKClient drops keys when they expire. If an issuer fails, PyJWKClient asks again at once. It also lets every
thread wait for the thread that asks.
"""

import threading
import time
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from chalicelib.identity.fetching import NotFetched
from chalicelib.identity.published_keys import NotPublished, published_keys
from chalicelib.settings import Issuer
from chalicelib.telemetry.logs import logger

FRESH_SECONDS = 3600
# Keep keys, so that the service works even if an issuer is down, slow or wrong. But a key that is no longer published
# may have been revoked. So after this time without an answer, trust no key.
STALE_SECONDS = 24 * 3600
# Ask rarely, so that forged tokens can't flood the issuer with requests.
COOL_DOWN_SECONDS = 30
COOL_DOWN_WITHOUT_KEYS_SECONDS = 5


class NoKey(Exception):
    """The issuer has no key with this id, or did not answer; the message says which."""


class KeySet:
    """The keys of one issuer, for all threads of a process. `clock` returns the time in seconds; tests let it jump.

    By default, `clock` is not the monotonic clock, which may stand still while a function is frozen.
    """

    def __init__(self, issuer: Issuer, clock: Callable[[], float] = time.time) -> None:
        self._issuer = issuer
        self._clock = clock
        self._known: _Known | None = None
        self._asked_at: float | None = None
        self._last_answer = "none yet"
        self._asking = threading.Lock()

    def key(self, kid: str) -> Any:
        """Return the public key with this id, or raise NoKey."""
        # One thread asks at a time. Other threads wait for this thread only if they have no key yet.
        if self._wants_to_ask(kid) and self._asking.acquire(blocking=self._kept(kid) is None):
            try:
                if self._wants_to_ask(kid):
                    self._ask()
            finally:
                self._asking.release()
        key = self._kept(kid)
        if key is None:
            raise NoKey(
                f"{self._issuer.issuer} has no usable key {kid[:100]!r} (last answer: {self._last_answer}): "
                "get a new token, or check the issuer"
            )
        return key

    def _wants_to_ask(self, kid: str) -> bool:
        if self._age() < FRESH_SECONDS and self._kept(kid) is not None:
            return False
        cool_down = COOL_DOWN_SECONDS if self._age() < STALE_SECONDS else COOL_DOWN_WITHOUT_KEYS_SECONDS
        asked_at = self._asked_at
        # A clock that was set back ends the cool-down.
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
            self._known = _Known(published_keys(self._issuer), self._clock())
            self._last_answer = "other keys"
        except (NotFetched, NotPublished) as failure:
            self._last_answer = str(failure)
            logger.warning("issuer gave no keys", extra={"issuer": self._issuer.issuer, "reason": self._last_answer})
        except Exception:
            # An unexpected answer must not make the cache lose its keys.
            self._last_answer = "not understood"
            logger.exception("unexpected exception", extra={"issuer": self._issuer.issuer})
        finally:
            self._asked_at = self._clock()


class _Known(NamedTuple):
    keys: Mapping[str, Any]
    at: float


_KEY_SETS: dict[tuple[str, str], KeySet] = {}
_KEY_SETS_LOCK = threading.Lock()


def key_set(issuer: Issuer) -> KeySet:
    """Return this process's key set for an issuer."""
    with _KEY_SETS_LOCK:
        return _KEY_SETS.setdefault((issuer.issuer, issuer.algorithm), KeySet(issuer))


def forget_keys() -> None:
    """Forget all keys, as if the process had just started."""
    with _KEY_SETS_LOCK:
        _KEY_SETS.clear()
