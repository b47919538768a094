"""GET /v1/configuration: how people sign in, which a page reads before it has a token."""

import json

import pytest

from chalicelib import NAME, __version__, settings
from tests.support.claims import PEOPLE
from tests.support.expected import Expected

EXPECTED = Expected(
    roles={
        "GET /v1/configuration": "public",
    },
)
SIGN_IN = {"authority": PEOPLE, "client_id": "service", "scope": "openid profile"}


@pytest.fixture
def signs_in_with_oidc(api, monkeypatch):
    monkeypatch.setenv("SLIPWAY_SIGN_IN", json.dumps(SIGN_IN))
    settings.settings.cache_clear()
    yield
    settings.settings.cache_clear()


def test_anyone_reads_the_version_and_the_stage_without_a_database(api, monkeypatch):
    monkeypatch.setenv("DATABASE_URL", "postgresql://127.0.0.1:1/none")

    answer = api.as_(None).get("/v1/configuration")

    assert answer.status == 200
    assert answer.json == {
        "version": __version__,
        "stage": "local",
        "name": NAME.replace("-", " ").title(),
        "sign_in": {"kind": "local"},
    }


@pytest.mark.usefixtures("signs_in_with_oidc")
def test_a_page_learns_where_people_sign_in(api):
    assert api.as_(None).get("/v1/configuration")["sign_in"] == {"kind": "oidc", **SIGN_IN}


def test_a_deployed_stage_without_a_sign_in_says_so(api, monkeypatch):
    monkeypatch.setenv("SLIPWAY_STAGE", "production")
    monkeypatch.setenv("SLIPWAY_ISSUERS", "[]")
    settings.settings.cache_clear()

    answer = api.as_(None).get("/v1/configuration")

    settings.settings.cache_clear()
    assert (answer["stage"], answer["sign_in"]) == ("production", None)


def test_it_may_be_cached_for_a_minute_and_is_not_sent_again_unchanged(api):
    first = api.get("/v1/configuration")

    assert first.headers["Cache-Control"] == "public, max-age=60"
    assert api.get("/v1/configuration", if_none_match=first.headers["ETag"]).status == 304
