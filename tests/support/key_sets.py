"""A set of keys, and the clock that it reads, for tests."""

from chalicelib.identity.keys import KeySet, NoKey
from tests.support.issuer import DISCOVERY, JWKS

FETCHED = [DISCOVERY, JWKS]


class Clock:
    """A clock that moves only by `goes_on`."""

    now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now

    def goes_on(self, seconds: float) -> None:
        self.now += seconds


def has(known: KeySet, kid: str) -> bool:
    try:
        known.key(kid)
    except NoKey:
        return False
    return True
