"""Each tab has a session of its own, and each one reads what the others wrote."""

import re

import pytest

POLL_MS = 10_500

REASON = "The sale of the season"


@pytest.fixture
def tabs(page, context):
    """Two tabs of one browser, with a clock that the test moves."""
    page.clock.install()
    return page, context.new_page()


def signed_in(tab, role, fragment="#/"):
    tab.goto(f"/{fragment}")
    tab.get_by_role("button", name=role).click()
    tab.get_by_label(f"Account: {role}@local").wait_for()
    tab.locator("main h1").wait_for(state="attached")


@pytest.mark.slow
def test_signing_out_in_one_tab_leaves_the_session_of_the_other(tabs, given):
    given.a_system_with_an_environment()
    one, other = tabs
    signed_in(one, "admin")
    signed_in(other, "viewer")

    one.get_by_label("Account: admin@local").click()
    one.get_by_role("button", name="Sign out").click()
    one.get_by_role("heading", name="Sign in").wait_for()
    with other.expect_response("**/v1/overview*") as refreshed:
        other.clock.fast_forward(POLL_MS)

    assert refreshed.value.status == 304
    assert other.get_by_role("rowheader", name="azul").is_visible()
    one.reload()
    one.get_by_role("heading", name="Sign in").wait_for()


def test_a_write_in_one_tab_appears_in_the_other(tabs, given):
    given.the_usual()
    one, other = tabs
    signed_in(one, "admin", "#/systems/azul")
    signed_in(other, "viewer", "#/systems/azul")
    other.get_by_text("No hold is in force").wait_for()

    one.get_by_role("region", name="development").get_by_role("button", name="Freeze").click()
    one.get_by_role("dialog").get_by_label("Reason").fill(REASON)
    one.get_by_role("dialog").get_by_role("button", name="Freeze").click()
    one.get_by_role("cell", name=REASON).wait_for()
    with other.expect_response(re.compile("/holds")):
        other.clock.fast_forward(POLL_MS)

    other.get_by_role("cell", name=REASON).wait_for()
