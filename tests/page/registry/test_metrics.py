"""The metrics' page shows each figure with its samples, and leads to the deployments behind it."""

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
