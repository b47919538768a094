"""Sign in and out, and what happens when a session expires."""

import time

import jwt
import pytest

from tests.page.provider import provider

TOKEN = "dashboard.token"


@pytest.mark.parametrize("role", ["viewer", "pipeline", "maintainer", "admin"])
def test_on_the_local_stage_a_page_offers_the_roles(role, page, given):
    given.a_system_with_an_environment()
    page.goto("/")

    page.get_by_role("button", name=role).click()

    page.get_by_role("rowheader", name="azul").wait_for()
    assert page.evaluate("localStorage.length") == 0


def test_signing_in_returns_to_the_page_that_was_asked_for(page, given):
    given.a_system_with_an_environment()
    page.goto("/#/systems/azul")

    page.get_by_role("button", name="viewer").click()

    page.get_by_role("heading", name="Azul").wait_for()
    assert page.url.endswith("#/systems/azul")


def test_signing_out_ends_the_session(given, open_as):
    given.a_system_with_an_environment()
    page = open_as("viewer")

    page.get_by_label("Account: viewer@local").click()
    page.get_by_role("button", name="Sign out").click()

    page.get_by_role("heading", name="Sign in").wait_for()
    assert page.evaluate(f"sessionStorage.getItem('{TOKEN}')") is None


def test_an_expired_session_returns_to_the_page_it_left(given, open_as, expected_errors):
    expected_errors.append("401")
    given.a_system_with_an_environment()

    page = open_as("viewer", "#/systems/azul", seconds=-120)
    page.get_by_text("Your session has expired").wait_for()
    page.get_by_role("button", name="viewer").click()

    page.get_by_role("heading", name="Azul").wait_for()


class TestAtAnIssuer:
    @pytest.fixture
    def issuer(self, token):
        with provider(token("viewer")) as issuer:
            yield issuer

    @pytest.fixture
    def sign_in(self, issuer):
        return {"kind": "oidc", "authority": issuer.url, "client_id": "dashboard", "scope": "openid"}

    @pytest.fixture
    def elsewhere(self, issuer):
        return {issuer.host}

    def test_signing_in_uses_a_code_with_pkce_and_leaves_no_trace_in_the_address(self, issuer, page, given, page_url):
        given.a_system_with_an_environment()
        page.goto("/#/systems/azul")

        page.get_by_role("button", name="Sign in").click()

        page.get_by_role("heading", name="Azul").wait_for()
        assert page.url == f"{page_url}/#/systems/azul"
        assert issuer.challenges_met == 1
        assert page.evaluate("localStorage.length") == 0
        claims = jwt.decode(page.evaluate(f"sessionStorage.getItem('{TOKEN}')"), options={"verify_signature": False})
        assert claims["sub"] == "viewer@local"
        assert claims["exp"] > time.time()

    def test_a_refusal_of_the_issuer_is_shown(self, issuer, page, page_url):
        issuer.denies = True
        page.goto("/")

        page.get_by_role("button", name="Sign in").click()

        page.get_by_role("alert").get_by_text("access_denied").wait_for()
        assert page.url == f"{page_url}/#/sign-in"
