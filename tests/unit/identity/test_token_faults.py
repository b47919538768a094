"""Each fault of a token is refused by its own check."""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import pytest
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from chalicelib.identity import tokens, unverified
from chalicelib.identity.tokens import LEEWAY_SECONDS, verify
from chalicelib.identity.unverified import MAX_TOKEN_LENGTH, TokenRefused
from chalicelib.settings import Issuer
from tests.support.issuer import IssuerServer, github_claims, private_key, public_jwk, serving
from tests.support.made_tokens import ABSENT, check_that_refuses, encoded, later, made, signer

OTHERS_KEY = 99


@pytest.fixture(scope="module")
def issuer() -> Iterator[IssuerServer]:
    with serving() as issuer:
        yield issuer


def claims(text: str = "", **changes: Any) -> Callable[[IssuerServer], str]:
    return lambda issuer: made(issuer, claims=text or changes)


def header(text: str = "", **changes: Any) -> Callable[[IssuerServer], str]:
    return lambda issuer: made(issuer, header=text or changes)


def padded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw + b" " * ((1 - len(raw)) % 3)).decode()


def loose_bits(raw: bytes) -> str:
    """Encode the bytes with a wrong last character. Many decoders accept this text, because they ignore unused bits."""
    text = encoded(raw + b" " * ((1 - len(raw)) % 3))
    return text[:-1] + chr(ord(text[-1]) + 1)


def public_text(issuer: IssuerServer) -> bytes:
    return issuer.key().public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def shared_secret(issuer: IssuerServer) -> str:
    secret = public_text(issuer)
    return made(issuer, header={"alg": "HS256"}, sign=lambda text: hmac.digest(secret, text, hashlib.sha256))


def tampered(issuer: IssuerServer) -> str:
    head, _, signature = made(issuer).split(".")
    return f"{head}.{encoded(json.dumps(github_claims(issuer.url, repository='acme/other')).encode())}.{signature}"


def cut_off(issuer: IssuerServer) -> str:
    return made(issuer, sign=lambda text: signer(issuer.key())(text)[:-6])


def der(issuer: IssuerServer) -> str:
    def sign(text: bytes) -> bytes:
        raw = signer(issuer.key("ES256"), "ES256")(text)
        return encode_dss_signature(int.from_bytes(raw[:32]), int.from_bytes(raw[32:]))

    return made(issuer, algorithm="ES256", sign=sign)


def another_key(issuer: IssuerServer) -> str:
    return made(issuer, sign=signer(private_key("RS256", OTHERS_KEY)))


def vouching_for_itself(issuer: IssuerServer) -> str:
    key = private_key("RS256", OTHERS_KEY)
    return made(issuer, header={"jwk": public_jwk(key)}, sign=signer(key))


def in_another_encoding(issuer: IssuerServer) -> str:
    return made(issuer, claims={"x": "???>>>~~~"}, encode=lambda raw: base64.b64encode(raw).decode().rstrip("="))


class Case(NamedTuple):
    """A fault of a token, and the check that refuses the token.

    Without this check, `other` refuses the token: another check, or an exception of PyJWT. None if nothing does.
    """

    fault: str
    check: str
    token: Callable[[IssuerServer], str]
    other: str | None = None
    trusted: dict[str, Any] = {}


PEOPLE = {"kind": "people", "audience_claim": "client_id"}
CASES = [
    Case("too long", "length", claims(padding="x" * MAX_TOKEN_LENGTH)),
    Case("padded", "encoding", lambda issuer: made(issuer, encode=padded)),
    Case(
        "unused bits that are not zero", "encoding", lambda issuer: made(issuer, encode=loose_bits), other="DecodeError"
    ),
    Case(
        "line breaks",
        "encoding",
        lambda issuer: made(issuer, encode=lambda raw: "\n" * 4 + encoded(raw)),
        other="DecodeError",
    ),
    Case("base64 instead of base64url", "encoding", in_another_encoding, other="DecodeError"),
    Case("a padded signature", "encoding", lambda issuer: made(issuer) + "=="),
    Case("claims not in UTF-8", "utf-8", lambda issuer: made(issuer, claims=latin(issuer)), other="DecodeError"),
    Case("a claim twice", "duplicates", claims('"exp": 99999999999')),
    Case("another claim twice", "duplicates", claims('"ref": "refs/heads/main"')),
    Case("a member twice, deep inside", "duplicates", claims('"x": [{"a": 1, "a": 2}]')),
    Case("an algorithm twice", "duplicates", header('"alg": "RS256"')),
    Case("a claim that is NaN", "numbers", claims('"x": NaN')),
    Case("an infinite claim", "numbers", claims('"x": -Infinity')),
    Case("a float that is too large", "numbers", claims('"x": 1e999')),
    Case("an integer that is too large", "numbers", claims(x=2**63)),
    Case("an infinite expiry", "numbers", claims(exp=float("inf")), other="exp"),
    Case("claims nested too deeply", "depth", claims('"x": ' + "[" * 20 + "]" * 20)),
    Case("a header nested too deeply", "depth", header('"x": ' + '{"a":' * 20 + "1" + "}" * 20)),
    Case("half of a surrogate pair", "text", claims(x="\ud800")),
    Case("a NUL", "text", claims(x="\\\0")),
    Case("a NUL in a name", "text", claims(**{"x\0": 1})),
    Case("a DPoP proof", "typ", header(typ="dpop+jwt")),
    Case("a logout token", "typ", header(typ="logout+jwt")),
    Case("a type that is null", "typ", header(typ=None)),
    Case("a type that is a list", "typ", header(typ=["JWT"])),
    Case("a critical extension", "crit", header(crit=["b64"], b64=True)),
    Case("an empty list of critical extensions", "crit", header(crit=[]), other="InvalidTokenError"),
    Case("signed with the key in its header", "key in header", vouching_for_itself, other="signature"),
    Case("a key in the header", "key in header", header(jwk={"kty": "RSA"})),
    Case("a URL of keys", "key in header", header(jku="https://keys.example.org")),
    Case("a URL of certificates", "key in header", header(x5u="https://keys.example.org")),
    Case("certificates", "key in header", header(x5c=["MIIB"])),
    Case("another issuer", "issuer", claims(iss="https://issuer.example.org"), other="InvalidIssuerError"),
    Case(
        "a long issuer",
        "issuer",
        claims(iss=f"https://{'a' * 5000}.example.org"),
        other="InvalidIssuerError",
    ),
    Case(
        "an issuer with a slash",
        "issuer",
        lambda issuer: made(issuer, claims={"iss": f"{issuer.url}/"}),
        other="InvalidIssuerError",
    ),
    Case(
        "an issuer in upper case",
        "issuer",
        lambda issuer: made(issuer, claims={"iss": issuer.url.upper()}),
        other="InvalidIssuerError",
    ),
    Case(
        "a list of issuers",
        "issuer",
        lambda issuer: made(issuer, claims={"iss": [issuer.url]}),
        other="InvalidIssuerError",
    ),
    Case("no issuer", "issuer", claims(iss=ABSENT), other="MissingRequiredClaimError"),
    Case(
        "unsigned, with the algorithm none",
        "alg",
        lambda i: made(i, header={"alg": "none"}, sign=lambda _: b""),
        other="InvalidAlgorithmError",
    ),
    Case("signed, with the algorithm none", "alg", header(alg="none"), other="InvalidAlgorithmError"),
    Case("signed, with the algorithm None", "alg", header(alg="None"), other="InvalidAlgorithmError"),
    Case("the public key as a secret", "alg", shared_secret, other="InvalidAlgorithmError"),
    Case("a longer digest", "alg", header(alg="RS384"), other="InvalidAlgorithmError"),
    Case("another padding", "alg", header(alg="PS256"), other="InvalidAlgorithmError"),
    Case("an algorithm in lower case", "alg", header(alg="rs256"), other="InvalidAlgorithmError"),
    Case("no algorithm", "alg", header(alg=ABSENT), other="InvalidAlgorithmError"),
    Case("a list of algorithms", "alg", header(alg=["RS256"]), other="InvalidAlgorithmError"),
    Case("another key of the issuer", "alg", lambda issuer: made(issuer, algorithm="ES256"), other="key"),
    Case("RS256 instead of the issuer's ES256", "alg", made, other="key", trusted={"algorithm": "ES256"}),
    Case("no key id", "kid", header(kid=ABSENT), other="key"),
    Case("a key id that is null", "kid", header(kid=None), other="key"),
    Case("a key id that is a number", "kid", header(kid=1), other="key"),
    Case("a list of key ids", "kid", header(kid=["rs256-1"]), other="key"),
    Case("an empty key id", "kid", header(kid=""), other="key"),
    Case("a long key id", "kid", header(kid="k" * 300), other="key"),
    Case("an unknown key", "key", header(kid="unknown")),
    Case("a key id that is a path", "key", header(kid="../../dev/null")),
    Case("for another", "aud", claims(aud="another")),
    Case("for this service and another", "aud", claims(aud=["service", "another"])),
    Case("for this service twice", "aud", claims(aud=["service", "service"])),
    Case("for nobody", "aud", claims(aud=[])),
    Case("for null", "aud", claims(aud=None)),
    Case("for an object", "aud", claims(aud={"service": True})),
    Case("no audience", "aud", claims(aud=ABSENT)),
    Case("for this service in upper case", "aud", claims(aud="SERVICE")),
    Case("for this service and a blank", "aud", claims(aud="service ")),
    Case("for GitHub's default", "aud", claims(aud="https://github.com/acme")),
    Case("for another client", "aud", claims(client_id="another"), trusted=PEOPLE),
    Case("for this service in the wrong claim", "aud", claims(aud="service"), trusted=PEOPLE),
    Case("expired", "exp", later(iat=-700, exp=-LEEWAY_SECONDS - 1), other="ExpiredSignatureError"),
    Case("no expiry", "exp", claims(exp=ABSENT), other="MissingRequiredClaimError"),
    Case("an expiry that is a text", "exp", claims(exp="99999999999")),
    Case("an expiry that is true", "exp", claims(exp=True), other="ExpiredSignatureError"),
    Case("an expiry that is null", "exp", claims(exp=None), other="MissingRequiredClaimError"),
    Case("an expiry after the last year", "exp", claims(exp=1e300)),
    Case("an expiry in a large integer", "exp", claims(exp=2**62)),
    Case("an expiry before 1970", "exp", claims(iat=-2, exp=-1), other="iat"),
    Case("an expiry that is not a number", "numbers", claims(exp=float("nan")), other="exp"),
    Case("issued in the future", "iat", later(iat=LEEWAY_SECONDS + 60), other="ImmatureSignatureError"),
    Case("no time of issue", "iat", claims(iat=ABSENT), other="MissingRequiredClaimError"),
    Case("a time of issue that is a text", "iat", claims(iat="1")),
    Case("a time of issue that is true", "iat", claims(iat=True)),
    Case("a time of issue after the last year", "iat", claims(iat=1e300), other="ImmatureSignatureError"),
    Case("a time of issue before 1970", "iat", claims(iat=-1e300)),
    Case("a time of issue in a large integer", "iat", claims(iat=-(2**62))),
    Case("not valid yet", "nbf", later(nbf=LEEWAY_SECONDS + 60), other="ImmatureSignatureError"),
    Case("a start of validity that is a text", "nbf", claims(nbf="1")),
    Case("a start of validity that is true", "nbf", claims(nbf=True)),
    Case("a start of validity that is null", "nbf", claims(nbf=None), other="DecodeError"),
    Case("a start of validity after the last year", "nbf", claims(nbf=1e300), other="ImmatureSignatureError"),
    Case("a start of validity before 1970", "nbf", claims(nbf=-1e300)),
    Case("issued after it expired", "order", later(exp=-5, iat=0)),
    Case("no subject", "sub", claims(sub=ABSENT), other="MissingRequiredClaimError"),
    Case("an empty subject", "sub", claims(sub="")),
    Case("a blank subject", "sub", claims(sub=" ")),
    Case("a subject that is a number", "sub", claims(sub=7), other="InvalidSubjectError"),
    Case("a list of subjects", "sub", claims(sub=["jane"]), other="InvalidSubjectError"),
    Case("a person's long subject", "sub", claims(sub="s" * 300, client_id="service"), trusted=PEOPLE),
    Case("a person's subject with a line break", "sub", claims(sub="a\nb", client_id="service"), trusted=PEOPLE),
    Case("another key's signature", "signature", another_key),
    Case("changed after it was signed", "signature", tampered),
    Case("a shortened signature", "signature", cut_off),
    Case("no signature", "signature", lambda issuer: made(issuer, sign=lambda _: b"")),
    Case("a signature in another form", "signature", der, trusted={"algorithm": "ES256"}),
]


def latin(issuer: IssuerServer) -> bytes:
    return json.dumps(github_claims(issuer.url, actor="jané"), ensure_ascii=False).encode("latin-1")


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.fault)
def test_each_fault_is_refused_by_its_own_check(
    issuer: IssuerServer, case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = case.token(issuer)
    trusted = (issuer.trusted(**case.trusted),)

    assert check_that_refuses(token, trusted) == case.check

    without(case.check, trusted[0], issuer, monkeypatch)

    assert check_that_refuses(token, trusted) == case.other


@pytest.mark.parametrize(
    "subject", [f"repo:acme/azul:environment:{'e' * 3000}", "repo:acme/azul:ref:refs/heads/👩\u200d💻", "a\u2028\nb"]
)
def test_a_pipelines_subject_may_have_any_form(issuer: IssuerServer, subject: str) -> None:
    assert verify(made(issuer, claims={"sub": subject}), (issuer.trusted(),))["sub"] == subject


def test_there_are_cases_for_every_check() -> None:
    assert {case.check for case in CASES} == {
        *unverified.FORM_CHECKS,
        *tokens.TRUST_CHECKS,
        *("length", "issuer", "key"),
    }
    assert len({case.fault for case in CASES}) == len(CASES) > 40


def without(check: str, trusted: Issuer, server: IssuerServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Disable a check. The checks `issuer` and `key` are lookups, so replace them with fixed results."""
    if check == "length":
        monkeypatch.setattr(unverified, "MAX_TOKEN_LENGTH", 2 * MAX_TOKEN_LENGTH)
    elif check == "issuer":
        monkeypatch.setattr(tokens, "_issuer_of", lambda token, issuers: trusted)
    elif check == "key":
        monkeypatch.setattr(tokens, "_key_of", lambda token, issuer: server.key().public_key())
    else:
        table: dict[str, Any] = unverified.FORM_CHECKS if check in unverified.FORM_CHECKS else tokens.TRUST_CHECKS
        monkeypatch.setitem(table, check, lambda *_: None)  # monkeypatch would put a deleted check back at the end


@pytest.mark.parametrize("fault", ["expired", "for another", "a NUL", "no key id"])
def test_keys_are_not_requested_for_a_token_that_is_refused_anyway(fault: str) -> None:
    [case] = [case for case in CASES if case.fault == fault]
    with serving() as issuer:
        assert check_that_refuses(case.token(issuer), (issuer.trusted(),)) == case.check

        assert issuer.requests == []


def test_reasons_are_short_and_hold_no_signature(issuer: IssuerServer) -> None:
    for case in CASES:
        token = case.token(issuer)
        with pytest.raises(TokenRefused) as refused:
            verify(token, (issuer.trusted(**case.trusted),))

        reason = str(refused.value)
        assert 0 < len(reason) < 600
        assert not [part for part in token.split(".") if len(part) > 4 and part in reason]
