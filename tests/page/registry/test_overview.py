"""The overview shows what runs where, and what needs attention."""

import os
import subprocess

import pytest

from chalicelib import NAME
from tests.service.deployments.records import an_artifact

HOSTILE = "<img src=x onerror=alert(1)>\u202egnp.exe 🚀" + "x" * 60
WIDTHS = (360, 1440)
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


def test_the_filter_keeps_the_systems_that_match(given, open_as):
    given.a_system_with_an_environment()
    given.a_system("shop")
    page = open_as("viewer")

    page.get_by_label("Filter systems").fill("SHO")

    assert page.get_by_role("rowheader").all_inner_texts() == ["shop"]


def test_a_cell_leads_to_the_system(given, open_as):
    given.the_usual()
    page = open_as("viewer")

    page.get_by_role("link", name="azul in production").click()

    page.get_by_role("heading", name="Azul", level=1).wait_for()
    assert page.url.endswith("#/systems/azul?environment=production")
    assert page.evaluate("document.activeElement.tagName") == "H1"
    assert page.title() == f"azul · {NAME.capitalize()}"


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


@pytest.mark.parametrize("width", WIDTHS)
def test_hostile_texts_are_text_and_break_no_layout(width, given, open_as, page):
    page.set_viewport_size({"width": width, "height": 800})
    given.a_system(name=HOSTILE, description=f"<script>alert(1)</script>{'word' * 400}")
    given.an_environment("production")
    given.a_freeze(reason=HOSTILE * 4)
    detail = HOSTILE + "z" * 1800
    deployment = given.a_deployment(environment="production", state="in_progress")["id"]
    given.a_status(deployment, "failed", detail=detail)

    for fragment in ("#/", "#/systems/azul", f"#/systems/azul/deployments/{deployment}", "#/holds", "#/audit"):
        open_as("admin", fragment)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), fragment
        assert page.locator("main img, main script").count() == 0

    open_as("admin", "#/systems/azul")
    assert page.locator("h1").inner_text() == HOSTILE
