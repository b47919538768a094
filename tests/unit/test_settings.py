"""A stage with missing or unsafe settings does not start. The error says what to set."""

import json

import pytest

from chalicelib import NAME, SQL_NAME, settings
from chalicelib.settings import Aurora, Issuer, Membership, SignIn, UnusableSettings, read, trusted_issuers

LOCAL = {"kind": "local", "issuer": "https://issuer.localhost", "audience": "service", "algorithm": "ES256"}
GITHUB = {
    "kind": "github-actions",
    "issuer": "https://token.actions.githubusercontent.com",
    "audience": "service",
    "algorithm": "RS256",
}
PEOPLE = {
    "kind": "people",
    "issuer": "https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_AbCdEf",
    "audience": "3n4b5urk1ft4fl3mg5e62d9ado",
    "audience_claim": "client_id",
    "algorithm": "RS256",
    "groups_claim": "cognito:groups",
    "groups": {"everybody": {"role": "viewer"}, "admins": {"role": "admin"}},
}
DATABASE = "postgresql://localhost/service"
DEPLOYED = ["development", "preproduction", "production"]


def group(name, **membership):
    """Return an issuer for people that has one group, with the given membership."""
    return {**PEOPLE, "groups": {name: membership}}


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
    assert read_settings.database == DATABASE


@pytest.mark.parametrize("stage", DEPLOYED)
def test_a_deployed_stage_without_issuers_trusts_nobody(stage):
    assert read(environ(stage, SLIPWAY_ISSUERS=None)).issuers == ()


@pytest.mark.parametrize("stage", ["staging", "Local", "", None])
def test_an_unknown_stage_does_not_start(stage):
    with pytest.raises(UnusableSettings, match=r"SLIPWAY_STAGE .* name one of the stages"):
        read(environ(stage))


@pytest.mark.parametrize("stage", ["local", *DEPLOYED])
def test_pipelines_and_people_are_trusted_in_every_stage(stage):
    assert [issuer.kind for issuer in read(environ(stage, GITHUB, PEOPLE)).issuers] == ["github-actions", "people"]


@pytest.mark.parametrize("stage", DEPLOYED)
def test_a_deployed_stage_does_not_trust_the_local_issuer(stage):
    with pytest.raises(UnusableSettings, match=r"SLIPWAY_ISSUERS.* name the OIDC issuers of this stage"):
        read(environ(stage, LOCAL))


@pytest.mark.parametrize(
    "url",
    [
        "http://issuer.localhost",
        "http://issuer.example.org",
        "http://127.0.0.1",
        "http://127.0.0.1.example.org:8000",
        "http://127.0.0.1:8000@example.org",
        "http://localhost:8000",
        "issuer.localhost",
        "",
        "https://",
        "https:///path",
        "HTTPS://issuer.localhost",
        "https://Issuer.localhost",
        "https://issuer.example.org?tenant=1",
        "https://issuer.example.org/?",
        "https://issuer.example.org#here",
        "https://jane@issuer.example.org",
        "https://jane:secret@issuer.example.org",
        "https://issuer.example.org ",
        " https://issuer.example.org",
        "https://issuer.example.org/a b",
        "https://issuer.example.org\n",
        "https://issuer.example.org\\@example.com",
        "https://issuer.example.org:port",
        "https://issuér.example.org",
    ],
)
def test_an_issuer_must_be_an_https_url(url):
    with pytest.raises(UnusableSettings, match="an issuer must be an https URL"):
        read(environ("local", {**GITHUB, "issuer": url}))


@pytest.mark.parametrize(
    "url",
    [
        "https://issuer.example.org",
        "https://issuer.example.org/",
        "https://issuer.example.org:8443/_services/token",
        "https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_AbCdEf",
        "https://login.example.org/realms/acme~1.0/",
    ],
)
def test_an_issuers_url_may_have_port_and_path(url):
    assert read(environ("production", {**GITHUB, "issuer": url})).issuers[0].issuer == url


def test_only_the_local_stage_trusts_an_issuer_on_this_machine():
    here = {**GITHUB, "issuer": "http://127.0.0.1:8010"}

    assert read(environ("local", here)).issuers == (Issuer(**here),)
    for stage in DEPLOYED:
        with pytest.raises(UnusableSettings, match="must not trust an issuer on this machine"):
            read(environ(stage, here))


@pytest.mark.parametrize("url", ["https://*.example.org", "https://issuer.example.org/*", "*"])
def test_an_issuer_may_not_have_a_wildcard(url):
    with pytest.raises(UnusableSettings, match="must not have a wildcard"):
        read(environ("local", {**GITHUB, "issuer": url}))


@pytest.mark.parametrize("audience", ["", " ", "*", "service*", "service ", "\tservice"])
def test_an_audience_must_be_exact(audience):
    with pytest.raises(UnusableSettings, match="name the audience"):
        read(environ("local", {**LOCAL, "audience": audience}))


@pytest.mark.parametrize("claim", ["", "iss", "sub", "exp", "nbf", "iat", "jti"])
def test_a_claim_with_another_meaning_cannot_be_the_audience(claim):
    with pytest.raises(UnusableSettings, match="has no audience"):
        read(environ("local", {**LOCAL, "audience_claim": claim}))


@pytest.mark.parametrize(
    ("issuer", "audience"),
    [
        ("https://token.actions.githubusercontent.com", "https://github.com/acme"),
        ("https://token.actions.githubusercontent.com", "https://GitHub.com/Acme/"),
        ("https://token.actions.githubusercontent.com", "https://github.com"),
        ("https://token.actions.acme.ghe.com", "https://acme.ghe.com/acme"),
        ("https://github.example.org/_services/token", "https://github.example.org/acme"),
        ("https://token.actions.githubusercontent.com", "sts.amazonaws.com"),
        ("https://token.actions.githubusercontent.com", "api://AzureADTokenExchange"),
    ],
)
def test_an_audience_that_pipelines_get_tokens_for_anyway_is_refused(issuer, audience):
    with pytest.raises(UnusableSettings, match="name an audience that only this service has"):
        read(environ("production", {**GITHUB, "issuer": issuer, "audience": audience}))


@pytest.mark.parametrize("audience", ["service", "https://service.example.org", "https://github.com.example.org/acme"])
def test_any_other_audience_of_pipelines_is_accepted(audience):
    assert read(environ("production", {**GITHUB, "audience": audience})).issuers[0].audience == audience


def test_any_audience_of_people_is_accepted():
    audience = "https://issuer.example.org/service"

    people = {**PEOPLE, "issuer": "https://issuer.example.org", "audience": audience, "audience_claim": "aud"}

    assert read(environ("production", people)).issuers[0].audience == audience


@pytest.mark.parametrize(
    ("issuer", "instead"),
    [
        ({**PEOPLE, "groups_claim": None}, "in `groups_claim`"),
        ({**PEOPLE, "groups_claim": ""}, "in `groups_claim`"),
        ({**PEOPLE, "groups": {}}, "in `groups`"),
        (group("*", role="viewer"), "name each group in full"),
        (group("admin*", role="admin"), "name each group in full"),
        (group(" ", role="viewer"), "name each group in full"),
        (group("team", role="maintainer"), "name them in `systems`"),
        (group("team", role="maintainer", systems=[]), "name them in `systems`"),
        (group("team", role="pipeline"), "name them in `systems`"),
        (group("team", role="maintainer", systems=["shop", "Shop"]), "which is a slug"),
        (group("team", role="maintainer", systems=["*"]), "which is a slug"),
        (group("team", role="pipeline", systems=["shop\n"]), "which is a slug"),
        (group("team", role="admin", systems=["shop"]), "leave out `systems`"),
        (group("team", role="viewer", systems=["shop"]), "leave out `systems`"),
        ({**GITHUB, "groups": PEOPLE["groups"]}, "to kind `people`"),
        ({**GITHUB, "groups_claim": "groups"}, "to kind `people`"),
        ({**LOCAL, "groups_claim": "groups"}, "to kind `people`"),
    ],
    ids=str,
)
def test_groups_must_be_named_with_their_systems(issuer, instead):
    with pytest.raises(UnusableSettings, match=instead):
        read(environ("local", issuer))


def test_a_group_maps_to_a_role_and_systems_or_all():
    groups = {
        "everybody": {"role": "viewer"},
        "shop": {"role": "maintainer", "systems": ["shop", "search"]},
        "robots": {"role": "pipeline", "systems": "all"},
        "admins": {"role": "admin"},
        "auditors": {"role": "viewer", "systems": "all"},
    }

    [issuer] = read(environ("production", {**PEOPLE, "groups": groups})).issuers

    assert issuer.groups["shop"] == Membership("maintainer", ("shop", "search"))
    assert issuer.groups["robots"] == Membership("pipeline", "all")


def test_an_issuer_may_be_named_once():
    with pytest.raises(UnusableSettings, match="list each issuer once"):
        read(environ("production", GITHUB, {**GITHUB, "audience": "another"}))


def test_every_fault_of_every_issuer_is_named():
    with pytest.raises(UnusableSettings) as unusable:
        read(environ("production", GITHUB, {**LOCAL, "audience": "*", "groups_claim": "groups"}))

    message = str(unusable.value)
    assert "name the OIDC issuers" in message
    assert "name the audience" in message
    assert "to kind `people`" in message


def test_trusted_issuers_are_read_without_a_database():
    assert trusted_issuers(environ("production", GITHUB, DATABASE_URL=None)) == (Issuer(**GITHUB),)


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
        "https://issuer.localhost",
    ],
    ids=str,
)
def test_an_issuer_has_all_required_members_and_no_unknown_one(issuer):
    with pytest.raises(UnusableSettings, match="SLIPWAY_ISSUERS must be a JSON list of issuers"):
        read(environ("local", issuer))


@pytest.mark.parametrize("text", ["", "{}", "null", "[", "https://issuer.localhost"])
def test_issuers_must_be_a_json_list(text):
    with pytest.raises(UnusableSettings, match="SLIPWAY_ISSUERS must be a JSON list of issuers"):
        read(environ(SLIPWAY_ISSUERS=text))


AURORA = {
    "DATABASE_URL": None,
    "SLIPWAY_DATABASE_HOST": "cluster.example.org",
    "SLIPWAY_DATABASE_USER": "service_app",
    "AWS_REGION": "eu-central-1",
}


@pytest.mark.parametrize("stage", DEPLOYED)
def test_a_deployed_stage_reads_its_cluster_from_the_environment(stage):
    assert read(environ(stage, **AURORA)).database == Aurora(
        host="cluster.example.org", port=5432, name=SQL_NAME, user="service_app", region="eu-central-1"
    )
    elsewhere = read(environ(stage, **AURORA, SLIPWAY_DATABASE_PORT="5433", SLIPWAY_DATABASE_NAME="other")).database
    assert (elsewhere.port, elsewhere.name) == (5433, "other")


@pytest.mark.parametrize("name", ["SLIPWAY_DATABASE_USER", "AWS_REGION"])
@pytest.mark.parametrize("value", [None, ""])
def test_a_cluster_without_user_or_region_is_refused(name, value):
    with pytest.raises(UnusableSettings, match=name):
        read(environ("production", **{**AURORA, name: value}))


@pytest.mark.parametrize("port", ["", "x", "-1", "5432 ", "\u0665"])
def test_a_port_must_be_a_number(port):
    with pytest.raises(UnusableSettings, match="SLIPWAY_DATABASE_PORT"):
        read(environ("production", **AURORA, SLIPWAY_DATABASE_PORT=port))


@pytest.mark.parametrize("host", [None, ""])
def test_a_function_may_have_no_database(host):
    assert read(environ("development", **{**AURORA, "SLIPWAY_DATABASE_HOST": host})).database is None


def test_a_deployed_stage_ignores_a_local_database(nothing_local):
    (nothing_local / "database-url").write_text(DATABASE)

    assert read(environ("development", DATABASE_URL=None)).database is None


def test_the_local_stage_finds_the_local_database(nothing_local):
    (nothing_local / "database-url").write_text(f"{DATABASE}\n")

    assert read(environ(DATABASE_URL=None)).database == DATABASE


def test_the_local_stage_says_how_to_start_a_database():
    with pytest.raises(UnusableSettings, match="make database"):
        read(environ(DATABASE_URL=None))


# The rate of writes.


def test_a_caller_may_write_2000_times_in_an_hour_unless_the_stage_says_otherwise():
    assert read(environ()).writes_per_hour == 2000
    assert read(environ(SLIPWAY_WRITES_PER_HOUR="50")).writes_per_hour == 50


@pytest.mark.parametrize("text", ["", "0", "-1", "1e3", "many", "1000000000", "٣"])
def test_a_rate_that_is_no_number_from_1_is_refused(text):
    with pytest.raises(UnusableSettings, match=r"SLIPWAY_WRITES_PER_HOUR is .* set it to a number"):
        read(environ(SLIPWAY_WRITES_PER_HOUR=text))


SIGN_IN = {"authority": PEOPLE["issuer"], "client_id": "3n4b5urk1ft4fl3mg5e62d9ado", "scope": "openid profile"}


def signing_in(**changes):
    return environ("production", PEOPLE, SLIPWAY_SIGN_IN=json.dumps({**SIGN_IN, **changes}))


def test_people_sign_in_at_an_issuer_that_the_stage_trusts():
    assert read(signing_in()).sign_in == SignIn(**SIGN_IN)
    assert read(environ("production", PEOPLE)).sign_in is None


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"authority": "https://login.example.org"}, "name the same issuer in both"),
        ({"authority": GITHUB["issuer"]}, "name the same issuer in both"),
        ({"client_id": " "}, "name the page's client"),
        ({"client_secret": "6f1c9a52"}, "client_secret"),
        ({"scope": "profile"}, "lacks `openid`"),
    ],
    ids=str,
)
def test_an_unusable_sign_in_is_refused(changes, message):
    with pytest.raises(UnusableSettings, match=message):
        read(signing_in(**changes))


def test_a_sign_in_that_is_no_json_is_refused():
    with pytest.raises(UnusableSettings, match="must be a JSON object"):
        read(environ("production", PEOPLE, SLIPWAY_SIGN_IN="cognito"))


def test_dependencies_are_typed() -> None:
    queue = "arn:aws:sqs:eu-central-1:111122223333:orders"
    declared = {"instance": queue, "access": "read_write", "secret": f"{NAME}/production/orders"}
    text = json.dumps({"orders": declared})

    found = read(environ("production", GITHUB, SLIPWAY_DEPENDENCIES=text)).dependencies["orders"]

    assert (found.instance, found.access, found.exclusive) == (queue, "read_write", False)
    assert found.secret == declared["secret"]
    assert read(environ("production", GITHUB)).dependencies == {}


@pytest.mark.parametrize(
    "dependencies",
    [
        "[]",
        '{"orders": {}}',
        '{"orders": {"instance": "https://pay.example.org", "access": "write"}}',
        '{"Orders": {"instance": "https://pay.example.org", "access": "read_only"}}',
        '{"orders": {"instance": "http://127.0.0.1:8000", "access": "read_only"}}',
        '{"orders": {"instance": "https://user@pay.example.org", "access": "read_only"}}',
        '{"orders": {"instance": "https://pay.example.org/", "access": "read_only"}}',
    ],
)
def test_wrong_dependencies_are_refused(dependencies: str) -> None:
    with pytest.raises(UnusableSettings, match="SLIPWAY_DEPENDENCIES"):
        read(environ("production", GITHUB, SLIPWAY_DEPENDENCIES=dependencies))
