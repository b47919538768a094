"""The overview shows what runs where, and what needs attention."""

import os
import subprocess

import pytest
from playwright.sync_api import expect

from chalicelib import NAME
from tests.service.deployments.records import an_artifact

GIT = ("git", "-c", "user.name=Ada", "-c", "user.email=ada@example.org")


def short(name):
    return an_artifact(name).removeprefix("tree:")[:7]


def cell(page, system, environment):
    row = page.get_by_role("row").filter(has=page.get_by_role("rowheader", name=system))
    return row.locator(f"[data-column={environment}]")


def test_a_cell_shows_the_artifact_and_that_it_is_verified(given, open_as):
    given.the_usual()
    given.a_deployment(an_artifact("one"))
    given.a_verification()

    page = open_as("viewer")

    assert short("one") in cell(page, "azul", "development").inner_text()
    assert "verified" in cell(page, "azul", "development").text_content()
    assert "never deployed" in cell(page, "azul", "production").inner_text()


def test_a_cell_shows_what_is_in_flight_and_what_failed(given, open_as):
    given.the_usual()
    given.a_deployment(an_artifact("one"), state="failed")
    given.a_deployment(an_artifact("two"), environment="production", state="in_progress")

    page = open_as("viewer")

    assert f"{short('one')} failed" in cell(page, "azul", "development").inner_text()
    assert f"{short('two')} deploying" in cell(page, "azul", "production").inner_text()


def test_the_list_of_what_needs_attention_starts_with_production(given, open_as):
    given.the_usual()
    given.a_deployment(an_artifact("one"), state="failed")
    given.a_deployment(an_artifact("two"), environment="production", state="failed")

    lines = open_as("viewer").locator(".attention li")

    assert "production" in lines.nth(0).inner_text()
    assert "development" in lines.nth(1).inner_text()
    assert "failed" in lines.nth(0).inner_text()


def test_a_blocked_cell_says_why(given, open_as):
    given.the_usual()
    given.a_deployment(an_artifact("one"), environment="preproduction")
    given.a_freeze("production", reason="The sale of the season")

    page = open_as("viewer")

    assert "frozen" in cell(page, "azul", "production").text_content()


def test_what_needs_attention_says_who_holds_it_and_why(given, open_as):
    given.the_usual()
    given.a_deployment(an_artifact("one"), environment="preproduction")
    given.a_freeze("production", reason="The sale of the season")

    line = open_as("viewer").locator(".attention li").first.inner_text()

    assert "The sale of the season (admin@local)" in line


def test_a_hold_is_shown_although_nothing_waits(given, open_as):
    given.the_usual()
    given.a_freeze("production")

    assert "frozen" in cell(open_as("viewer"), "azul", "production").inner_text()


def test_the_filter_keeps_the_systems_that_match(given, open_as):
    given.a_system_with_an_environment()
    given.a_system("shop")
    page = open_as("viewer")

    page.get_by_label("Filter systems").fill("SHO")

    assert page.get_by_role("rowheader").all_inner_texts() == ["shop"]


class TestThePanelOfAnEnvironment:
    @pytest.fixture
    def page(self, given, open_as):
        """The overview of a system whose production is frozen."""
        given.the_usual()
        for name in ("one", "two"):
            given.a_deployment(an_artifact(name), environment="preproduction")
        given.a_deployment(an_artifact("one"), environment="production", kind="hotfix", override_reason="It is urgent")
        given.a_freeze("production", reason="The sale of the season")
        return open_as("maintainer")

    def test_it_says_what_runs_what_is_next_and_why_it_may_not_enter(self, page):
        cell(page, "azul", "production").get_by_text(short("one")).click()

        panel = page.get_by_role("complementary", name="azul production")
        panel.get_by_text("The sale of the season", exact=True).wait_for()
        words = panel.inner_text()
        assert words.index("Now") < words.index(short("one")) < words.index("Next") < words.index(short("two"))
        assert "hotfix" in words.partition("Recent")[2]
        assert page.get_by_role("rowheader", name="azul").is_visible()

    def test_the_keyboard_opens_it_and_closes_it(self, page):
        page.get_by_role("link", name="azul in production").press("Enter")
        expect(page.locator("#panel")).to_be_focused()
        assert page.url.endswith("#/?system=azul&environment=production")

        page.keyboard.press("Escape")

        expect(page.get_by_role("link", name="azul in production")).to_be_focused()
        assert page.get_by_role("complementary").count() == 0

    def test_an_action_of_it_keeps_it_open(self, page, api):
        page.get_by_role("link", name="azul in development").press("Enter")
        panel = page.get_by_role("complementary")

        panel.get_by_role("button", name="Freeze").click()
        page.get_by_role("dialog").get_by_label("Reason").fill("We fix the tests")
        page.get_by_role("dialog").get_by_role("button", name="Freeze").click()

        page.get_by_role("dialog").wait_for(state="hidden")
        assert panel.get_by_role("heading", name="azul development").is_visible()
        held = {hold["environment"] for hold in api.get("/v1/systems/azul/holds")["items"]}
        assert held == {"development", "production"}

    def test_its_title_leads_to_the_system(self, page):
        page.get_by_role("link", name="azul in production").press("Enter")

        page.get_by_role("complementary").get_by_role("link", name="azul", exact=True).click()

        page.get_by_role("heading", name="Azul", level=1).wait_for()
        assert page.evaluate("document.activeElement.tagName") == "H1"
        assert page.title() == f"azul · {NAME.capitalize()}"

    def test_the_system_shows_the_blockers_of_the_other_environments_too(self, page, given):
        given.a_deployment(an_artifact("three"))
        page.get_by_role("link", name="azul in production").press("Enter")
        page.get_by_role("complementary").get_by_text("Next").wait_for()

        page.get_by_role("complementary").get_by_role("link", name="azul", exact=True).click()

        page.get_by_role("region", name="preproduction").get_by_text("not verified", exact=True).wait_for()

    def test_one_of_nothing_says_so(self, page, open_as, expected_errors):
        expected_errors.append("404")

        open_as("viewer", "#/?system=azul&environment=nothing")
        page.get_by_text("There is no such environment").wait_for()
        open_as("viewer", "#/?system=nothing&environment=production")
        page.get_by_text("has no system").or_(page.get_by_text("no system")).wait_for()


def test_without_systems_the_page_has_the_commands_for_a_first_deployment(open_as, token, tmp_path):
    page = open_as("admin")
    page.get_by_role("heading", name="Record your first deployment").wait_for()
    commands = page.locator("pre").all_inner_texts()
    subprocess.run([*GIT, "init", "-q"], cwd=tmp_path, check=True)
    subprocess.run([*GIT, "commit", "-q", "--allow-empty", "-m", "First"], cwd=tmp_path, check=True)
    environment = {**os.environ, "TOKEN": token("admin")}

    assert commands[0] == "TOKEN=$(make -s token ROLE=admin)"
    for command in commands[1:]:
        subprocess.run(["bash", "-c", command], cwd=tmp_path, env=environment, check=True, capture_output=True)
    page.reload()

    tree = subprocess.run([*GIT, "rev-parse", "HEAD^{tree}"], cwd=tmp_path, check=True, capture_output=True, text=True)
    assert tree.stdout[:7] in cell(page, "shop", "development").inner_text()
