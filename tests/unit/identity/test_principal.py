"""Whom verified claims stand for, and what that one may do."""

import time

import pytest

from chalicelib.identity.principal import NotAPrincipal, Principal, Role, Run, from_claims
from chalicelib.settings import Issuer

ISSUER = Issuer(kind="local", issuer="https://slipway.localhost", audience="slipway", algorithm="ES256")
CLAIMS = {"iss": ISSUER.issuer, "sub": "jane@example.org", "exp": 2e9, "role": "maintainer", "systems": ["azul"]}


def a_principal(role, *systems, expires_at=2e9):
    return Principal(issuer=ISSUER.issuer, subject="jane", role=role, systems=frozenset(systems), expires_at=expires_at)


def test_claims_become_a_principal():
    assert from_claims(CLAIMS, (ISSUER,)) == Principal(
        issuer=ISSUER.issuer,
        subject="jane@example.org",
        role=Role.maintainer,
        systems=frozenset({"azul"}),
        expires_at=2e9,
    )


def test_the_run_of_a_pipeline_is_what_its_token_claims():
    claims = {**CLAIMS, "run_id": "4711", "run_attempt": "2", "sha": "a" * 40, "actor": "jane"}

    assert from_claims(claims, (ISSUER,)).run == Run(id="4711", attempt="2", sha="a" * 40, actor="jane")


def test_a_run_is_the_first_attempt_unless_it_says_otherwise():
    assert from_claims({**CLAIMS, "run_id": "4711"}, (ISSUER,)).run == Run(id="4711")


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "https://issuer.example.org"},
        {"iss": None},
        {"iss": ["https://slipway.localhost"]},
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
def test_claims_that_say_nothing_of_the_kind_make_no_principal(changes):
    with pytest.raises(NotAPrincipal):
        from_claims({**CLAIMS, **changes}, (ISSUER,))


@pytest.mark.parametrize("name", ["iss", "sub", "exp", "role"])
def test_claims_with_something_missing_make_no_principal(name):
    claims = {key: value for key, value in CLAIMS.items() if key != name}

    with pytest.raises(NotAPrincipal):
        from_claims(claims, (ISSUER,))


def test_nobody_is_a_principal_where_no_issuer_is_trusted():
    with pytest.raises(NotAPrincipal):
        from_claims(CLAIMS, ())


def test_roles_are_cumulative():
    assert Role.viewer < Role.pipeline < Role.maintainer < Role.admin


@pytest.mark.parametrize("role", [Role.pipeline, Role.maintainer])
def test_a_role_counts_in_its_systems_and_is_a_viewers_elsewhere(role):
    principal = a_principal(role, "azul", "green")

    assert principal.role_in("azul") is role
    assert principal.role_in("green") is role
    assert principal.role_in("blue") is Role.viewer
    assert principal.role_in(None) is Role.viewer


def test_a_viewer_gains_nothing_from_a_system():
    assert a_principal(Role.viewer, "azul").role_in("azul") is Role.viewer


def test_an_admin_is_one_everywhere():
    assert a_principal(Role.admin).role_in("azul") is Role.admin
    assert a_principal(Role.admin).role_in(None) is Role.admin


@pytest.mark.parametrize(("seconds", "expired"), [(-1, True), (60, False)])
def test_a_principal_expires_with_its_token(seconds, expired):
    assert a_principal(Role.viewer, expires_at=time.time() + seconds).has_expired is expired
