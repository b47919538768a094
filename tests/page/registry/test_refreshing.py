"""The registry's pages stay fresh, and ask for little."""

import re

import pytest

from tests.service.deployments.records import an_artifact

POLL_MS = 10_500
PAGES = [
    "#/",
    "#/systems/azul",
    "#/systems/azul/environments/production/changes",
    "#/workspaces",
    "#/holds",
    "#/metrics",
    "#/dependencies",
]


@pytest.fixture
def page(page):
    """The page, with a clock that the test moves."""
    page.clock.install()
    return page


def test_an_unchanged_overview_costs_a_304(given, open_as):
    given.the_usual()
    page = open_as("viewer")

    with page.expect_response("**/v1/overview*") as refreshed:
        page.clock.fast_forward(POLL_MS)

    assert refreshed.value.status == 304


def test_a_deployment_appears_by_itself(given, open_as):
    given.the_usual()
    page = open_as("viewer")

    given.a_deployment(an_artifact("one"))
    page.clock.fast_forward(POLL_MS)

    page.get_by_title(an_artifact("one")).wait_for()


def test_the_first_view_asks_for_data_three_times(given, open_as, page):
    given.the_usual()
    asked = []
    page.on("request", lambda request: asked.append(request.url) if "/v1/" in request.url else None)

    open_as("viewer")

    assert len(asked) == 3


@pytest.mark.parametrize("fragment", PAGES)
def test_every_page_refreshes_and_keeps_what_it_shows(fragment, given, open_as, page):
    given.the_usual()
    given.a_deployment(an_artifact("one"), environment="preproduction")
    given.a_workspace(purpose="debug")
    open_as("admin", fragment)
    shown = page.locator("main").inner_text()

    with page.expect_response(re.compile("/v1/")):
        page.clock.fast_forward(POLL_MS)

    assert page.locator("main h1").count() == 1
    assert page.locator("main").inner_text().split()[:3] == shown.split()[:3]
