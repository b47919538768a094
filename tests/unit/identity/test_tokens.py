"""Which tokens are trusted: those that a known issuer signed for us, with its own key and algorithm, lately."""

import base64
import hashlib
import hmac
import json
import time

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from chalicelib.identity import tokens
from chalicelib.identity.tokens import LEEWAY_SECONDS, MAX_TOKEN_LENGTH, TokenRefused, verify
from chalicelib.settings import Issuer

KEY = ec.generate_private_key(ec.SECP256R1())
ANOTHER_KEY = ec.generate_private_key(ec.SECP256R1())
ISSUER = Issuer(kind="local", issuer="https://slipway.localhost", audience="slipway", algorithm="ES256")


@pytest.fixture(autouse=True)
def key_of_the_issuer(tmp_path, monkeypatch):
    public = tmp_path / "public.jwk.json"
    public.write_text(jwt.algorithms.ECAlgorithm.to_jwk(KEY.public_key()))
    monkeypatch.setattr(tokens, "LOCAL_PUBLIC_KEY", public)
    tokens._local_key.cache_clear()
    yield public
    tokens._local_key.cache_clear()


def claims(**changes):
    """Claims that are in order, but for the changes; None takes one away."""
    now = int(time.time())
    whole = {
        "iss": ISSUER.issuer,
        "aud": ISSUER.audience,
        "sub": "jane@example.org",
        "iat": now,
        "exp": now + 600,
        "role": "viewer",
        **changes,
    }
    return {name: value for name, value in whole.items() if value is not None}


def signed(content, key=KEY, algorithm="ES256", **headers):
    return jwt.encode(content, key, algorithm=algorithm, headers=headers or None)


def test_a_token_in_order_gives_its_claims():
    content = claims(systems=["azul"])

    assert verify(signed(content), (ISSUER,)) == content


def test_a_token_is_held_against_its_own_issuer():
    other = Issuer(kind="local", issuer="https://other.example.org", audience="other", algorithm="ES256")

    assert verify(signed(claims()), (other, ISSUER))["iss"] == ISSUER.issuer
    with pytest.raises(TokenRefused):
        verify(signed(claims(iss=other.issuer)), (other, ISSUER))


def test_an_issuer_may_carry_the_audience_in_another_claim():
    cognito_like = Issuer(
        kind="local", issuer=ISSUER.issuer, audience="slipway", algorithm="ES256", audience_claim="client_id"
    )

    assert verify(signed(claims(aud=None, client_id="slipway")), (cognito_like,))
    with pytest.raises(TokenRefused):
        verify(signed(claims(aud="slipway", client_id="another")), (cognito_like,))
    with pytest.raises(TokenRefused):
        verify(signed(claims(aud="slipway")), (cognito_like,))


def test_clocks_may_differ_by_the_leeway():
    assert verify(signed(claims(exp=int(time.time()) - LEEWAY_SECONDS + 5)), (ISSUER,))
    assert verify(signed(claims(iat=int(time.time()) + LEEWAY_SECONDS - 5)), (ISSUER,))


@pytest.mark.parametrize(
    "changes",
    [
        {"exp": int(time.time()) - 600},
        {"exp": None},
        {"exp": "soon"},
        {"iat": None},
        {"iat": int(time.time()) + 86400},
        {"nbf": int(time.time()) + 86400},
        {"sub": None},
        {"sub": 7},
        {"aud": "another"},
        {"aud": None},
        {"aud": ["another"]},
        {"aud": "Slipway"},
        {"aud": "slipway "},
        {"iss": None},
        {"iss": "https://issuer.example.org"},
        {"iss": "https://slipway.localhost/"},
        {"iss": "HTTPS://SLIPWAY.LOCALHOST"},
    ],
    ids=str,
)
def test_claims_that_are_not_in_order_are_refused(changes):
    try:
        token = signed(claims(**changes))
    except TypeError:
        token = _handmade({"alg": "ES256"}, claims(**changes), _es256)

    with pytest.raises(TokenRefused):
        verify(token, (ISSUER,))


def test_a_signature_with_another_key_is_refused():
    with pytest.raises(TokenRefused):
        verify(signed(claims(), ANOTHER_KEY), (ISSUER,))


def test_a_key_that_the_token_brings_along_counts_for_nothing():
    jwk = json.loads(jwt.algorithms.ECAlgorithm.to_jwk(ANOTHER_KEY.public_key()))

    with pytest.raises(TokenRefused):
        verify(signed(claims(), ANOTHER_KEY, jwk=jwk, jku="https://example.org/keys", kid="../key"), (ISSUER,))


def test_claims_that_were_changed_after_signing_are_refused():
    header, _, signature = signed(claims()).split(".")

    with pytest.raises(TokenRefused):
        verify(f"{header}.{_part(claims(role='admin'))}.{signature}", (ISSUER,))


def test_a_signature_that_was_cut_off_is_refused():
    header, payload, signature = signed(claims()).split(".")

    for token in (f"{header}.{payload}.", f"{header}.{payload}", f"{header}.{payload}.{signature[:-4]}"):
        with pytest.raises(TokenRefused):
            verify(token, (ISSUER,))


@pytest.mark.parametrize("algorithm", ["none", "None", "NONE", ""])
def test_a_token_that_nobody_signed_is_refused(algorithm):
    with pytest.raises(TokenRefused):
        verify(_handmade({"alg": algorithm, "typ": "JWT"}, claims(), lambda _: b""), (ISSUER,))


@pytest.mark.parametrize(
    "secret",
    [
        KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
        KEY.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
        jwt.algorithms.ECAlgorithm.to_jwk(KEY.public_key()).encode(),
        b"",
    ],
    ids=["PEM", "DER", "JWK", "empty"],
)
def test_the_public_key_is_no_shared_secret(secret):
    token = _handmade({"alg": "HS256"}, claims(), lambda text: hmac.digest(secret, text, hashlib.sha256))

    with pytest.raises(TokenRefused):
        verify(token, (ISSUER,))


@pytest.mark.parametrize("algorithm", ["ES384", "ES256K", "RS256", "PS256", "EdDSA", "HS256", "es256"])
def test_an_algorithm_other_than_the_issuers_is_refused(algorithm):
    # The signature itself is in order: it is the name of the algorithm that is not.
    with pytest.raises(TokenRefused):
        verify(_handmade({"alg": algorithm}, claims(), _es256), (ISSUER,))


def test_nobody_is_trusted_where_no_issuer_is():
    with pytest.raises(TokenRefused):
        verify(signed(claims()), ())


def test_the_local_issuer_without_a_key_is_not_trusted(key_of_the_issuer):
    key_of_the_issuer.unlink()

    with pytest.raises(TokenRefused):
        verify(signed(claims()), (ISSUER,))


def test_a_token_that_is_too_long_is_not_even_read():
    token = signed(claims(padding="x" * MAX_TOKEN_LENGTH))

    with pytest.raises(TokenRefused):
        verify(token, (ISSUER,))


@pytest.mark.parametrize(
    "garbage",
    [
        "",
        ".",
        "..",
        "...",
        "token",
        "a.b.c",
        "é.é.é",
        "\0.\0.\0",
        "e30.e30.e30",
        "bnVsbA.bnVsbA.",
        "eyJhbGciOiJFUzI1NiJ9.W10.AAAA",
        "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOlt7fV19.AAAA",
        "eyJhbGciOlsiRVMyNTYiXX0.e30.AAAA",
        "[" * 16_000,
    ],
)
def test_garbage_is_refused(garbage):
    with pytest.raises(TokenRefused):
        verify(garbage, (ISSUER,))


def test_what_is_nested_too_deeply_is_refused():
    for part in ("[" * 8000, '{"a":' * 2000):
        nested = base64.urlsafe_b64encode(part.encode()).decode().rstrip("=")

        for token in (f"{nested}.e30.AAAA", f"{_part({'alg': 'ES256'})}.{nested}.AAAA"):
            with pytest.raises(TokenRefused):
                verify(token, (ISSUER,))


def _es256(text: bytes) -> bytes:
    return jwt.algorithms.ECAlgorithm(jwt.algorithms.ECAlgorithm.SHA256).sign(text, KEY)


def _handmade(header, content, sign):
    """A token as no library makes it."""
    text = f"{_part(header)}.{_part(content)}"
    return f"{text}.{base64.urlsafe_b64encode(sign(text.encode())).decode().rstrip('=')}"


def _part(value):
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")
