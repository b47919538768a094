"""The service requests keys rarely, and only from their issuer. It keeps the keys while the issuer is unavailable."""

import logging
import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest

from chalicelib.identity import keys, published_keys
from chalicelib.identity.keys import (
    COOL_DOWN_SECONDS,
    COOL_DOWN_WITHOUT_KEYS_SECONDS,
    FRESH_SECONDS,
    STALE_SECONDS,
    KeySet,
    NoKey,
)
from chalicelib.identity.published_keys import MAX_KEYS
from chalicelib.settings import Issuer
from chalicelib.telemetry import logger
from tests.support.issuer import BEHAVIOURS, DISCOVERY, JWKS, IssuerServer, private_key, public_jwk, serving

FETCHED = [DISCOVERY, JWKS]
AWAY = sorted(BEHAVIOURS.keys() - {"well"})
SLOW = ("silent", "drips", "drips headers")


class Clock:
    """A clock that moves only by `goes_on`."""

    now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now

    def goes_on(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def issuer() -> Iterator[IssuerServer]:
    with serving() as issuer:
        yield issuer


@pytest.fixture(autouse=True)
def unexpected() -> Iterator[list[logging.LogRecord]]:
    """The logged errors. A test must leave none in this list: an issuer's fault is not an error of the service."""
    records: list[logging.LogRecord] = []
    handler = logging.Handler(logging.ERROR)
    handler.emit = records.append  # type: ignore[method-assign]
    logger.addHandler(handler)
    yield records
    logger.removeHandler(handler)
    assert not records


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def known(issuer: IssuerServer, clock: Clock) -> KeySet:
    return KeySet(issuer.trusted(), clock)


def has(known: KeySet, kid: str) -> bool:
    try:
        known.key(kid)
    except NoKey:
        return False
    return True


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


@pytest.mark.parametrize("path", FETCHED)
@pytest.mark.parametrize("how", AWAY)
def test_an_issuer_that_is_down_slow_or_lying_gives_no_access(
    issuer: IssuerServer, path: str, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    issuer.behaves(how, path)
    if how in SLOW:
        monkeypatch.setattr(published_keys, "FETCH_SECONDS", 0.2)

    assert not has(KeySet(issuer.trusted()), issuer.kid())
    assert not [request for request in issuer.requests if "moved" in request]


@pytest.mark.parametrize("path", FETCHED)
@pytest.mark.parametrize("how", AWAY)
def test_kept_keys_work_while_the_issuer_is_down_slow_or_lying(
    issuer: IssuerServer, known: KeySet, clock: Clock, path: str, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert has(known, issuer.kid())
    issuer.behaves(how, path)
    if how in SLOW:
        monkeypatch.setattr(published_keys, "FETCH_SECONDS", 0.2)
    clock.goes_on(FRESH_SECONDS)

    assert has(known, issuer.kid())

    assert len(issuer.requests) > len(FETCHED)


def test_a_request_waits_only_briefly_for_an_issuer() -> None:
    assert published_keys.FETCH_SECONDS <= 2


def at(address: str) -> Callable[[IssuerServer], None]:
    """Return a function that publishes this address of the keys, with the issuer's address and port filled in."""

    def lie(issuer: IssuerServer) -> None:
        issuer.discovery["jwks_uri"] = address.format(url=issuer.url, port=issuer.url.rpartition(":")[2])

    return lie


def publishing(*changes: dict[str, Any], **members: Any) -> Callable[[IssuerServer], None]:
    """Return a function that publishes the current key once for each change, with this change."""

    def lie(issuer: IssuerServer) -> None:
        issuer.jwks = {"keys": [issuer.jwk(**{**members, **each}) for each in changes]}

    return lie


def calls_itself(name: Any) -> Callable[[IssuerServer], None]:
    return lambda issuer: issuer.discovery.update(issuer=name.format(url=issuer.url) if name else name)


LIES: dict[str, Callable[[IssuerServer], None]] = {
    "of another issuer": calls_itself("https://issuer.example.org"),
    "of this issuer with a slash": calls_itself("{url}/"),
    "without an issuer": calls_itself(None),
    "without an address": lambda issuer: issuer.discovery.pop("jwks_uri"),
    "with an invalid address": lambda issuer: issuer.discovery.update(jwks_uri=[f"{issuer.url}{JWKS}"]),
    "with another host": at("http://localhost:{port}/jwks"),
    "with another port": at("http://127.0.0.1:1/jwks"),
    "with a user": at("http://a@127.0.0.1:{port}/jwks"),
    "with a file": at("file:///etc/hosts"),
    "with an incomplete address": at("https://[::1"),
    "without a host": at("https:///jwks"),
    "with an invalid port": at("https://127.0.0.1:99999/jwks"),
    "with a control character": at("{url}/jwks\x01"),
    "without keys": publishing(),
    "with keys that are not a list": lambda issuer: issuer.jwks.update(keys={issuer.kid(): issuer.jwk()}),
    "with keys that are not objects": lambda issuer: issuer.jwks.update(keys=[None, 1, "key", [issuer.jwk()]]),
    "with keys without ids": publishing({"kid": None}, {"kid": 7}, {"kid": ""}),
    "with two keys that have one id": publishing({}, {"use": None}),
    "with too many keys": lambda issuer: issuer.jwks.update(keys=[issuer.jwk()] + [{}] * MAX_KEYS),
    "with keys of another algorithm": publishing({"alg": "RS512"}),
}


@pytest.mark.parametrize("lie", LIES)
def test_a_useless_document_gives_no_access_and_kept_keys_work(
    issuer: IssuerServer, known: KeySet, clock: Clock, lie: str
) -> None:
    assert has(known, issuer.kid())
    LIES[lie](issuer)
    clock.goes_on(FRESH_SECONDS)

    assert has(known, issuer.kid())
    assert not has(KeySet(issuer.trusted()), issuer.kid())


def test_the_highest_allowed_number_of_keys_is_accepted(issuer: IssuerServer) -> None:
    issuer.jwks["keys"] = [issuer.jwk()] + [{}] * (MAX_KEYS - 1)

    assert has(KeySet(issuer.trusted()), issuer.kid())


def test_unusable_keys_do_not_affect_the_others(issuer: IssuerServer) -> None:
    twice = [public_jwk(private_key("RS256", number), kid="twice") for number in (97, 98)]
    issuer.jwks["keys"] += [*twice, {}, None, issuer.jwk("ES256", kid=issuer.kid())]
    known = KeySet(issuer.trusted())

    assert has(known, issuer.kid())
    assert not has(known, "twice")


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


def test_after_an_unexpected_error_kept_keys_work(
    issuer: IssuerServer,
    known: KeySet,
    clock: Clock,
    unexpected: list[logging.LogRecord],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert has(known, issuer.kid())
    monkeypatch.setattr(published_keys, "usable_keys", lambda documents, algorithm: 1 / 0)
    clock.goes_on(FRESH_SECONDS)

    assert has(known, issuer.kid())
    assert [record.exc_info[0] for record in unexpected if record.exc_info] == [ZeroDivisionError]
    unexpected.clear()


def test_no_proxy_is_used(issuer: IssuerServer, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")

    assert has(KeySet(issuer.trusted()), issuer.kid())


def test_an_unreachable_issuer_raises_no_unexpected_exception() -> None:
    with serving() as issuer:
        trusted = issuer.trusted()

    assert not has(KeySet(trusted), "rs256-1")


def test_an_unknown_host_raises_no_unexpected_exception(monkeypatch: pytest.MonkeyPatch) -> None:
    def looked_up(*_: Any, **__: Any) -> Any:
        raise socket.gaierror("no such name")

    monkeypatch.setattr(socket, "getaddrinfo", looked_up)
    trusted = Issuer(kind="people", issuer="https://issuer.invalid", audience="service", algorithm="RS256")

    assert not has(KeySet(trusted), "rs256-1")
