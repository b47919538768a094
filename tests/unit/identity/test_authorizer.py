"""The authorizer's answers to API Gateway."""

import json
import time

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from chalicelib.identity import tokens
from chalicelib.identity.authorizer import authorizer
from chalicelib.identity.tokens import verify
from chalicelib.identity.unverified import TokenRefused
from chalicelib.settings import trusted_issuers
from tests.support.issuer import serving

ISSUER = "https://issuer.localhost"
KEY = ec.generate_private_key(ec.SECP256R1())
STAGE_ARN = "arn:aws:execute-api:eu-central-1:111122223333:abcdef1234/development"


@pytest.fixture(autouse=True)
def stage(tmp_path, monkeypatch):
    public = tmp_path / "public.jwk.json"
    public.write_text(jwt.algorithms.ECAlgorithm.to_jwk(KEY.public_key()))
    monkeypatch.setattr(tokens, "LOCAL_PUBLIC_KEY", public)
    monkeypatch.setenv("SLIPWAY_STAGE", "local")
    monkeypatch.setenv("DATABASE_URL", "postgresql://nowhere.invalid/service")
    monkeypatch.setenv(
        "SLIPWAY_ISSUERS",
        json.dumps([{"kind": "local", "issuer": ISSUER, "audience": "service", "algorithm": "ES256"}]),
    )
    tokens._local_key.cache_clear()
    yield
    tokens._local_key.cache_clear()


def test_a_verified_token_may_call_every_route_and_its_claims_are_passed_on():
    claims = _claims(systems=["azul", "blue"], nested={"deep": [1, None]})

    answer = _ask(f"Bearer {_signed(claims)}")

    assert answer["principalId"] == "jane@example.org"
    (statement,) = answer["policyDocument"]["Statement"]
    assert (statement["Effect"], statement["Action"]) == ("Allow", "execute-api:Invoke")
    # API Gateway caches the answer for a token. A policy for one route would refuse the token on other routes.
    assert statement["Resource"] == [f"{STAGE_ARN}/*/*"]
    assert json.loads(answer["context"]["claims"]) == claims


def test_the_context_is_flat():
    answer = _ask(f"Bearer {_signed(_claims(nested={'a': {'b': 1}}))}")

    assert all(isinstance(value, str | int | float | bool) for value in answer["context"].values())


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER", "Bearer  "])
def test_the_scheme_bearer_may_have_any_case_and_several_blanks(scheme):
    assert _ask(f"{scheme} {_signed(_claims())}")["principalId"] == "jane@example.org"


@pytest.mark.parametrize(
    "header",
    ["", "Bearer", "Bearer ", "{token}", "Basic {token}", "Bearer{token}", "Token {token}", "Bearer {token} {token}"],
)
def test_any_other_header_is_unauthorized(header):
    _is_unauthorized(header.format(token=_signed(_claims())))


@pytest.mark.parametrize("changes", [{"exp": 1}, {"aud": "another"}, {"iss": "https://issuer.example.org"}], ids=str)
def test_a_refused_token_is_unauthorized(changes):
    _is_unauthorized(f"Bearer {_signed(_claims(**changes))}")


def test_the_log_names_the_check_and_never_the_token(log):
    token = _signed(_claims(aud="another"))

    _is_unauthorized(f"Bearer {token}")

    line = log[-1]
    assert (line["level"], line["check"]) == ("INFO", "aud")
    assert "another" in line["reason"]
    assert not [part for part in token.split(".") if part in json.dumps(line)]


def test_an_unexpected_error_refuses_access_and_is_logged_without_the_token(log, monkeypatch):
    def fails(token, issuers):
        raise ZeroDivisionError(token)

    monkeypatch.setattr("chalicelib.identity.authorizer.verify", fails)

    _is_unauthorized("Bearer secret")

    line = log[-1]
    assert line["level"] == "ERROR"
    assert line["exception"].endswith("builtins.ZeroDivisionError")
    assert "in fails" in line["exception"]
    assert "secret" not in json.dumps(line)


def test_a_missing_header_is_unauthorized():
    _is_unauthorized(None)


@pytest.mark.parametrize("text", ["[", '[{"kind": "local"}]'])
def test_unusable_settings_refuse_access_and_are_logged(text, log, monkeypatch):
    monkeypatch.setenv("SLIPWAY_ISSUERS", text)

    _is_unauthorized(f"Bearer {_signed(_claims())}")

    line = log[-1]
    assert line["level"] == "ERROR"
    assert "SLIPWAY_ISSUERS" in line["reason"]


def test_the_authorizer_needs_no_database(monkeypatch):
    monkeypatch.setenv("SLIPWAY_STAGE", "production")
    monkeypatch.delenv("DATABASE_URL")
    monkeypatch.setenv("SLIPWAY_ISSUERS", "[]")

    with pytest.raises(TokenRefused, match="no trusted issuer"):
        verify(_signed(_claims()), trusted_issuers())


class TestAnIssuerWithADiscoveryDocument:
    """Tokens of an issuer with a discovery document, and settings that name the issuer."""

    @pytest.fixture
    def issuer(self, monkeypatch):
        with serving() as issuer:
            settings = [issuer.settings("github-actions")]
            monkeypatch.setenv("SLIPWAY_ISSUERS", json.dumps(settings))
            yield issuer

    def test_a_run_of_github_actions_is_accepted_with_all_its_claims(self, issuer):
        answer = _ask(f"Bearer {issuer.github_token(repository='acme/shop', environment='production')}")

        claims = json.loads(answer["context"]["claims"])
        assert answer["principalId"] == "repo:acme/shop:environment:production"
        assert claims["repository"] == "acme/shop"
        assert claims["environment"] == "production"
        assert claims["iss"] == issuer.url

    def test_a_person_is_accepted_with_their_groups(self, issuer, monkeypatch):
        monkeypatch.setenv("SLIPWAY_ISSUERS", json.dumps([issuer.settings("people")]))

        answer = _ask(f"Bearer {issuer.person_token(['admins'])}")

        assert json.loads(answer["context"]["claims"])["cognito:groups"] == ["admins"]

    def test_the_answer_is_the_same_for_every_route(self, issuer):
        token = f"Bearer {issuer.github_token()}"

        answers = [
            _ask(token, f"{STAGE_ARN}/{asked}") for asked in ("GET/v1/me", "DELETE/v1/systems/azul", "POST/v1/systems")
        ]

        assert answers[0] == answers[1] == answers[2]

    def test_tokens_are_verified_while_the_issuer_is_down(self, issuer):
        assert _ask(f"Bearer {issuer.github_token()}")
        issuer.behaves("down", "")

        assert _ask(f"Bearer {issuer.github_token()}")

    def test_a_lying_issuer_gives_no_access(self, issuer, log):
        issuer.behaves("html")

        _is_unauthorized(f"Bearer {issuer.github_token()}")

        assert log[-1]["check"] == "key"

    def test_a_forged_token_is_unauthorized(self, issuer, log):
        token = issuer.github_token()
        issuer.rotate()

        _is_unauthorized(f"Bearer {token}")

        assert log[-1]["check"] == "key"


def _ask(header, arn=f"{STAGE_ARN}/PATCH/v1/systems/azul"):
    return authorizer({"type": "TOKEN", "authorizationToken": header, "methodArn": arn}, None)


def _is_unauthorized(header):
    # API Gateway answers 401 to an exception with exactly this text, and 500 to any other.
    with pytest.raises(Exception, match=r"^Unauthorized$") as raised:
        _ask(header)
    assert type(raised.value) is Exception
    assert raised.value.args == ("Unauthorized",)


def _claims(**changes):
    now = int(time.time())
    return {
        "iss": ISSUER,
        "aud": "service",
        "sub": "jane@example.org",
        "iat": now,
        "exp": now + 600,
        "role": "viewer",
        **changes,
    }


def _signed(claims):
    return jwt.encode(claims, KEY, algorithm="ES256")
