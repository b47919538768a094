"""Sign in and out, and what happens when a session expires."""

import json
from urllib.parse import urlsplit

import jwt
import pytest

from chalicelib.settings import settings
from tests.page.provider import CLIENT, provider
from tests.support.stage import ISSUERS

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
    def issuer(self, stage, monkeypatch):
        """A provider that the stage trusts."""
        with provider() as issuer:
            monkeypatch.setenv("SLIPWAY_ISSUERS", json.dumps([*ISSUERS[:1], issuer.settings("people")]))
            sign_in = {"authority": issuer.url, "client_id": CLIENT, "scope": "openid profile"}
            monkeypatch.setenv("SLIPWAY_SIGN_IN", json.dumps(sign_in))
            settings.cache_clear()
            yield issuer

    @pytest.fixture
    def elsewhere(self, issuer):
        return {urlsplit(issuer.url).netloc}

    @pytest.fixture
    def page(self, issuer, given, page):
        given.a_system_with_an_environment()
        page.goto("/#/systems/azul")
        return page

    def test_signing_in_uses_a_code_with_pkce_and_leaves_no_trace_in_the_address(self, issuer, page, page_url):
        page.get_by_role("button", name="Sign in").click()

        page.get_by_role("heading", name="Azul").wait_for()
        assert page.url == f"{page_url}/#/systems/azul"
        assert issuer.exchanged == 1
        assert page.evaluate("localStorage.length") == 0
        claims = jwt.decode(page.evaluate(f"sessionStorage.getItem('{TOKEN}')"), options={"verify_signature": False})
        assert (claims["iss"], claims["cognito:groups"]) == (issuer.url, ["admins"])

    def test_signing_out_ends_the_session_here_and_at_the_issuer(self, issuer, page):
        page.get_by_role("button", name="Sign in").click()
        page.get_by_role("heading", name="Azul").wait_for()

        page.locator(".user summary").click()
        page.get_by_role("button", name="Sign out").click()

        page.get_by_role("heading", name="Sign in").wait_for()
        page.wait_for_load_state()
        assert issuer.ended == 1
        assert page.evaluate("Object.values(sessionStorage).join()").count("eyJ") == 0

    def test_a_person_without_a_group_reads_that_nothing_may_be_seen(self, issuer, page, expected_errors):
        expected_errors.append("403")
        issuer.groups = []

        page.get_by_role("button", name="Sign in").click()

        page.get_by_role("heading", name="You may not see this").wait_for()

    def test_a_session_that_expires_returns_to_its_page_after_another_sign_in(self, issuer, page, expected_errors):
        expected_errors.append("401")
        issuer.lifetime = -60
        page.get_by_role("button", name="Sign in").click()
        page.get_by_text("Your session has expired").wait_for()

        issuer.lifetime = 3600
        page.get_by_role("button", name="Sign in").click()

        page.get_by_role("heading", name="Azul").wait_for()

    def test_a_refusal_of_the_issuer_is_shown(self, issuer, page, page_url):
        issuer.denies = True

        page.get_by_role("button", name="Sign in").click()

        page.get_by_role("alert").get_by_text("access_denied").wait_for()
        assert page.url == f"{page_url}/#/sign-in"
