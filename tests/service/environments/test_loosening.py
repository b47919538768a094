"""A change that lets a production environment require less or trust more takes a reason (docs/design.md)."""

import pytest

from tests.support.claims import GITHUB
from tests.support.given import A_PUBLISHER
from tests.support.writes import everything_done

SYSTEM = "/v1/systems/azul"
PATH = f"{SYSTEM}/environments"
REASON = "The load test has replaced this suite"
OF_BLUE = {"repository": "acme/blue", "repository_id": "75", "environments": {"production": None}}
BETWEEN = {"name": "between", "rank": 25}


@pytest.fixture
def usual(given):
    """A system with a repository and three environments, of which production requires something."""
    given.a_system(repository="https://github.com/acme/azul")
    given.an_environment("development", rank=10)
    given.an_environment("preproduction", rank=20)
    required = {"required_suites": ["acceptance"], "required_soak_seconds": 60, "required_approvals": 2}
    fields = {"base_url": "https://azul.example.org", "workspace_hosts": ["debug.azul.example.org"]}
    given.an_environment("production", rank=30, **required, **fields)
    given.an_environment("staging", rank=50, production=False)
    given.a_publisher(**OF_BLUE | {"environments": {"staging": None}})


def _with(reason):
    return f"?reason={reason.replace(' ', '%20')}" if reason else ""


def _because(reason, **fields):
    return fields | ({"reason": reason} if reason else {})


LOOSENING = {
    "fewer suites": lambda api, reason: _change(api, "production", reason, required_suites=[]),
    "fewer approvals": lambda api, reason: _change(api, "production", reason, required_approvals=1),
    "no longer production": lambda api, reason: _change(api, "production", reason, production=False),
    "another base_url": lambda api, reason: _change(api, "production", reason, base_url="https://blue.example.org"),
    "no base_url": lambda api, reason: _change(api, "production", reason, base_url=None),
    "one more host": lambda api, reason: _change(
        api, "production", reason, workspace_hosts=["debug.azul.example.org", ".blue.example.org"]
    ),
    "another repository": lambda api, reason: api.patch(
        SYSTEM, _because(reason, repository="https://github.com/acme/blue"), if_match="*"
    ),
    "production by another repository": lambda api, reason: _change(api, "staging", reason, production=True),
    "trust in another repository": lambda api, reason: api.post(
        f"{SYSTEM}/publishers", _because(reason, **A_PUBLISHER | OF_BLUE)
    ),
    "another rank": lambda api, reason: _change(api, "preproduction", reason, rank=40),
    "an environment between": lambda api, reason: api.post(PATH, _because(reason, **BETWEEN)),
    "without the environment before": lambda api, reason: api.delete(
        f"{PATH}/preproduction{_with(reason)}", if_match="*"
    ),
    "deleted": lambda api, reason: api.delete(f"{PATH}/production{_with(reason)}", if_match="*"),
    "deleted with its system": lambda api, reason: api.delete(f"{SYSTEM}{_with(reason)}", if_match="*"),
}


@pytest.mark.parametrize("change", LOOSENING.values(), ids=LOOSENING)
def test_loosening_without_a_reason_changes_nothing(api, given, usual, change):
    before = everything_done(given)

    refused = change(api, None)

    assert (refused.status, refused.problem) == (422, "reason-required")
    assert [fault["pointer"] for fault in refused["errors"]] == ["#/reason"]
    assert everything_done(given) == before


@pytest.mark.parametrize("change", LOOSENING.values(), ids=LOOSENING)
def test_loosening_with_a_reason_records_the_reason(api, usual, change):
    done = change(api, REASON)

    [event] = api.get("/v1/audit-events?limit=1")["items"]
    assert done.status in (200, 201, 204)
    assert (event["reason"], event["refusal"]) == (REASON, None)


@pytest.mark.parametrize("reason", ["too short", " with a blank before", "x" * 501], ids=["short", "blank", "long"])
def test_a_reason_is_a_text_of_10_to_500_characters(api, usual, reason):
    changed = _change(api, "production", reason, required_suites=[])
    deleted = api.delete(f"{PATH}/production{_with(reason)}", if_match="*")

    for answer in (changed, deleted):
        assert (answer.status, [fault["pointer"] for fault in answer["errors"]]) == (422, ["#/reason"])


def test_tightening_needs_no_reason(api, usual):
    tighter = {"required_suites": ["acceptance", "load"], "required_soak_seconds": 61, "required_approvals": 3}

    assert _change(api, "production", None, **tighter).status == 200
    assert api.post(PATH, {**BETWEEN, "rank": 35}).status == 201
    [event] = api.get("/v1/audit-events?limit=1")["items"]
    assert event["reason"] is None


def test_first_addresses_fewer_hosts_and_other_repositories_elsewhere_need_no_reason(api, given, usual):
    given.an_environment("another", rank=40, production=True)

    answers = [
        _change(api, "production", None, workspace_hosts=[]),
        _change(api, "another", None, base_url="https://azul.example.org"),
        _change(api, "preproduction", None, base_url="https://azul.example.org", workspace_hosts=["azul.example.org"]),
        api.post(f"{SYSTEM}/publishers", A_PUBLISHER | OF_BLUE | {"repository": "Acme/azul"}),
        api.post(f"{SYSTEM}/publishers", A_PUBLISHER | OF_BLUE | {"kinds": ["workspaces"]}),
        api.post(f"{SYSTEM}/publishers", A_PUBLISHER | OF_BLUE | {"environments": {"development": None}}),
        api.patch(SYSTEM, {"repository": "https://github.com/acme/azul", "name": "Azul 2"}, if_match="*"),
    ]

    assert [answer.status for answer in answers] == [200, 200, 200, 201, 201, 201, 200]


def test_a_system_without_a_repository_trusts_none_without_a_reason(api, given):
    given.a_system("green")
    given.an_environment("production", system="green")
    body = A_PUBLISHER | OF_BLUE

    refused = api.post("/v1/systems/green/publishers", body)

    assert (refused.status, refused.problem) == (422, "reason-required")
    assert api.post("/v1/systems/green/publishers", body | {"reason": REASON}).status == 201


def test_the_first_repository_of_a_system_with_production_takes_a_reason(api, given):
    given.the_usual()
    body = {"repository": "https://github.com/evil/azul"}
    maintainer = api.as_("maintainer")

    refused = maintainer.patch(SYSTEM, body, if_match="*")

    assert (refused.status, refused.problem) == (422, "reason-required")
    assert maintainer.patch(SYSTEM, body | {"reason": REASON}, if_match="*").status == 200


def test_the_first_repository_of_a_system_without_production_needs_no_reason(api, given):
    given.a_system_with_an_environment()

    assert api.patch(SYSTEM, {"repository": "https://github.com/acme/azul"}, if_match="*").status == 200


@pytest.mark.parametrize(
    "url", ["https://gitlab.com/acme/azul", "https://github.com@evil.example.org/acme/azul", "https://acme/azul"]
)
def test_a_repository_of_the_same_name_on_another_host_is_another_one(api, given, url):
    given.a_system(repository=url)
    given.an_environment("production")
    body = A_PUBLISHER | {"environments": {"production": None}}

    assert api.post(f"{SYSTEM}/publishers", body).problem == "reason-required"


def test_the_own_repository_may_be_on_the_server_of_its_issuer(api, given, trusting):
    trusting("local", "github-actions", another="https://github.example.org/_services/token")
    given.a_system(repository="https://github.example.org/acme/azul")
    given.an_environment("production")
    body = A_PUBLISHER | {"environments": {"production": None}}

    own = api.post(f"{SYSTEM}/publishers", body | {"issuer": "https://github.example.org/_services/token"})
    other = api.post(f"{SYSTEM}/publishers", body | {"issuer": GITHUB})

    assert (own.status, other.problem) == (201, "reason-required")


def test_an_environment_of_the_own_repository_becomes_production_without_a_reason(api, given, usual):
    given.an_environment("canary", rank=60)
    given.a_publisher(environments={"canary": None})
    given.a_publisher(**OF_BLUE | {"environments": {"canary": None}, "kinds": ["workspaces"]})

    assert _change(api, "canary", None, production=True).status == 200


def test_a_reason_that_is_not_needed_is_recorded_too(api, usual):
    assert _change(api, "development", REASON, base_url="https://azul.example.org").status == 200

    [event] = api.get("/v1/audit-events?limit=1")["items"]
    assert event["reason"] == REASON


def test_an_environment_does_not_show_the_reason(api, usual):
    changed = _change(api, "production", REASON, required_suites=[])

    assert "reason" not in changed.json
    assert api.get(f"{PATH}/production").json == changed.json


def _change(api, name, reason, **fields):
    return api.patch(f"{PATH}/{name}", _because(reason, **fields), if_match="*")
