"""The metrics' page shows each figure with its samples, and leads to the deployments behind it."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.service.deployments.records import an_artifact

COMMIT = {"sha": "a" * 40, "authored_at": "2026-01-01T00:00:00Z", "subject": "Add a filter"}


@pytest.fixture
def azul(given):
    given.the_usual()
    given.a_deployment(an_artifact("one"), environment="production")
    given.a_deployment(an_artifact("two"), environment="production", commits=[COMMIT], revision="a" * 40)


def test_each_system_has_a_row_with_its_figures(azul, open_as):
    row = open_as("viewer", "#/metrics").locator("tbody tr").filter(has_text="azul")

    assert [" ".join(row.get_by_role("cell").nth(column).inner_text().split()) for column in (0, 1, 4)] == [
        "production",
        "2",
        "no data",
    ]


def test_a_figure_leads_to_the_deployments_that_contributed(azul, open_as):
    page = open_as("viewer", "#/metrics?system=azul")
    card = page.locator(".figure").filter(has_text="Lead time of changes")
    assert "of 1 change" in card.inner_text()

    card.get_by_role("link", name="Show the deployments").click()
    page.get_by_role("heading", name="Lead time of changes: deployments").wait_for()
    page.locator(".ids a").click()

    page.get_by_role("heading", name="Deployment").first.wait_for()


def test_a_period_of_a_plot_leads_to_its_deployments(azul, open_as):
    page = open_as("viewer", "#/metrics?system=azul&days=30")
    card = page.locator(".figure").filter(has_text="Deployments").first
    assert card.locator("rect").count() in (30, 31)

    card.locator("summary").click()
    card.get_by_role("link", name="2", exact=True).click()

    page.get_by_role("heading", name="day from").wait_for()
    assert page.locator(".ids a").count() == 2


def test_a_failure_that_goes_on_is_shown_without_a_time_to_recover(given, open_as):
    given.the_usual()
    id_ = given.a_deployment(environment="production")["id"]
    given.a_verification(id_, outcome="failure")

    page = open_as("viewer", "#/metrics")
    assert "no data; 1 not recovered yet" in page.locator("tbody tr").inner_text()
    page.get_by_role("link", name="azul").click()
    card = page.locator(".figure").filter(has_text="Time to recover")
    card.locator("summary", has_text="By week, no data").click()
    assert "no data; 1 not recovered yet" in card.locator("tbody").inner_text()
    card.locator("tbody a").click()

    card.get_by_role("link", name=id_, exact=True).wait_for()


def test_failed_attempts_are_shown_without_a_deployment_in_use(given, open_as):
    given.the_usual()
    given.a_deployment(environment="production", state="failed")

    card = open_as("viewer", "#/metrics?system=azul").locator(".figure").filter(has_text="Failed in use")

    assert "1 attempt failed before it was in use" in card.inner_text()


def test_days_are_those_of_utc_everywhere(given, page, open_as):
    given.the_usual()
    noon = datetime.now(UTC).replace(hour=12, minute=0) - timedelta(days=3)
    given.an_import(environment="production", at=noon.isoformat())
    page.context.new_cdp_session(page).send("Emulation.setTimezoneOverride", {"timezoneId": "America/Los_Angeles"})

    card = open_as("viewer", "#/metrics?system=azul&days=30").locator(".figure").first
    card.locator("summary").click()

    assert card.locator("tbody time span").first.inner_text() == f"{noon.day} {noon:%b}"


def test_a_lead_time_is_not_rounded_down_by_a_day(given, open_as):
    given.the_usual()
    given.a_deployment(an_artifact("one"), environment="production")
    authored = datetime.now(UTC) - timedelta(hours=46)
    commit = {"sha": "b" * 40, "authored_at": authored.isoformat()}
    given.a_deployment(an_artifact("two"), environment="production", commits=[commit])

    card = open_as("viewer", "#/metrics?system=azul").locator(".figure").filter(has_text="Lead time of changes")

    assert card.locator(".number").inner_text() == "1.9 d"
    assert "90 % within 1.9 d" in card.inner_text()


def test_a_link_to_the_first_period_stays_while_the_window_moves_on(given, open_as):
    given.the_usual()
    first, earlier = (datetime.now(UTC) - timedelta(days=30, hours=hours) for hours in (-2, 2))
    id_ = given.an_import(environment="production", at=first.isoformat())["id"]

    page = open_as(
        "viewer", f"#/metrics?system=azul&days=30&figure=deployment_frequency&at={earlier:%Y-%m-%dT%H:%M:%SZ}"
    )

    page.locator(".ids").get_by_role("link", name=id_, exact=True).wait_for()
