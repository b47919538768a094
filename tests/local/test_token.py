"""`make token` makes tokens of the local issuer."""

import stat
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import jwt
import pytest

from tests.support.checkout import Checkout


@pytest.fixture
def claims(checkout: Checkout) -> Callable[..., dict[str, object]]:
    def claims(**words: str) -> dict[str, object]:
        printed = checkout.call("local", "token", **words)
        assert printed.returncode == 0, printed.stderr
        [token] = printed.stdout.splitlines()
        return jwt.decode(token, options={"verify_signature": False})

    return claims


def test_a_token_names_its_issuer_and_its_role(claims: Callable[..., dict[str, object]]) -> None:
    found = claims(ROLE="admin")

    assert found["iss"] == "https://issuer.localhost"
    assert found["aud"] == "service"
    assert found["sub"] == "admin@local"
    assert found["role"] == "admin"
    assert found["systems"] == []
    assert found["exp"] - found["iat"] == 8 * 3600  # type: ignore[operator]


def test_a_pipelines_token_names_systems_and_its_run(claims: Callable[..., dict[str, object]]) -> None:
    found = claims(ROLE="pipeline", SYSTEM="shop, search", SUBJECT="repo:shop", RUN_ID="17", SHA="a" * 40)

    assert found["systems"] == ["shop", "search"]
    assert found["sub"] == "repo:shop"
    assert found["run_id"] == "17"
    assert found["sha"] == "a" * 40


@pytest.mark.parametrize(
    ("words", "explained"),
    [
        ({}, "admin"),
        ({"ROLE": "root"}, "viewer|pipeline|maintainer|admin"),
        ({"ROLE": "pipeline"}, "SYSTEM="),
        ({"ROLE": "maintainer", "SYSTEM": " , "}, "SYSTEM="),
        ({"ROLE": "pipeline", "SYSTEM": "No Slug"}, "'No Slug'"),
    ],
)
def test_wrong_input_for_a_token_is_explained(checkout: Checkout, words: dict[str, str], explained: str) -> None:
    refused = checkout.call("local", "token", **words)

    assert refused.returncode == 2
    assert refused.stdout == ""
    assert explained in refused.stderr
    assert "Traceback" not in refused.stderr


def test_two_first_tokens_at_once_share_one_private_key_file(checkout: Checkout) -> None:
    with ThreadPoolExecutor(4) as threads:
        tokens = [
            answer.stdout.strip()
            for answer in threads.map(lambda _: checkout.call("local", "token", "--role", "viewer"), range(4))
        ]

    issuer = checkout.folder / ".local" / "issuer"
    key = jwt.PyJWK.from_json((issuer / "public.jwk.json").read_text())
    for token in tokens:
        jwt.decode(token, key, algorithms=["ES256"], audience="service")
    assert '"d"' not in (issuer / "public.jwk.json").read_text()
    assert stat.S_IMODE((issuer / "private.jwk.json").stat().st_mode) == 0o600
    assert stat.S_IMODE(issuer.stat().st_mode) == 0o700
    assert sorted(path.name for path in issuer.iterdir()) == ["private.jwk.json", "public.jwk.json"]
