"""A key is used only if the pinned algorithm can verify signatures with this key."""

import base64
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from chalicelib.identity import published_keys
from chalicelib.identity.published_keys import KEY_CHECKS, usable_keys
from tests.support.issuer import private_key, public_jwk

RSA, EC = private_key("RS256"), private_key("ES256")
USELESS: list[tuple[str, str, dict[str, Any], str | None]] = [
    # The check, the algorithm, the JWK, and the other check that would refuse this JWK, if any.
    ("alg", "RS256", {**public_jwk(RSA), "alg": "RS512"}, None),
    ("alg", "RS256", {**public_jwk(RSA), "alg": "RSA-OAEP"}, None),
    ("use", "RS256", {**public_jwk(RSA), "use": "enc"}, None),
    ("key_ops", "RS256", {**public_jwk(RSA), "key_ops": ["encrypt"]}, None),
    ("key_ops", "RS256", {**public_jwk(RSA), "key_ops": "verify"}, None),
    ("crv", "ES256", public_jwk(ec.generate_private_key(ec.SECP384R1())), "size"),
    ("crv", "ES256", public_jwk(ec.generate_private_key(ec.SECP256K1())), None),
    ("d", "ES256", {**jwt.algorithms.ECAlgorithm.to_jwk(EC, as_dict=True)}, None),
    ("size", "RS256", public_jwk(rsa.generate_private_key(65537, 1024)), None),  # noqa: S505 (the service must refuse this key)
]


@pytest.mark.parametrize(("check", "algorithm", "jwk", "other"), USELESS)
def test_each_unusable_key_is_refused_by_its_own_check(
    check: str, algorithm: str, jwk: dict[str, Any], other: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    documents = [{**jwk, "kid": "key"}]
    assert not usable_keys(documents, algorithm)

    table: dict[str, Any] = KEY_CHECKS if check in KEY_CHECKS else published_keys.JWK_CHECKS
    monkeypatch.setitem(table, check, lambda *_: True)

    assert bool(usable_keys(documents, algorithm)) is (other is None)


def test_there_are_useless_keys_for_every_check() -> None:
    assert {check for check, *_ in USELESS} == {*published_keys.JWK_CHECKS, *KEY_CHECKS}


@pytest.mark.parametrize(
    ("algorithm", "jwk"), [("RS256", {**public_jwk(RSA), "kty": "oct"}), ("ES256", {**public_jwk(EC), "kty": "OKP"})]
)
def test_a_key_of_another_type_is_not_used(algorithm: str, jwk: dict[str, Any]) -> None:
    assert not usable_keys([{**jwk, "kid": "key"}], algorithm)


@pytest.mark.parametrize("members", [{"n": "AA"}, {"n": 7}, {"e": None}, {"n": ""}, {"e": "AQ"}, {"n": "é"}], ids=str)
def test_a_malformed_key_is_not_used(members: dict[str, Any]) -> None:
    assert not usable_keys([{**public_jwk(RSA, kid="key"), **members}], "RS256")


def test_a_point_off_the_curve_is_not_used() -> None:
    jwk = public_jwk(EC, kid="key")

    assert not usable_keys([{**jwk, "x": jwk["y"], "y": jwk["x"]}], "ES256")


def test_the_same_key_twice_is_one_key_but_two_keys_with_one_id_are_none() -> None:
    for algorithm, key in {"RS256": RSA, "ES256": EC}.items():
        jwk, other = public_jwk(key, kid="key"), public_jwk(private_key(algorithm, 98), kid="key")
        beside = {**jwk, "alg": algorithm, "x5t": "a", "key_ops": ["verify"]}

        assert usable_keys([jwk, beside, jwk], algorithm)["key"].public_numbers() == key.public_key().public_numbers()
        assert not usable_keys([jwk, other], algorithm)
        assert not usable_keys([jwk, other, jwk], algorithm)


@pytest.mark.parametrize("member", ["n", "e"])
def test_a_key_that_is_spelled_in_two_ways_is_one_key(member: str) -> None:
    # Some issuers write a zero byte before a number, as ASN.1 does.
    jwk = public_jwk(RSA, kid="key")
    number = base64.urlsafe_b64encode(b"\0" + base64.urlsafe_b64decode(f"{jwk[member]}==")).decode().rstrip("=")

    assert "key" in usable_keys([jwk, {**jwk, member: number}], "RS256")
