"""An issuer that is down, slow or lying gives no access. Keys that the service has already continue to work."""

import logging
import socket
from collections.abc import Callable
from typing import Any

import pytest

from chalicelib.identity import published_keys
from chalicelib.identity.keys import FRESH_SECONDS, KeySet
from chalicelib.identity.published_keys import MAX_KEYS
from chalicelib.settings import Issuer
from tests.support.issuer import BEHAVIOURS, JWKS, IssuerServer, private_key, public_jwk, serving
from tests.support.key_sets import FETCHED, Clock, has

pytestmark = pytest.mark.usefixtures("unexpected")

AWAY = sorted(BEHAVIOURS.keys() - {"well"})
SLOW = ("silent", "drips", "drips headers")


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
    "with two keys that have one id": publishing({}, {"n": public_jwk(private_key("RS256", 98))["n"]}),
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
