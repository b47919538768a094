"""axe finds no fault on any page of the shell, and the keyboard reaches everything."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page

from tests.page.axe import assert_accessible
from tests.support.given import Given

Open = Callable[..., Page]


@pytest.mark.slow
@pytest.mark.parametrize("fragment", ["#/systems", "#/systems/azul/settings", "#/audit", "#/sign-in", "#/nowhere"])
def test_axe_finds_nothing(fragment: str, given: Given, open_as: Open) -> None:
    given.the_usual(required_approvals=1, base_url="https://azul.example.org", required_suites=["acceptance"])

    assert_accessible(open_as("admin", fragment))


def test_axe_finds_nothing_in_a_dialog_with_a_fault(given: Given, open_as: Open) -> None:
    given.the_usual()
    page = open_as("admin", "#/systems/azul/settings")

    page.get_by_role("button", name="New environment").click()
    page.get_by_role("dialog").get_by_role("button", name="Create").click()
    page.locator("#field-name-fault").wait_for()

    assert_accessible(page)


def test_the_keyboard_reaches_the_filter_the_content_and_a_system(given: Given, open_as: Open) -> None:
    given.the_usual()
    page = open_as("viewer", "#/systems")

    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.id") == "filter"
    page.get_by_role("link", name="Skip to content").press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
    page.get_by_role("link", name="azul").press("Enter")

    page.get_by_role("heading", name="Azul").wait_for()
