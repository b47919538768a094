"""A stage does not start on settings that are missing or unsafe, and says what to write instead."""

import json

import pytest

from chalicelib import settings
from chalicelib.settings import Issuer, UnusableSettings, read

LOCAL = {"kind": "local", "issuer": "https://slipway.localhost", "audience": "slipway", "algorithm": "ES256"}
DATABASE = "postgresql://localhost/slipway"
DEPLOYED = ["development", "preproduction", "production"]


@pytest.fixture(autouse=True)
def nothing_local(tmp_path, monkeypatch):
    monkeypatch.setattr(settings, "LOCAL_STATE", tmp_path)
    return tmp_path


def environ(stage="local", *issuers, **changes):
    variables = {
        "SLIPWAY_STAGE": stage,
        "SLIPWAY_ISSUERS": json.dumps(issuers),
        "DATABASE_URL": DATABASE,
        **changes,
    }
    return {name: value for name, value in variables.items() if value is not None}


def test_settings_are_read_from_the_environment():
    read_settings = read(environ("local", LOCAL))

    assert read_settings.stage == "local"
    assert read_settings.issuers == (Issuer(**LOCAL),)
    assert read_settings.database_url == DATABASE


@pytest.mark.parametrize("stage", DEPLOYED)
def test_a_deployed_stage_that_names_no_issuer_trusts_nobody(stage):
    assert read(environ(stage, SLIPWAY_ISSUERS=None)).issuers == ()


@pytest.mark.parametrize("stage", ["staging", "Local", "", None])
def test_an_unknown_stage_does_not_start(stage):
    with pytest.raises(UnusableSettings, match=r"SLIPWAY_STAGE .* name one of the stages"):
        read(environ(stage))


@pytest.mark.parametrize("stage", DEPLOYED)
def test_a_deployed_stage_does_not_trust_the_local_issuer(stage):
    with pytest.raises(UnusableSettings, match=r"SLIPWAY_ISSUERS .* name the OIDC issuers of this stage"):
        read(environ(stage, LOCAL))


@pytest.mark.parametrize("issuer", ["http://slipway.localhost", "slipway.localhost", "", "HTTPS://slipway.localhost"])
def test_an_issuer_is_an_https_url(issuer):
    with pytest.raises(UnusableSettings, match="an issuer is an https URL"):
        read(environ("local", {**LOCAL, "issuer": issuer}))


@pytest.mark.parametrize("audience", ["", "*", "slipway*"])
def test_an_audience_is_exact(audience):
    with pytest.raises(UnusableSettings, match="name the audience"):
        read(environ("local", {**LOCAL, "audience": audience}))


def test_every_issuer_is_looked_at():
    with pytest.raises(UnusableSettings, match="name the audience"):
        read(environ("local", LOCAL, {**LOCAL, "audience": "*"}))


@pytest.mark.parametrize(
    "issuer",
    [
        {**LOCAL, "verify": False},
        {**LOCAL, "kind": "unheard-of"},
        {**LOCAL, "algorithm": "none"},
        {**LOCAL, "algorithm": "HS256"},
        {**LOCAL, "algorithm": ["ES256"]},
        {key: value for key, value in LOCAL.items() if key != "audience"},
        {key: value for key, value in LOCAL.items() if key != "algorithm"},
        "https://slipway.localhost",
    ],
    ids=str,
)
def test_an_issuer_says_all_that_is_needed_and_nothing_else(issuer):
    with pytest.raises(UnusableSettings, match="SLIPWAY_ISSUERS must be a JSON list of issuers"):
        read(environ("local", issuer))


@pytest.mark.parametrize("text", ["", "{}", "null", "[", "https://slipway.localhost"])
def test_issuers_are_a_json_list(text):
    with pytest.raises(UnusableSettings, match="SLIPWAY_ISSUERS must be a JSON list of issuers"):
        read(environ(SLIPWAY_ISSUERS=text))


@pytest.mark.parametrize("url", [None, ""])
@pytest.mark.parametrize("stage", DEPLOYED)
def test_a_deployed_stage_is_told_its_database(stage, url):
    with pytest.raises(UnusableSettings, match="DATABASE_URL is not set"):
        read(environ(stage, DATABASE_URL=url))


def test_a_deployed_stage_takes_no_notice_of_a_local_database(nothing_local):
    (nothing_local / "database-url").write_text(DATABASE)

    with pytest.raises(UnusableSettings, match="DATABASE_URL is not set"):
        read(environ("development", DATABASE_URL=None))


def test_the_local_stage_finds_the_local_database(nothing_local):
    (nothing_local / "database-url").write_text(f"{DATABASE}\n")

    assert read(environ(DATABASE_URL=None)).database_url == DATABASE


def test_the_local_stage_says_how_to_start_a_database():
    with pytest.raises(UnusableSettings, match="make database"):
        read(environ(DATABASE_URL=None))
