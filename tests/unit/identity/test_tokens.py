"""Valid tokens are accepted. Tokens without a usable key, and texts that are no tokens, are refused."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from chalicelib.identity import tokens
from chalicelib.identity.tokens import LEEWAY_SECONDS, verify
from chalicelib.settings import Issuer
from tests.support.issuer import IssuerServer, github_claims, private_key, public_jwk, serving
from tests.support.made_tokens import ABSENT, check_that_refuses, encoded, later, made, signer


@pytest.fixture(scope="module")
def issuer() -> Iterator[IssuerServer]:
    with serving() as issuer:
        yield issuer


@pytest.mark.parametrize("algorithm", ["RS256", "ES256"])
def test_a_valid_token_gives_its_claims(issuer: IssuerServer, algorithm: str) -> None:
    content = github_claims(issuer.url)

    found = verify(issuer.sign(content, algorithm=algorithm), (issuer.trusted(algorithm=algorithm),))

    assert found == content


def test_a_persons_token_carries_its_audience_in_another_claim(issuer: IssuerServer) -> None:
    found = verify(issuer.person_token(["admins"]), (issuer.trusted("people"),))

    assert found["cognito:groups"] == ["admins"]


@pytest.mark.parametrize(
    "typ",
    ["JWT", "jwt", "at+jwt", "AT+JWT", "application/at+jwt", "application/JWT", ABSENT],
    ids=lambda typ: str(typ) if typ is not ABSENT else "none",
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
