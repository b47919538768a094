"""The page stays fresh, and says so when it cannot."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, Page

from tests.support.given import Given

POLL_MS = 10_500
Open = Callable[..., Page]


@pytest.fixture
def page(page: Page) -> Page:
    """The page, with a clock that the test moves."""
    page.clock.install()
    return page


def test_an_unchanged_list_costs_a_304(given: Given, open_as: Open) -> None:
    given.the_usual()
    page = open_as("viewer", "#/systems")

    with page.expect_response("**/v1/systems*") as refreshed:
        page.clock.fast_forward(POLL_MS)

    assert refreshed.value.status == 304


def test_a_change_appears_by_itself(given: Given, open_as: Open) -> None:
    page = open_as("viewer", "#/systems")
    page.get_by_text("There is no system yet").wait_for()

    given.a_system("shop")
    page.clock.fast_forward(POLL_MS)

    page.get_by_role("rowheader", name="shop").wait_for()


def test_without_the_service_the_page_keeps_what_it_knew_and_says_so(
    given: Given, open_as: Open, context: BrowserContext, expected_errors: list[str]
) -> None:
    expected_errors.append("ERR_INTERNET_DISCONNECTED")
    given.the_usual()
    page = open_as("viewer", "#/systems")

    context.set_offline(True)
    page.clock.fast_forward(POLL_MS)
    page.get_by_role("alert").get_by_text("The service does not answer").wait_for()
    assert page.get_by_role("rowheader", name="azul").is_visible()

    context.set_offline(False)
    page.clock.fast_forward(POLL_MS)
    page.get_by_role("alert").wait_for(state="detached")


@pytest.mark.parametrize("fragment", ["#/systems", "#/systems/azul/settings", "#/audit"])
def test_every_page_refreshes_and_keeps_what_it_shows(fragment: str, given: Given, open_as: Open, page: Page) -> None:
    given.the_usual()
    open_as("admin", fragment)
    shown = page.locator("main").inner_text()

    with page.expect_response(re.compile("/v1/")):
        page.clock.fast_forward(POLL_MS)

    assert page.locator("main").inner_text() == shown


def test_an_address_without_a_page_says_so(open_as: Open) -> None:
    assert open_as("viewer", "#/nowhere").locator("h1").inner_text() == "Nothing is here"


def test_a_caller_without_the_role_reads_why(open_as: Open, expected_errors: list[str]) -> None:
    expected_errors.append("403")

    assert open_as("viewer", "#/audit").locator("h1").inner_text() == "You may not see this"
