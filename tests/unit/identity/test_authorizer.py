"""What API Gateway is told about a token."""

import json
import time

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from chalicelib import settings
from chalicelib.identity import tokens
from chalicelib.identity.authorizer import authorizer

ISSUER = "https://slipway.localhost"
KEY = ec.generate_private_key(ec.SECP256R1())
ARN = "arn:aws:execute-api:eu-central-1:111122223333:abcdef1234/development/PATCH/v1/systems/azul"


@pytest.fixture(autouse=True)
def stage(tmp_path, monkeypatch):
    public = tmp_path / "public.jwk.json"
    public.write_text(jwt.algorithms.ECAlgorithm.to_jwk(KEY.public_key()))
    monkeypatch.setattr(tokens, "LOCAL_PUBLIC_KEY", public)
    monkeypatch.setenv("SLIPWAY_STAGE", "local")
    monkeypatch.setenv("DATABASE_URL", "postgresql://nowhere.invalid/slipway")
    monkeypatch.setenv(
        "SLIPWAY_ISSUERS",
        json.dumps([{"kind": "local", "issuer": ISSUER, "audience": "slipway", "algorithm": "ES256"}]),
    )
    _forget()
    yield
    _forget()


def test_a_verified_token_may_ask_every_route_and_its_claims_are_handed_on():
    claims = _claims(systems=["azul", "blue"], nested={"deep": [1, None]})

    answer = _ask(f"Bearer {_signed(claims)}")

    assert answer["principalId"] == "jane@example.org"
    (statement,) = answer["policyDocument"]["Statement"]
    assert (statement["Effect"], statement["Action"]) == ("Allow", "execute-api:Invoke")
    # Answers are kept per token: a policy for the asked route alone would refuse the next one.
    assert statement["Resource"] == ["arn:aws:execute-api:eu-central-1:111122223333:abcdef1234/development/*/*"]
    assert json.loads(answer["context"]["claims"]) == claims


def test_the_context_is_flat():
    answer = _ask(f"Bearer {_signed(_claims(nested={'a': {'b': 1}}))}")

    assert all(isinstance(value, str | int | float | bool) for value in answer["context"].values())


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
def test_the_scheme_is_bearer_in_any_case(scheme):
    assert _ask(f"{scheme} {_signed(_claims())}")["principalId"] == "jane@example.org"


@pytest.mark.parametrize(
    "header",
    ["", "Bearer", "Bearer ", "{token}", "Basic {token}", "Bearer{token}", "Token {token}", "Bearer {token} {token}"],
)
def test_whatever_else_the_header_says_is_unauthorized(header):
    _is_unauthorized(header.format(token=_signed(_claims())))


@pytest.mark.parametrize("changes", [{"exp": 1}, {"aud": "another"}, {"iss": "https://issuer.example.org"}], ids=str)
def test_a_token_that_is_refused_is_unauthorized(changes):
    _is_unauthorized(f"Bearer {_signed(_claims(**changes))}")


def test_the_log_says_why_and_never_the_token(capsys):
    token = _signed(_claims(aud="another"))

    _is_unauthorized(f"Bearer {token}")

    logged = capsys.readouterr().out
    assert token not in logged
    assert token.rpartition(".")[2] not in logged


def _ask(header):
    return authorizer({"type": "TOKEN", "authorizationToken": header, "methodArn": ARN}, None)


def _is_unauthorized(header):
    # API Gateway answers 401 to an exception of exactly these words, and 500 to any other.
    with pytest.raises(Exception, match=r"^Unauthorized$") as raised:
        _ask(header)
    assert type(raised.value) is Exception


def _claims(**changes):
    now = int(time.time())
    return {
        "iss": ISSUER,
        "aud": "slipway",
        "sub": "jane@example.org",
        "iat": now,
        "exp": now + 600,
        "role": "viewer",
        **changes,
    }


def _signed(claims):
    return jwt.encode(claims, KEY, algorithm="ES256")


def _forget():
    settings.settings.cache_clear()
    tokens._local_key.cache_clear()
