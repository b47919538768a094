"""Each fault of a token is refused by its own check."""

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import jwt
import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from chalicelib.identity import tokens, unverified
from chalicelib.identity.tokens import LEEWAY_SECONDS, verify
from chalicelib.identity.unverified import MAX_TOKEN_LENGTH, TokenRefused
from chalicelib.settings import Issuer
from tests.support.issuer import IssuerServer, github_claims, private_key, public_jwk, serving

ABSENT = object()
OTHERS_KEY = 99


@pytest.fixture(scope="module")
def issuer() -> Iterator[IssuerServer]:
    with serving() as issuer:
        yield issuer


def made(
    issuer: IssuerServer,
    *,
    header: dict[str, Any] | str | bytes | None = None,
    claims: dict[str, Any] | str | bytes | None = None,
    algorithm: str = "RS256",
    sign: Callable[[bytes], bytes] | None = None,
    encode: Callable[[bytes], str] | None = None,
) -> str:
    """Make a token that is valid except for these changes of the header, the claims, the signature or the encoding."""
    encode = encode or encoded
    whole_header = {"alg": algorithm, "typ": "JWT", "kid": issuer.kid(algorithm)}
    parts = [changed(whole_header, header or {}), changed(github_claims(issuer.url), claims or {})]
    texts = ".".join(encode(part) for part in parts)
    return f"{texts}.{encode((sign or signer(issuer.key(algorithm), algorithm))(texts.encode()))}"


def changed(members: dict[str, Any], changes: dict[str, Any] | str | bytes) -> bytes:
    if isinstance(changes, bytes):
        return changes
    if isinstance(changes, str):  # `changes` is JSON text with more members
        return f"{json.dumps(members)[:-1]}, {changes}}}".encode()
    return json.dumps({name: value for name, value in {**members, **changes}.items() if value is not ABSENT}).encode()


def signer(key: Any, algorithm: str = "RS256") -> Callable[[bytes], bytes]:
    return lambda text: jwt.get_algorithm_by_name(algorithm).sign(text, key)


def encoded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def claims(text: str = "", **changes: Any) -> Callable[[IssuerServer], str]:
    return lambda issuer: made(issuer, claims=text or changes)


def header(text: str = "", **changes: Any) -> Callable[[IssuerServer], str]:
    return lambda issuer: made(issuer, header=text or changes)


def later(**seconds: float) -> Callable[[IssuerServer], str]:
    """`later(exp=60)` makes a token whose claim `exp` is 60 seconds from now."""
    return lambda issuer: made(issuer, claims={name: int(time.time()) + each for name, each in seconds.items()})


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
    Case("a long subject", "sub", claims(sub="s" * 300)),
    Case("a subject with a line break", "sub", claims(sub="jane\nadmin")),
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


def test_there_are_cases_for_every_check() -> None:
    assert {case.check for case in CASES} == {
        *unverified.FORM_CHECKS,
        *tokens.TRUST_CHECKS,
        *("length", "issuer", "key"),
    }
    assert len({case.fault for case in CASES}) == len(CASES) > 40


def check_that_refuses(token: str, trusted: tuple[Issuer, ...]) -> str | None:
    try:
        verify(token, trusted)
    except TokenRefused as refusal:
        return refusal.check
    return None


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


@pytest.mark.parametrize("algorithm", ["RS256", "ES256"])
def test_a_valid_token_gives_its_claims(issuer: IssuerServer, algorithm: str) -> None:
    content = github_claims(issuer.url)

    found = verify(issuer.sign(content, algorithm=algorithm), (issuer.trusted(algorithm=algorithm),))

    assert found == content


def test_a_persons_token_carries_its_audience_in_another_claim(issuer: IssuerServer) -> None:
    found = verify(issuer.person_token(["admins"]), (issuer.trusted("people"),))

    assert found["cognito:groups"] == ["admins"]


@pytest.mark.parametrize(
    "typ", ["JWT", "jwt", "at+jwt", "AT+JWT", ABSENT], ids=lambda typ: str(typ) if typ is not ABSENT else "none"
)
def test_these_types_of_token_are_accepted(issuer: IssuerServer, typ: Any) -> None:
    assert verify(made(issuer, header={"typ": typ}), (issuer.trusted(),))


def test_a_list_with_only_our_audience_is_accepted(issuer: IssuerServer) -> None:
    assert verify(made(issuer, claims={"aud": ["service"]}), (issuer.trusted(),))


def test_a_token_may_leave_out_nbf(issuer: IssuerServer) -> None:
    assert verify(made(issuer, claims={"nbf": ABSENT}), (issuer.trusted(),))


def test_an_escaped_backslash_before_u0000_is_no_nul(issuer: IssuerServer) -> None:
    assert verify(made(issuer, claims={"x": "\\u0000"}), (issuer.trusted(),))


def test_times_may_have_fractions(issuer: IssuerServer) -> None:
    assert verify(made(issuer, claims={"exp": time.time() + 60.5}), (issuer.trusted(),))


def test_clocks_may_differ_by_the_leeway_and_no_more_than_half_a_minute(issuer: IssuerServer) -> None:
    assert 0 < LEEWAY_SECONDS <= 30
    for seconds in ({"iat": -60, "exp": 5 - LEEWAY_SECONDS}, {"iat": LEEWAY_SECONDS - 5}, {"nbf": LEEWAY_SECONDS - 5}):
        assert verify(later(**seconds)(issuer), (issuer.trusted(),))


def test_a_token_is_checked_against_its_own_issuer(issuer: IssuerServer) -> None:
    other = Issuer(kind="github-actions", issuer="https://other.example.org", audience="other", algorithm="ES256")

    assert verify(made(issuer), (other, issuer.trusted()))
    assert check_that_refuses(made(issuer, claims={"iss": other.issuer}), (other, issuer.trusted())) == "alg"


def test_without_issuers_no_token_is_trusted(issuer: IssuerServer) -> None:
    assert check_that_refuses(made(issuer), ()) == "issuer"


@pytest.mark.parametrize("fault", ["expired", "for another", "a NUL", "no key id"])
def test_keys_are_not_requested_for_a_token_that_is_refused_anyway(fault: str) -> None:
    [case] = [case for case in CASES if case.fault == fault]
    with serving() as issuer:
        assert check_that_refuses(case.token(issuer), (issuer.trusted(),)) == case.check

        assert issuer.requests == []


def test_a_token_of_an_issuer_without_keys_is_refused() -> None:
    with serving() as issuer:
        issuer.behaves("down", "")

        assert check_that_refuses(made(issuer), (issuer.trusted(),)) == "key"


@pytest.mark.parametrize("published", ["RS256", "ES256"])
def test_a_token_of_an_issuer_with_keys_for_another_algorithm_is_refused(published: str) -> None:
    other = {"RS256": "ES256", "ES256": "RS256"}[published]
    with serving() as issuer:
        issuer.jwks = {"keys": [issuer.jwk(published, alg=None)]}
        token = made(issuer, header={"alg": other}, algorithm=published)

        assert check_that_refuses(token, (issuer.trusted(algorithm=other),)) == "key"


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
        "\ud800.e30.e30",
        "bnVsbA.bnVsbA.",
        "eyJhbGciOiJFUzI1NiJ9.W10.AAAA",
        "77u_e30.e30.AAAA",
        "e30.e30.AAAA.AAAA",
        "e30.e30.AAAA.AAAA.AAAA",
        "[" * 16_000,
        encoded(b"[" * 8000) + ".e30.AAAA",
        "e30." + encoded(b'{"a":' * 2000) + ".AAAA",
        "e30." + encoded(b'{"a":' + b"1" * 8000 + b"}") + ".AAAA",
    ],
)
def test_garbage_is_refused(issuer: IssuerServer, garbage: str) -> None:
    assert check_that_refuses(garbage, (issuer.trusted(),)) == "form"


def test_reasons_are_short_and_hold_no_signature(issuer: IssuerServer) -> None:
    for case in CASES:
        token = case.token(issuer)
        with pytest.raises(TokenRefused) as refused:
            verify(token, (issuer.trusted(**case.trusted),))

        reason = str(refused.value)
        assert 0 < len(reason) < 600
        assert not [part for part in token.split(".") if len(part) > 4 and part in reason]


LOCAL = Issuer(kind="local", issuer="https://issuer.localhost", audience="service", algorithm="ES256")


@pytest.fixture
def local_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The path of the file with the local issuer's public key."""
    public = tmp_path / "public.jwk.json"
    public.write_text(json.dumps(public_jwk(private_key("ES256"))))
    monkeypatch.setattr(tokens, "LOCAL_PUBLIC_KEY", public)
    tokens._local_key.cache_clear()
    yield public
    tokens._local_key.cache_clear()


def of_the_local_issuer(algorithm: str = "ES256") -> str:
    text = ".".join(
        encoded(json.dumps(part).encode())
        for part in ({"alg": algorithm}, {**github_claims(LOCAL.issuer), "role": "viewer"})
    )
    return f"{text}.{encoded(signer(private_key('ES256'), 'ES256')(text.encode()))}"


def test_a_token_of_the_local_issuer_needs_no_key_id(local_key: Path) -> None:
    assert verify(of_the_local_issuer(), (LOCAL,))["role"] == "viewer"


def test_the_local_issuer_without_a_key_is_not_trusted(local_key: Path) -> None:
    local_key.unlink()

    assert check_that_refuses(of_the_local_issuer(), (LOCAL,)) == "key"


def test_the_local_issuer_with_a_key_for_another_algorithm_is_not_trusted(local_key: Path) -> None:
    trusted = msgspec.structs.replace(LOCAL, algorithm="RS256")

    assert check_that_refuses(of_the_local_issuer("RS256"), (trusted,)) == "key"


def test_a_key_that_does_not_fit_the_algorithm_is_refused_even_if_looked_up(
    issuer: IssuerServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tokens, "_key_of", lambda token, trusted: issuer.key("ES256").public_key())

    assert check_that_refuses(made(issuer), (issuer.trusted(),)) == "signature"
