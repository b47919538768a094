"""The list of systems and the settings of a system: they show the sample resources, and create and change them."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page

from tests.support.api import Api
from tests.support.given import Given

Open = Callable[..., Page]
HOSTILE = "<img src=x onerror=alert(1)>\u202egnp.exe 🚀" + "x" * 60
REASON = "The load test has replaced the soak"


def dialog(page: Page) -> Locator:
    return page.get_by_role("dialog")


def start_to_change(page: Page, environment: str) -> None:
    row = page.get_by_role("row").filter(has=page.get_by_role("rowheader", name=environment, exact=True))
    row.get_by_role("button", name="Change").click()
    dialog(page).get_by_label("Rank").wait_for()


def send(page: Page, verb: str) -> None:
    dialog(page).get_by_role("button", name=verb).click()


def test_the_filter_keeps_the_systems_that_match(given: Given, open_as: Open) -> None:
    given.a_system("azul")
    given.a_system("shop")
    page = open_as("viewer", "#/systems")

    page.get_by_label("Filter systems").fill("SHO")

    assert page.get_by_role("rowheader").all_inner_texts() == ["shop"]
    assert page.locator("nav.pages a[aria-current=page]").all_inner_texts() == ["Systems"]


def test_an_admin_creates_a_system_with_an_environment(api: Api, open_as: Open) -> None:
    page = open_as("admin", "#/systems")
    page.get_by_role("button", name="New system").click()
    dialog(page).get_by_label("Key").fill("shop")
    dialog(page).get_by_label("Name").fill("Shop")
    with page.expect_request(lambda request: request.method == "POST") as sent:
        send(page, "Create")
    page.get_by_role("link", name="shop").wait_for()
    assert sent.value.headers["idempotency-key"]

    page.goto("/#/systems/shop/settings")
    page.get_by_role("button", name="New environment").click()
    dialog(page).get_by_label("Name").fill("production")
    dialog(page).get_by_label("Production").check()
    dialog(page).get_by_label("Required suites").fill("acceptance, load")
    dialog(page).get_by_label("Required soak").fill("3600")
    send(page, "Create")
    page.get_by_role("cell", name="acceptance, load, 1 h of soak").wait_for()

    [environment] = api.get("/v1/systems/shop/environments")["items"]
    assert (environment["rank"], environment["production"], environment["base_url"]) == (1, True, None)


def test_a_problem_is_shown_at_its_field(given: Given, open_as: Open, expected_errors: list[str]) -> None:
    expected_errors += ["409", "422"]
    given.a_system("shop")
    page = open_as("admin", "#/systems")
    page.get_by_role("button", name="New system").click()
    dialog(page).get_by_label("Name").fill("Shop")

    for key in ("Not a key", "shop"):
        dialog(page).get_by_label("Key").fill(key)
        send(page, "Create")
        page.locator("#field-key-fault").wait_for()
        assert page.evaluate("document.activeElement.id") == "field-key"


def test_a_change_sends_only_what_differs(given: Given, api: Api, open_as: Open) -> None:
    given.a_system()
    given.an_environment(base_url="https://azul.example.org", required_suites=["acceptance"], required_approvals=2)
    before = api.get("/v1/systems/azul/environments/development").json
    page = open_as("maintainer", "#/systems/azul/settings")
    start_to_change(page, "development")

    dialog(page).get_by_label("Address").fill("")
    dialog(page).get_by_label("Required approvals").fill("")
    with page.expect_request(lambda request: request.method == "PATCH") as sent:
        send(page, "Change")
    dialog(page).wait_for(state="hidden")

    assert sent.value.post_data_json == {"base_url": None, "required_approvals": 0}
    after = api.get("/v1/systems/azul/environments/development").json
    assert after == {**before, "base_url": None, "required_approvals": 0}


def test_a_number_that_is_none_changes_nothing(given: Given, open_as: Open, expected_errors: list[str]) -> None:
    expected_errors.append("422")
    given.the_usual()
    page = open_as("maintainer", "#/systems/azul/settings")
    start_to_change(page, "development")

    dialog(page).get_by_label("Required soak").fill("1 h")
    send(page, "Change")

    page.locator("#field-required_soak_seconds-fault").wait_for()


def test_a_loosening_of_production_takes_its_name_and_a_reason(
    given: Given, api: Api, open_as: Open, expected_errors: list[str]
) -> None:
    expected_errors.append("422")
    given.the_usual(required_soak_seconds=3600)
    page = open_as("maintainer", "#/systems/azul/settings")
    start_to_change(page, "production")
    dialog(page).get_by_label("Required soak").fill("60")
    dialog(page).get_by_label("Type production to confirm").fill("production")

    send(page, "Change")
    fault = page.locator("#field-reason-fault")
    fault.wait_for()
    assert "is required for this change" in fault.inner_text()
    assert "production would require a shorter soak" in dialog(page).get_by_role("alert").inner_text()
    dialog(page).get_by_label("Reason").fill(REASON)
    send(page, "Change")
    dialog(page).wait_for(state="hidden")

    assert api.get("/v1/systems/azul/environments/production")["required_soak_seconds"] == 60
    [event] = api.get("/v1/audit-events?action=environment.change&system=azul&limit=1")["items"]
    assert event["reason"] == REASON


def test_a_change_that_somebody_made_meanwhile_is_not_lost(
    given: Given, api: Api, open_as: Open, expected_errors: list[str]
) -> None:
    expected_errors.append("412")
    given.the_usual()
    page = open_as("maintainer", "#/systems/azul/settings")
    start_to_change(page, "development")
    address = "/v1/systems/azul/environments/development"
    api.patch(address, {"required_approvals": 2}, if_match="*")

    dialog(page).get_by_label("Required soak").fill("60")
    send(page, "Change")

    dialog(page).get_by_role("alert").get_by_text("Precondition failed").wait_for()
    assert api.get(address)["required_soak_seconds"] == 0


@pytest.mark.parametrize(("role", "fragment"), [("maintainer", "#/systems"), ("viewer", "#/systems/azul/settings")])
def test_a_caller_is_offered_no_action_without_the_role(role: str, fragment: str, given: Given, open_as: Open) -> None:
    given.the_usual()

    assert open_as(role, fragment).locator("main").get_by_role("button").all() == []


@pytest.mark.parametrize("width", [360, 1440])
def test_hostile_texts_are_text_and_break_no_layout(width: int, given: Given, open_as: Open, page: Page) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    given.a_system(name=HOSTILE, description=f"<script>alert(1)</script>{'word' * 400}")
    given.an_environment("production", base_url=f"https://{'a' * 200}.example.org")

    for fragment in ("#/audit", "#/systems", "#/systems/azul/settings"):
        open_as("admin", fragment)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), fragment
        assert page.locator("main img, main script").count() == 0
    assert page.locator("h1").inner_text() == f"Settings of {HOSTILE}"
