"""The principal that verified claims describe, and the principal's roles."""

import time

import pytest

from chalicelib.identity.principal import NotAPrincipal, Run, from_claims
from chalicelib.identity.roles import Role
from chalicelib.identity.trust import TrustRule
from chalicelib.settings import Issuer, Membership
from tests.support.claims import RUN

ISSUER = Issuer(kind="local", issuer="https://issuer.localhost", audience="service", algorithm="ES256")
PEOPLE = Issuer(
    kind="people",
    issuer="https://people.example.org",
    audience="service",
    algorithm="RS256",
    groups_claim="cognito:groups",
    groups={
        "everybody": Membership("viewer"),
        "blue-pipelines": Membership("pipeline", ("blue",)),
        "azul-maintainers": Membership("maintainer", ("azul",)),
        "all-maintainers": Membership("maintainer", "all"),
        "admins": Membership("admin"),
    },
)
GITHUB = Issuer(kind="github-actions", issuer=RUN["iss"], audience="service", algorithm="RS256")
CLAIMS = {"iss": ISSUER.issuer, "sub": "jane@example.org", "exp": 2e9, "role": "maintainer", "systems": ["azul"]}


def local(role, *systems, **changes):
    return from_claims({**CLAIMS, "role": role, "systems": list(systems), **changes}, (ISSUER,))


def person(*groups, **changes):
    claims = {"iss": PEOPLE.issuer, "sub": "5ad4", "exp": 2e9, "cognito:groups": list(groups), **changes}
    return from_claims({name: value for name, value in claims.items() if value is not None}, (ISSUER, PEOPLE))


def test_claims_become_a_principal():
    principal = from_claims(CLAIMS, (ISSUER,))

    assert (principal.issuer, principal.subject) == (ISSUER.issuer, "jane@example.org")
    assert (principal.kind, principal.expires_at, principal.run) == ("local", 2e9, None)
    assert principal.role_in("azul") is Role.maintainer


def test_a_pipelines_run_comes_from_its_claims():
    claims = {**CLAIMS, "run_id": "4711", "run_attempt": "2", "sha": "a" * 40, "actor": "jane"}

    assert from_claims(claims, (ISSUER,)).run == Run(id="4711", attempt="2", sha="a" * 40, actor="jane")


def test_a_run_is_the_first_attempt_by_default():
    assert from_claims({**CLAIMS, "run_id": "4711"}, (ISSUER,)).run == Run(id="4711")


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "https://issuer.example.org"},
        {"iss": None},
        {"iss": ["https://issuer.localhost"]},
        {"role": "owner"},
        {"role": "Admin"},
        {"role": 4},
        {"role": None},
        {"role": ["admin"]},
        {"role": "__class__"},
        {"sub": None},
        {"exp": None},
        {"exp": "2000000000"},
        {"systems": "azul"},
        {"systems": [1]},
    ],
    ids=str,
)
def test_claims_with_invalid_values_make_no_principal(changes):
    with pytest.raises(NotAPrincipal):
        from_claims({**CLAIMS, **changes}, (ISSUER,))


@pytest.mark.parametrize("name", ["iss", "sub", "exp", "role"])
def test_incomplete_claims_make_no_principal(name):
    claims = {key: value for key, value in CLAIMS.items() if key != name}

    with pytest.raises(NotAPrincipal):
        from_claims(claims, (ISSUER,))


def test_without_a_trusted_issuer_there_is_no_principal():
    with pytest.raises(NotAPrincipal):
        from_claims(CLAIMS, ())


def test_roles_are_cumulative():
    assert Role.viewer < Role.pipeline < Role.maintainer < Role.admin


@pytest.mark.parametrize("role", [Role.pipeline, Role.maintainer])
def test_a_role_applies_in_its_systems_and_is_viewer_elsewhere(role):
    principal = local(role.name, "azul", "green")

    assert principal.role_in("azul") is role
    assert principal.role_in("green") is role
    assert principal.role_in("blue") is Role.viewer
    assert principal.role_in(None) is Role.viewer


def test_a_viewers_role_does_not_depend_on_systems():
    assert local("viewer", "azul").role_in("azul") is Role.viewer


def test_an_admin_is_admin_everywhere():
    assert local("admin").role_in("azul") is Role.admin
    assert local("admin").role_in(None) is Role.admin


def test_a_caller_without_a_role_is_anybody_and_not_known():
    stranger = local("anybody", "azul")

    assert stranger.role_in("azul") is Role.anybody
    assert stranger.role_in(None) is Role.anybody
    assert not stranger.is_known
    assert local("viewer").is_known


@pytest.mark.parametrize(("seconds", "expired"), [(-1, True), (60, False)])
def test_a_principal_expires_with_its_token(seconds, expired):
    assert local("viewer", exp=time.time() + seconds).has_expired is expired


# People.


def test_a_persons_roles_come_from_their_groups():
    principal = person("everybody", "azul-maintainers", "blue-pipelines")

    assert (principal.kind, principal.subject) == ("person", "5ad4")
    assert principal.role_in("azul") is Role.maintainer
    assert principal.role_in("blue") is Role.pipeline
    assert principal.role_in("green") is Role.viewer
    assert principal.role_in(None) is Role.viewer


def test_the_highest_of_several_roles_in_a_system_counts():
    assert person("blue-pipelines", "all-maintainers").role_in("blue") is Role.maintainer
    assert person("all-maintainers", "blue-pipelines").role_in("blue") is Role.maintainer


def test_a_group_for_all_systems_makes_no_admin():
    principal = person("all-maintainers")

    assert principal.role_in("whatever") is Role.maintainer
    assert principal.role_in(None) is Role.viewer


@pytest.mark.parametrize(
    "groups",
    [(), ("unheard-of",), ("Admins",), ("admins ",), ("role",)],
    ids=["no group", "an unknown group", "another case", "a blank at the end", "the name of a setting"],
)
def test_a_person_in_no_configured_group_is_not_known(groups):
    assert not person(*groups).is_known


def test_a_missing_claim_means_no_groups():
    assert not person(**{"cognito:groups": None}).is_known


@pytest.mark.parametrize("groups", ["admins", [1], {"admins": True}, "admins everybody"], ids=str)
def test_groups_must_be_a_list_of_names(groups):
    with pytest.raises(NotAPrincipal):
        person(**{"cognito:groups": groups})


def test_claims_of_other_kinds_of_issuers_grant_a_person_nothing():
    # These claims mean something only in tokens of other kinds of issuers.
    assert not person(role="admin", systems=["azul"], repository_id="74").is_known


# Pipelines.


def run(**claims):
    return from_claims({**RUN, "exp": 2e9, **claims}, (GITHUB,))


def a_rule(system="azul", **fields):
    known = {
        "id": "1",
        "issuer": GITHUB.issuer,
        "repository": "acme/azul",
        "repository_id": "74",
        "repository_owner_id": "65",
        "workflow": ".github/workflows/deploy.yml",
        "called_workflow": None,
        "events": ("push",),
        "ref": "refs/heads/main",
        "environments": {"development": None},
        "kinds": ("deployments",),
        "purposes": ("personal", "preview"),
        "any_revision": False,
    }
    return TrustRule(system=system, **{**known, **fields})


def test_a_pipeline_is_not_known_without_a_publisher():
    assert not run().is_known
    assert not run().with_publishers([]).is_known
    assert not run().with_publishers([a_rule(ref="refs/heads/other")]).is_known


def test_matching_publishers_make_a_run_a_pipeline_of_their_systems():
    principal = run().with_publishers([a_rule("azul"), a_rule("green"), a_rule("blue", events=())])

    assert principal.role_in("azul") is Role.pipeline
    assert principal.role_in("green") is Role.pipeline
    assert principal.role_in("blue") is Role.anybody
    assert principal.role_in(None) is Role.viewer
    assert principal.readable == ["azul", "green"]
    assert [each.system for each in principal.publishers] == ["azul", "green"]


def test_the_run_comes_from_githubs_claims():
    principal = run(run_id="4711", run_attempt="2", sha="a" * 40, actor="jane")

    assert principal.run == Run(id="4711", repository_id="74", attempt="2", sha="a" * 40, actor="jane")


def test_a_pipelines_subject_comes_from_claims_that_its_repository_cannot_choose():
    customised = run(sub="repo:acme/shop:ref:refs/heads/main")
    elsewhere = run(sub=RUN["sub"], repository_id="75")

    assert customised.subject == "repo:acme@65/azul@74:environment:development"
    assert run(environment=None).subject == "repo:acme@65/azul@74:ref:refs/heads/main"
    assert elsewhere.subject == "repo:acme@65/azul@75:environment:development"


def test_a_pipelines_keys_belong_to_the_jobs_of_its_run_with_the_same_trust():
    rules = [
        a_rule(id="1", environments={"development": None, "production": "production"}),
        a_rule(id="2", environments={"production": "production"}),
    ]

    def keeper(**claims):
        return run(**claims).with_publishers(rules).keeper

    assert keeper(environment=None) == "repository 74 publishers 1 run 4711"
    assert keeper(environment="test") == "repository 74 publishers 1 run 4711 environment test"
    assert keeper(environment="production") == "repository 74 publishers 1 2 run 4711 environment production"
    assert keeper(run_attempt="2") == keeper()
    assert keeper(run_id="4712") != keeper()
    assert keeper(repository_id="75") != keeper()


def test_a_pipelines_writes_are_counted_by_the_publishers_that_accept_its_job():
    rules = [
        a_rule(id="1", environments={"development": "previews"}),
        a_rule(id="2", environments={"development": "development", "production": "production"}),
        a_rule(id="3", environments={"development": None, "production": "production"}),
        a_rule(id="4", environments={"development": "development"}, ref="refs/heads/other"),
    ]

    def writer(**claims):
        return run(**claims).with_publishers(rules).writer

    assert writer(environment="previews") == "repository 74 publishers 1 3"
    assert writer(environment="development") == writer(environment="production") == "repository 74 publishers 2 3"
    assert writer(environment=None) == writer(environment="made up") == "repository 74 publishers 3"
    assert writer(run_id="4712", run_attempt="2") == writer()


def test_a_persons_keys_and_writes_belong_to_the_subject():
    assert (person().keeper, person().writer) == ("5ad4", "5ad4")


_LAPTOP = "💻\\u200d\ufe0f"


@pytest.mark.parametrize(
    ("claims", "shown"),
    [
        ({"environment": "a\u202eb"}, "environment:a\\u202eb"),
        ({"environment": "a\\u202eb"}, "environment:a\\u005cu202eb"),
        ({"ref": "refs/heads/größer\u200d💻"}, "ref:refs/heads/größer\\u200d💻"),
        ({"environment": "e" * 255, "repository": f"{'o' * 39}/{'r' * 100}"}, f"environment:{'e' * 255}"),
        ({"environment": "💻\u200d\ufe0f" * 85}, f"environment:{_LAPTOP * 85}"),
    ],
)
def test_a_pipelines_subject_is_printable(claims, shown):
    subject = run(**{"environment": None, **claims}).subject

    assert subject.endswith(f":{shown}")
    assert subject.isprintable()


def test_a_pipelines_subject_is_short():
    with pytest.raises(NotAPrincipal):
        run(environment=None, ref="refs/heads/" + "x" * 1000)


def test_claims_of_other_kinds_of_issuers_grant_a_run_nothing():
    assert not run(role="admin", systems=["azul"], **{"cognito:groups": ["admins"]}).with_publishers([]).is_known


@pytest.mark.parametrize("name", ["exp", "repository", "repository_id", "workflow_ref", "event_name", "ref", "sha"])
def test_a_missing_or_mistyped_claim_makes_no_principal(name):
    for claims in ({key: value for key, value in RUN.items() if key != name}, {**RUN, name: None}, {**RUN, name: []}):
        with pytest.raises(NotAPrincipal):
            from_claims({"exp": 2e9, **claims} if name != "exp" else claims, (GITHUB,))


@pytest.mark.parametrize("issuer", [ISSUER, PEOPLE], ids=lambda issuer: issuer.kind)
def test_a_subject_that_is_too_long_is_refused(issuer):
    claims = {**CLAIMS, "iss": issuer.issuer, "exp": 2e9}

    assert len(from_claims({**claims, "sub": "s" * 1000}, (issuer,)).subject) == 1000
    with pytest.raises(NotAPrincipal, match="length <= 1000"):
        from_claims({**claims, "sub": "s" * 1001}, (issuer,))


@pytest.mark.parametrize("claim", ["run_id", "run_attempt", "sha", "actor"])
@pytest.mark.parametrize("issuer", [ISSUER, GITHUB], ids=lambda issuer: issuer.kind)
def test_a_stored_claim_that_is_too_long_is_refused(issuer, claim):
    claims = {**(RUN if issuer is GITHUB else CLAIMS), "iss": issuer.issuer, "exp": 2e9}

    assert from_claims({**claims, "run_id": "1", claim: "1" * 255}, (issuer,)).run
    with pytest.raises(NotAPrincipal, match="length <= 255"):
        from_claims({**claims, "run_id": "1", claim: "1" * 256}, (issuer,))
