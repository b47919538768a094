"""The service requests the keys of an issuer rarely, and keeps them for a limited time."""

import threading
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest

from chalicelib.identity import keys
from chalicelib.identity.keys import (
    COOL_DOWN_SECONDS,
    COOL_DOWN_WITHOUT_KEYS_SECONDS,
    FRESH_SECONDS,
    STALE_SECONDS,
    KeySet,
)
from tests.support.issuer import DISCOVERY, JWKS, IssuerServer
from tests.support.key_sets import FETCHED, Clock, has

pytestmark = pytest.mark.usefixtures("unexpected")


@pytest.mark.parametrize("algorithm", ["RS256", "ES256"])
def test_a_key_is_the_issuers_published_one(issuer: IssuerServer, algorithm: str) -> None:
    found = KeySet(issuer.trusted(algorithm=algorithm)).key(issuer.kid(algorithm))

    assert found.public_numbers() == issuer.key(algorithm).public_key().public_numbers()
    assert issuer.requests == FETCHED


@pytest.mark.parametrize("path", ["/tenant", "/tenant/"])
def test_an_issuer_may_have_a_path_and_end_with_a_slash(issuer: IssuerServer, path: str) -> None:
    issuer.discovery["issuer"] = f"{issuer.url}{path}"

    assert has(KeySet(issuer.trusted(issuer=f"{issuer.url}{path}")), issuer.kid())
    assert issuer.requests == [f"/tenant{DISCOVERY}", JWKS]


def test_a_process_requests_an_issuers_keys_once(issuer: IssuerServer) -> None:
    for _ in range(3):
        assert keys.key_set(issuer.trusted()).key(issuer.kid())

    assert issuer.requests == FETCHED


def test_each_algorithm_has_its_own_keys(issuer: IssuerServer) -> None:
    for algorithm in ("RS256", "ES256"):
        assert keys.key_set(issuer.trusted(algorithm=algorithm)).key(issuer.kid(algorithm))


def test_keys_are_kept_for_an_hour(issuer: IssuerServer, known: KeySet, clock: Clock) -> None:
    for _ in range(3):
        assert has(known, issuer.kid())
    clock.goes_on(FRESH_SECONDS - 1)
    assert has(known, issuer.kid())
    assert issuer.requests == FETCHED

    clock.goes_on(1)
    assert has(known, issuer.kid())
    assert issuer.requests == FETCHED * 2


def test_a_new_key_is_requested_and_found(issuer: IssuerServer, known: KeySet, clock: Clock) -> None:
    old = issuer.kid()
    assert has(known, old)

    issuer.rotate(keep=True)
    clock.goes_on(COOL_DOWN_SECONDS)

    assert has(known, issuer.kid())
    assert has(known, old)
    assert issuer.requests == FETCHED * 2


def test_a_key_that_is_no_longer_published_is_no_longer_trusted(
    issuer: IssuerServer, known: KeySet, clock: Clock
) -> None:
    old = issuer.kid()
    assert has(known, old)

    issuer.rotate()
    clock.goes_on(COOL_DOWN_SECONDS)

    assert has(known, issuer.kid())
    assert not has(known, old)


def test_forged_tokens_do_not_cause_many_requests_to_the_issuer(
    issuer: IssuerServer, known: KeySet, clock: Clock
) -> None:
    for number in range(100):
        assert not has(known, f"forged-{number}")
    assert issuer.requests == FETCHED

    clock.goes_on(COOL_DOWN_SECONDS - 1)
    assert not has(known, "forged")
    assert issuer.requests == FETCHED

    clock.goes_on(1)
    for number in range(100):
        assert not has(known, f"forged-{number}")
    assert issuer.requests == FETCHED * 2


def test_a_failing_issuer_is_not_asked_again_for_a_while(issuer: IssuerServer, known: KeySet, clock: Clock) -> None:
    issuer.behaves("fails", "")
    for _ in range(10):
        assert not has(known, issuer.kid())
    assert issuer.requests == [DISCOVERY]

    clock.goes_on(COOL_DOWN_WITHOUT_KEYS_SECONDS - 1)
    assert not has(known, issuer.kid())
    assert issuer.requests == [DISCOVERY]

    issuer.behaves("well", "")
    clock.goes_on(1)
    assert has(known, issuer.kid())


def test_a_failing_issuer_with_old_keys_is_not_asked_again_for_longer(
    issuer: IssuerServer, known: KeySet, clock: Clock
) -> None:
    assert has(known, issuer.kid())
    issuer.behaves("fails", "")
    issuer.requests.clear()
    clock.goes_on(FRESH_SECONDS)

    for _ in range(10):
        assert has(known, issuer.kid())
        clock.goes_on(COOL_DOWN_SECONDS / 10)

    assert issuer.requests == [DISCOVERY]


def test_no_kept_key_is_trusted_for_longer_than_a_day(issuer: IssuerServer, known: KeySet, clock: Clock) -> None:
    assert has(known, issuer.kid())
    issuer.behaves("down", "")

    clock.goes_on(STALE_SECONDS - 1)
    assert has(known, issuer.kid())

    clock.goes_on(1)
    assert not has(known, issuer.kid())

    issuer.behaves("well", "")
    clock.goes_on(COOL_DOWN_WITHOUT_KEYS_SECONDS)
    assert has(known, issuer.kid())


def test_keys_do_not_become_fresh_when_the_clock_is_set_back(issuer: IssuerServer, known: KeySet, clock: Clock) -> None:
    assert has(known, issuer.kid())

    clock.goes_on(-3 * STALE_SECONDS)
    assert has(known, issuer.kid())

    assert issuer.requests == FETCHED * 2


class TestManyAtOnce:
    """One thread requests the keys. Other threads use the kept keys, or wait for this request if no keys are kept."""

    @pytest.fixture
    def held(self, issuer: IssuerServer) -> "Held":
        return Held(issuer)

    def test_threads_without_keys_wait_for_one_request(self, issuer: IssuerServer, known: KeySet, held: "Held") -> None:
        with ThreadPoolExecutor(8) as pool, held:
            found = [pool.submit(has, known, issuer.kid()) for _ in range(8)]
            held.wait_until_asked()

        assert all(each.result() for each in found)
        assert issuer.requests == FETCHED

    def test_threads_with_keys_do_not_wait(
        self, issuer: IssuerServer, known: KeySet, clock: Clock, held: "Held"
    ) -> None:
        assert has(known, issuer.kid())
        clock.goes_on(FRESH_SECONDS)

        with ThreadPoolExecutor(1) as pool, held:
            asking: Future[bool] = pool.submit(has, known, issuer.kid())
            held.wait_until_asked()

            assert has(known, issuer.kid())
            assert not asking.done()

        assert asking.result()
        assert issuer.requests == FETCHED * 2


class Held:
    """Delay the issuer's answer until the end of the `with` block."""

    def __init__(self, issuer: IssuerServer) -> None:
        self._issuer = issuer
        self._asked = threading.Event()
        self._let_go = threading.Event()

    def wait_until_asked(self) -> None:
        assert self._asked.wait(10)

    def __enter__(self) -> "Held":
        self._answer = self._issuer.answer
        self._issuer.answer = self._wait  # type: ignore[method-assign]
        return self

    def __exit__(self, *error: object) -> None:
        self._let_go.set()

    def _wait(self, handler: Any) -> None:
        self._asked.set()
        self._let_go.wait(10)
        self._answer(handler)
